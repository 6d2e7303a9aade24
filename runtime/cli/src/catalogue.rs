//! What the template language asks about components, answered by the sandbox; and data sources,
//! run in it.

use crate::sandbox::Sandbox;
use kiln_absent::Absent;
use kiln_host::{LoadError, Run};
use kiln_plan::code;
use kiln_plan::{
    BuildValues, ComponentRef, Configuration, Diagnostic, Diagnostics, Evaluate, Kind, Schema, Step, Value,
};
use kiln_template::{Catalogue, DataRequest, ReadData};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// The components of a sandbox. A component that may not run, or cannot be loaded, takes any option:
/// what is wrong with it is the finding, not what follows from it.
pub(crate) struct Components<'s> {
    sandbox: &'s Sandbox,
    found: Mutex<BTreeMap<ComponentRef, Diagnostic>>,
}

impl<'s> Components<'s> {
    pub(crate) fn new(sandbox: &'s Sandbox) -> Self {
        Self { sandbox, found: Mutex::default() }
    }

    /// What is wrong with the components that the template used.
    pub(crate) fn findings(self) -> Diagnostics {
        self.found.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
    }

    fn note(&self, component: &ComponentRef, diagnostic: Diagnostic) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.entry(component.clone()).or_insert(diagnostic);
    }

    fn refused(&self, component: &ComponentRef) -> bool {
        let Some(why) = self.sandbox.refusal(component) else { return false };
        self.note(component, refusal(self.sandbox, component, why));
        true
    }
}

/// Why a component may not run, and which grants it asks for.
fn refusal(sandbox: &Sandbox, component: &ComponentRef, why: &str) -> Diagnostic {
    let wanted = match sandbox.host.describe(component) {
        Ok(description) if description.wanted_grants.is_empty() => "it asks for no grant".to_owned(),
        Ok(description) => {
            let mut wanted = vec!["it asks for these grants:".to_owned()];
            wanted.extend(description.wanted_grants.iter().map(crate::commands::init::wanted_line));
            wanted.join("\n")
        }
        Err(error) => error.to_string(),
    };
    Diagnostic::error(code::component::NOT_APPROVED, why.to_owned())
        .detail(wanted)
        .help("run `kiln init` to look at what it wants and to approve it")
}

impl Catalogue for Components<'_> {
    fn schema(&self, component: &ComponentRef) -> Option<Arc<Schema>> {
        let open = || Some(Arc::new(Schema { open: true, ..Schema::default() }));
        if self.refused(component) {
            return open();
        }
        match self.sandbox.host.schema(component) {
            Ok(schema) => Some(schema),
            Err(LoadError::Unknown(_)) => kiln_absent::find(component).map(Absent::schema),
            Err(error) => {
                self.note(component, Diagnostic::error(code::component::UNUSABLE, error.to_string()));
                open()
            }
        }
    }

    fn output_schema(&self, component: &ComponentRef) -> Option<Arc<Schema>> {
        if self.refused(component) {
            return None;
        }
        if let Some(absent) = self.sandbox.absent(component) {
            return absent.output();
        }
        let description = self.sandbox.host.describe(component).ok()?;
        Schema::parse(&description.output_schema).ok().map(Arc::new)
    }

    fn names(&self, kind: Kind) -> Vec<String> {
        self.sandbox.host.names(kind)
    }

    fn absent_names(&self, kind: Kind) -> Vec<String> {
        kiln_absent::names(kind).map(str::to_owned).collect()
    }
}

/// Data sources, run where the template needs them, all at once that can be.
pub(crate) struct DataSources<'s> {
    pub(crate) sandbox: &'s Sandbox,
    pub(crate) run: &'s Run,
    pub(crate) runtime: Handle,
}

/// What a data source gives, or why it gives nothing.
type Outcome = Result<Value, Box<Diagnostic>>;

impl ReadData for DataSources<'_> {
    fn read(&self, requests: Vec<DataRequest>) -> Vec<Outcome> {
        let started: Vec<_> = requests.into_iter().map(|request| self.start(request)).collect();
        // The caller is not inside the runtime: the template is evaluated on the main thread.
        self.runtime.block_on(async {
            let mut outcomes = Vec::with_capacity(started.len());
            for one in started {
                outcomes.push(match one {
                    Ok(task) => task.await.unwrap_or_else(|error| {
                        Err(Box::new(Diagnostic::error(
                            code::component::DATA,
                            format!("it did not end as it should: {error}"),
                        )))
                    }),
                    Err(refused) => Err(refused),
                });
            }
            outcomes
        })
    }
}

impl DataSources<'_> {
    /// Starts one, unless its component may not run.
    fn start(&self, request: DataRequest) -> Result<JoinHandle<Outcome>, Box<Diagnostic>> {
        let DataRequest { component, label, configuration } = request;
        if let Some(why) = self.sandbox.refusal(&component) {
            return Err(Box::new(refusal(self.sandbox, &component, why)));
        }
        let step = Step {
            component,
            label: Some(label),
            span: configuration.block,
            first: configuration.clone(),
            late: Arc::new(Known(configuration.clone())),
        };
        let run = self.run.clone();
        Ok(self.runtime.spawn(async move {
            let found = run.validate_data(&step, &configuration).await;
            if let Some(found) = found.into_iter().find(Diagnostic::is_error) {
                return Err(Box::new(found));
            }
            run.read_data(&step, &configuration).await.map_err(|error| {
                let mut found = Diagnostic::error(code::component::DATA, error.message);
                found.span = error.span;
                Box::new(found)
            })
        }))
    }
}

/// Options that are known already.
#[derive(Debug)]
struct Known(Configuration);

impl Evaluate for Known {
    fn evaluate(&self, _: &BuildValues) -> Result<Configuration, Diagnostics> {
        Ok(self.0.clone())
    }
}
