//! One component, instantiated: typed calls to its exports, bounded in CPU time, with a grace
//! period after a cancel.
//!
//! Main type: [`Instance`]. Invariant: after a trap, a timeout or a cancel that was not obeyed, the
//! instance is never entered again.

use crate::artifact::ArtifactHandle;
use crate::bindings::kiln::host::journal::UndoEntry;
use crate::bindings::kiln::host::types as wit;
use crate::capability::Role;
use crate::capability::config::{ConfigurationHandle, ContextHandle};
use crate::capability::sessions::Session;
use crate::component::{Loaded, WantedGrant};
use crate::error::{StepError, code_of};
use crate::host::HostInner;
use crate::limits::Metered;
use crate::state::{State, StepCtx};
use kiln_plan::code;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use wasmtime::component::{ComponentNamedList, ComponentType, Lift, Lower, Resource};
use wasmtime::{Store, Trap, UpdateDeadline};

/// The version of the package whose exports are called; any 0.1.x is found by it.
const PACKAGE: &str = "kiln:component";
const VERSION: &str = "0.1.0";

/// How a build went, for `cleanup`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ComponentType, Lower, Lift)]
#[component(enum)]
#[repr(u8)]
pub enum Outcome {
    /// The artifact was made.
    #[component(name = "success")]
    Success,
    /// A step failed.
    #[component(name = "failed")]
    Failed,
    /// The user cancelled.
    #[component(name = "cancelled")]
    Cancelled,
    /// The user wants everything left as it is.
    #[component(name = "aborted")]
    Aborted,
}

#[derive(Debug, ComponentType, Lift, Lower)]
#[component(record)]
struct WantedGrantRecord {
    name: String,
    targets: Vec<String>,
    reason: String,
    optional: bool,
}

#[derive(Debug, ComponentType, Lift, Lower)]
#[component(record)]
struct DescriptionRecord {
    name: String,
    version: String,
    summary: String,
    #[component(name = "config-schema")]
    config_schema: String,
    #[component(name = "output-schema")]
    output_schema: String,
    #[component(name = "wanted-grants")]
    wanted_grants: Vec<WantedGrantRecord>,
}

#[derive(Debug, ComponentType, Lift, Lower)]
#[component(record)]
struct PreparedRecord {
    session: Option<Resource<Session>>,
    values: String,
}

#[derive(Debug, ComponentType, Lift, Lower)]
#[component(record)]
struct ProcessedRecord {
    artifact: Option<Resource<ArtifactHandle>>,
    #[component(name = "keep-input")]
    keep_input: bool,
    #[component(name = "must-keep")]
    must_keep: bool,
}

/// What `describe` said.
pub(crate) struct Told {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) summary: String,
    pub(crate) config_schema: String,
    pub(crate) output_schema: String,
    pub(crate) wanted_grants: Vec<WantedGrant>,
}

/// What `process` gave.
#[derive(Debug)]
pub struct Processed {
    /// The artifact for the next in the sequence.
    pub artifact: Option<ArtifactHandle>,
    /// Whether the input is kept unless the user says otherwise.
    pub keep_input: bool,
    /// Whether the input is kept even then.
    pub must_keep: bool,
}

/// A running component.
pub(crate) struct Instance {
    store: Store<State>,
    instance: wasmtime::component::Instance,
    loaded: Arc<Loaded>,
    grace: Duration,
    dead: bool,
}

type Guest<T> = Result<T, wit::Error>;

