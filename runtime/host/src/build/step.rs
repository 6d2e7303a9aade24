//! Starting one step: options, context, store.

use super::BuildInner;
use crate::bindings::kiln::host::types::ErrorCode;
use crate::capability::Role;
use crate::configuration::StepConfiguration;
use crate::error::{LoadError, StepError};
use crate::instance::Instance;
use crate::show::LineBudget;
use crate::state::StepCtx;
use kiln_plan::code;
use kiln_plan::{ComponentRef, Configuration, Diagnostic, Kind, Step, StepInfo};
use std::sync::{Arc, Mutex};
use tokio_util::sync::CancellationToken;

/// The role that a kind of component has in a build.
pub(super) fn role_of(kind: Kind) -> Role {
    match kind {
        Kind::Builder => Role::Builder,
        Kind::Provisioner => Role::Provisioner,
        Kind::PostProcessor => Role::PostProcessor,
        Kind::DataSource => Role::DataSource,
    }
}

/// The interface that a kind of component exports.
pub(super) fn interface_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Builder => "builder",
        Kind::Provisioner => "provisioner",
        Kind::PostProcessor => "post-processor",
        Kind::DataSource => "data-source",
    }
}

/// The options of a step, ready; or what is wrong with them.
pub(super) fn configure(
    build: &BuildInner,
    step: &Step,
    written: &Configuration,
) -> Result<Arc<StepConfiguration>, Vec<Diagnostic>> {
    let described =
        build.run.host.described(&step.component).map_err(|error| vec![load_diagnostic(step, &error)])?;
    StepConfiguration::new(build, &described.schema, written).map(Arc::new)
}

/// A started instance of a component.
pub(super) async fn start(
    build: &Arc<BuildInner>,
    component: &ComponentRef,
    configuration: Arc<StepConfiguration>,
    role: Role,
    info: Option<Arc<StepInfo>>,
    cancel: CancellationToken,
) -> Result<Instance, StepError> {
    let host = build.run.host.clone();
    let reference = component.clone();
    let loading = host.clone();
    let (loaded, grants) = tokio::task::spawn_blocking(move || {
        let entry = loading.entry(&reference)?;
        Ok::<_, LoadError>((entry.load(&loading)?, entry.grants(&loading)?))
    })
    .await
    .map_err(|_| StepError::new(ErrorCode::Failed, "the component's compilation was stopped"))?
    .map_err(|error| load_error(&error))?;
    let limits = &host.options.limits;
    let context = StepCtx {
        build: build.clone(),
        component: component.clone(),
        info,
        grants: if role == Role::Pure { Arc::default() } else { grants },
        configuration: Some(configuration),
        meter: Arc::default(),
        budget: Mutex::new(LineBudget::new(limits.lines_per_second, limits.shown_bytes)),
        line: limits.line,
    };
    Instance::start(&host, &loaded, Arc::new(context), role, cancel).await
}

/// The first finding as the error of a step.
pub(super) fn first_error(found: Vec<Diagnostic>) -> StepError {
    let Some(first) = found.into_iter().next() else {
        return StepError::new(ErrorCode::Invalid, "the options are wrong");
    };
    let message = match first.help {
        Some(help) => format!("{} ({help})", first.summary),
        None => first.summary,
    };
    let mut error = StepError::new(ErrorCode::Invalid, message);
    error.span = first.span;
    error
}

pub(super) fn load_error(error: &LoadError) -> StepError {
    StepError::new(ErrorCode::Failed, error.to_string())
}

fn load_diagnostic(step: &Step, error: &LoadError) -> Diagnostic {
    let mut found = Diagnostic::error(code::host::COMPONENT, error.to_string());
    found.span = step.span;
    found
}