impl Instance {
    /// Instantiates the component with the authority of `role` and `step`.
    pub(crate) async fn start(
        host: &HostInner,
        loaded: &Arc<Loaded>,
        step: Arc<StepCtx>,
        role: Role,
        cancel: CancellationToken,
    ) -> Result<Self, StepError> {
        let limits = &host.options.limits;
        let cpu = if role == Role::Pure { limits.pure_cpu } else { limits.cpu };
        let meter = step.meter.clone();
        let mut store = Store::new(&host.wasm_engine, State::new(limits, step, role, cancel));
        store.limiter(|state| &mut state.limits);
        store.set_hostcall_fuel(limits.call_bytes);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |_| {
            if meter.used() > cpu {
                return Err(wasmtime::Error::msg(format!(
                    "it used more than {} s of CPU time",
                    cpu.as_secs()
                )));
            }
            Ok(UpdateDeadline::Yield(1))
        });
        let meter = store.data().step.meter.clone();
        let started = Metered::new(meter, loaded.pre.instantiate_async(&mut store)).await;
        match started {
            Ok(instance) => {
                Ok(Self { store, instance, loaded: loaded.clone(), grace: limits.grace, dead: false })
            }
            Err(error) => Err(trapped(&store.data().step, &error)),
        }
    }

    /// Changes the token that its waiting calls obey, for the cleanup after a cancel or trouble.
    pub(crate) fn obey(&mut self, cancel: CancellationToken) {
        let state = self.store.data_mut();
        state.hooks.obey(&cancel);
        state.heeds_trouble = false;
        state.cancel = cancel;
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.dead
    }

    pub(crate) fn step(&self) -> Arc<StepCtx> {
        self.store.data().step.clone()
    }

    /// Calls `interface.function`, and bounds it.
    async fn call<P, R>(&mut self, interface: &str, function: &str, params: P) -> Result<R, StepError>
    where
        P: ComponentNamedList + Lower + Send + Sync,
        R: ComponentNamedList + Lift + Send + Sync + 'static,
    {
        let step = self.step();
        if self.dead {
            return Err(broken(&step, "it broke before"));
        }
        let name = format!("{PACKAGE}/{interface}@{VERSION}");
        let component = &self.loaded.component;
        let index = component
            .get_export_index(None, name.as_str())
            .and_then(|interface| component.get_export_index(Some(&interface), function))
            .ok_or_else(|| broken(&step, &format!("it does not export `{name}.{function}`")))?;
        let typed = self
            .instance
            .get_typed_func::<P, R>(&mut self.store, &index)
            .map_err(|e| broken(&step, &format!("`{function}` has another type: {e:#}")))?;
        let cancel = self.store.data().cancel.clone();
        let grace = self.grace;
        let call = Metered::new(step.meter.clone(), typed.call_async(&mut self.store, params));
        let result = tokio::select! {
            biased;
            result = call => Some(result),
            () = async { cancel.cancelled().await; tokio::time::sleep(grace).await } => None,
        };
        self.store.data_mut().log_printed();
        match result {
            Some(Ok(value)) => Ok(value),
            Some(Err(error)) => {
                self.dead = true;
                Err(trapped(&step, &error))
            }
            None => {
                self.dead = true;
                Err(StepError::cancelled())
            }
        }
    }

    /// `describe`.
    pub(crate) async fn describe(&mut self) -> Result<Told, StepError> {
        let (told,): (DescriptionRecord,) = self.call("component", "describe", ()).await?;
        Ok(Told {
            name: told.name,
            version: told.version,
            summary: told.summary,
            config_schema: told.config_schema,
            output_schema: told.output_schema,
            wanted_grants: told
                .wanted_grants
                .into_iter()
                .map(|g| WantedGrant {
                    name: g.name,
                    targets: g.targets,
                    reason: g.reason,
                    optional: g.optional,
                })
                .collect(),
        })
    }

    /// `validate` of any kind.
    pub(crate) async fn validate(&mut self, interface: &str) -> Result<Vec<wit::Diagnostic>, StepError> {
        let configuration = self.configuration()?;
        let (found,): (Vec<wit::Diagnostic>,) = self.call(interface, "validate", (configuration,)).await?;
        Ok(found)
    }

    /// `builder.prepare`: the session and the values as JSON.
    pub(crate) async fn prepare(&mut self) -> Result<(Option<Session>, String), StepError> {
        let (context, configuration) = (self.context()?, self.configuration()?);
        let (prepared,): (Guest<PreparedRecord>,) =
            self.call("builder", "prepare", (context, configuration)).await?;
        let prepared = self.guest(prepared)?;
        let session = match prepared.session {
            Some(session) => Some(self.take(session)?),
            None => None,
        };
        Ok((session, prepared.values))
    }

    /// `builder.finish`.
    pub(crate) async fn finish(&mut self) -> Result<Option<ArtifactHandle>, StepError> {
        let (artifact,): (Guest<Option<Resource<ArtifactHandle>>>,) =
            self.call("builder", "finish", ()).await?;
        match self.guest(artifact)? {
            Some(artifact) => Ok(Some(self.take(artifact)?)),
            None => Ok(None),
        }
    }

    /// `builder.cleanup`.
    pub(crate) async fn cleanup(&mut self, outcome: Outcome) -> Result<(), StepError> {
        let (result,): (Guest<()>,) = self.call("builder", "cleanup", (outcome,)).await?;
        self.guest(result)
    }

    /// `provisioner.provision`.
    pub(crate) async fn provision(&mut self, session: Option<Session>) -> Result<(), StepError> {
        let (context, configuration) = (self.context()?, self.configuration()?);
        let session = match session {
            Some(session) => Some(self.give(session)?),
            None => None,
        };
        let (result,): (Guest<()>,) =
            self.call("provisioner", "provision", (context, configuration, session)).await?;
        self.guest(result)
    }

    /// `post-processor.process`.
    pub(crate) async fn process(&mut self, artifact: ArtifactHandle) -> Result<Processed, StepError> {
        let (context, configuration) = (self.context()?, self.configuration()?);
        let artifact = self.give(artifact)?;
        let (result,): (Guest<ProcessedRecord>,) =
            self.call("post-processor", "process", (context, configuration, artifact)).await?;
        let processed = self.guest(result)?;
        let artifact = match processed.artifact {
            Some(artifact) => Some(self.take(artifact)?),
            None => None,
        };
        Ok(Processed { artifact, keep_input: processed.keep_input, must_keep: processed.must_keep })
    }

    /// `data-source.read`: JSON.
    pub(crate) async fn read(&mut self) -> Result<String, StepError> {
        let (context, configuration) = (self.context()?, self.configuration()?);
        let (result,): (Guest<String>,) = self.call("data-source", "read", (context, configuration)).await?;
        self.guest(result)
    }

    /// `undoing.undo`.
    pub(crate) async fn undo(&mut self, entry: UndoEntry) -> Result<(), StepError> {
        let configuration = self.configuration()?;
        let (result,): (Guest<()>,) = self.call("undoing", "undo", (configuration, entry)).await?;
        self.guest(result)
    }

    fn configuration(&mut self) -> Result<Resource<ConfigurationHandle>, StepError> {
        self.give(ConfigurationHandle)
    }

    fn context(&mut self) -> Result<Resource<ContextHandle>, StepError> {
        self.give(ContextHandle)
    }

    fn give<T: Send + 'static>(&mut self, value: T) -> Result<Resource<T>, StepError> {
        let step = self.step();
        self.store.data_mut().table.push(value).map_err(|e| broken(&step, &e.to_string()))
    }

    fn take<T: Send + 'static>(&mut self, resource: Resource<T>) -> Result<T, StepError> {
        let step = self.step();
        self.store.data_mut().table.delete(resource).map_err(|e| broken(&step, &e.to_string()))
    }

    fn guest<T>(&self, result: Guest<T>) -> Result<T, StepError> {
        result.map_err(|error| from_guest(&self.store.data().step, error))
    }
}

/// An error that a guest gave, with the place in the template.
pub(crate) fn from_guest(step: &StepCtx, error: wit::Error) -> StepError {
    let pointer = error.pointer.filter(|pointer| pointer.len() < 4096);
    let span = step.configuration.as_ref().and_then(|c| c.span(pointer.as_deref()));
    StepError {
        message: step.shown(&error.message),
        pointer,
        span,
        code: code_of(error.code),
        retryable: error.retryable,
    }
}

/// The component broke: a trap, a limit, or a rule of the contract.
fn trapped(step: &StepCtx, error: &wasmtime::Error) -> StepError {
    let why = match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => "its calls are nested too deeply".to_owned(),
        Some(Trap::UnreachableCodeReached) => "it panicked or ran out of memory".to_owned(),
        Some(trap) => trap.to_string(),
        None => error.root_cause().to_string(),
    };
    tracing::debug!(component = %step.component, error = ?error, "a component broke");
    broken(step, &step.shown(&why))
}

fn broken(step: &StepCtx, why: &str) -> StepError {
    let mut error = StepError::new(wit::ErrorCode::Failed, format!("the {} broke: {why}", step.component));
    error.code = code::step::TRAPPED;
    error
}
