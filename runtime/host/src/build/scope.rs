//! The calls of the executor on one build.

use super::step::{configure, first_error, interface_of, role_of, start};
use super::{BuildInner, Undo, undo};
use crate::artifact::ArtifactHandle;
use crate::bindings::kiln::host::types::{self as wit, ErrorCode};
use crate::capability::Role;
use crate::capability::sessions::Session;
use crate::configuration::StepConfiguration;
use crate::error::StepError;
use crate::instance::{Instance, Outcome, Processed};
use crate::output;
use kiln_plan::code;
use kiln_plan::{
    ArtifactSummary, Configuration, Data, Diagnostic, Diagnostics, EventBody, Marks, Origin, Severity, Step,
    StepInfo, Value,
};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use tokio_util::sync::CancellationToken;

/// The longest JSON of values that a component may give.
const MAX_VALUES: usize = 1 << 20;

/// A connection to the build's machine, to be given to provisioners.
#[derive(Debug, Clone)]
pub struct SessionHandle(pub(crate) Session);

/// What a builder gave after `prepare`.
#[derive(Debug)]
pub struct Prepared {
    /// The session, if there is a communicator.
    pub session: Option<SessionHandle>,
    /// `build.*`, secrets marked.
    pub values: BTreeMap<String, Value>,
}

/// A builder that has prepared its machine. Its instance lives until [`Builder::cleanup`].
pub struct Builder {
    scope: BuildScope,
    instance: Instance,
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Builder({})", self.scope.inner.name())
    }
}

/// One build. Cheap to clone.
#[derive(Debug, Clone)]
pub struct BuildScope {
    inner: Arc<BuildInner>,
}

impl BuildScope {
    pub(crate) fn new(inner: BuildInner) -> Self {
        Self { inner: Arc::new(inner) }
    }

    pub(super) fn inner(&self) -> &Arc<BuildInner> {
        &self.inner
    }

    /// Ends everything that waits in this build.
    pub fn cancel_token(&self) -> &CancellationToken {
        &self.inner.cancel
    }

    /// Finds what is wrong with a step: first the host (types, templates, what the options name),
    /// then the component itself, in a store that reaches nothing.
    pub async fn validate(&self, step: &Step, configuration: &Configuration) -> Diagnostics {
        let build = &self.inner;
        let ready = match configure(build, step, configuration) {
            Ok(ready) => ready,
            Err(found) => return found,
        };
        let mut found =
            crate::designation::check(build, &ready, step.component.kind == kiln_plan::Kind::Builder);
        let checked = async {
            let mut instance =
                start(build, &step.component, ready.clone(), Role::Pure, None, build.cancel.child_token())
                    .await?;
            instance.validate(interface_of(step.component.kind)).await
        };
        match checked.await {
            Ok(told) => found.extend(told.into_iter().take(1000).map(|one| self.finding(&ready, one))),
            Err(error) => found.push(ready.diagnostic(code::host::COMPONENT, "", error.message)),
        }
        found
    }

    /// Makes the machine: `builder.prepare`.
    ///
    /// # Errors
    /// The component's error, or the host's about its options. After an error the caller still
    /// closes the scope.
    pub async fn prepare(
        &self,
        step: &Step,
        configuration: &Configuration,
        info: Arc<StepInfo>,
        cancel: CancellationToken,
    ) -> (Option<Builder>, Result<Prepared, StepError>) {
        let mut instance = match self.begin(step, configuration, info, cancel).await {
            Ok(instance) => instance,
            Err(error) => return (None, Err(error)),
        };
        let result = instance.prepare().await;
        let result = result.and_then(|(session, values)| {
            let values = self.read_values(&values)?;
            self.inner.set_values(values.clone());
            Ok(Prepared { session: session.map(SessionHandle), values })
        });
        (Some(Builder { scope: self.clone(), instance }), result)
    }

    /// Runs a provisioner once: a new instance each time.
    ///
    /// # Errors
    /// The component's error, or the host's about its options.
    pub async fn provision(
        &self,
        step: &Step,
        configuration: &Configuration,
        session: Option<&SessionHandle>,
        info: Arc<StepInfo>,
        cancel: CancellationToken,
    ) -> Result<(), StepError> {
        let mut instance = self.begin(step, configuration, info, cancel).await?;
        instance.provision(session.map(|session| session.0.clone())).await
    }

    /// Runs a post-processor on an artifact.
    ///
    /// # Errors
    /// The component's error, or the host's about its options.
    pub async fn post_process(
        &self,
        step: &Step,
        configuration: &Configuration,
        artifact: &ArtifactHandle,
        info: Arc<StepInfo>,
        cancel: CancellationToken,
    ) -> Result<Processed, StepError> {
        let mut instance = self.begin(step, configuration, info, cancel).await?;
        instance.process(artifact.clone()).await
    }

    /// The values of a data source.
    pub(crate) async fn read_data(
        &self,
        step: &Step,
        configuration: &Configuration,
    ) -> Result<Value, StepError> {
        let info = Arc::new(StepInfo {
            id: self.inner.run.next_id(),
            component: step.component.clone(),
            label: step.label.clone(),
            attempt: 1,
        });
        let mut instance = self.begin(step, configuration, info, self.inner.cancel.clone()).await?;
        let values = instance.read().await?;
        Ok(Data::Map(self.read_values(&values)?).into())
    }

    /// An artifact without its content.
    pub fn artifact_summary(&self, artifact: &ArtifactHandle) -> ArtifactSummary {
        artifact.summary()
    }

    /// Removes an artifact's files that this build made; gives a line for each that is left.
    pub async fn destroy_artifact(&self, artifact: &ArtifactHandle) -> Vec<String> {
        let (artifact, made) = (artifact.clone(), self.inner.made.clone());
        tokio::task::spawn_blocking(move || artifact.destroy(&made)).await.unwrap_or_default()
    }

    /// The end of the build: undoes what the host made, last first. After [`Outcome::Aborted`]
    /// nothing is undone and the journal stays open. Gives a line for each thing that is left.
    pub async fn close(&self, outcome: Outcome) -> Vec<String> {
        let undos: Vec<Undo> =
            std::mem::take(&mut *self.inner.undo.lock().unwrap_or_else(PoisonError::into_inner));
        let mut left = Vec::new();
        if outcome == Outcome::Aborted {
            let outside = self.inner.journal.outside().into_iter().rev();
            left.extend(outside.map(|(_, outside)| outside.summary));
            left.extend(undos.into_iter().rev().map(|undo| match undo.leave {
                Some(leave) => leave(),
                None => undo.what,
            }));
            left.extend(self.inner.scratch_if_made().map(|path| format!("the directory {}", path.display())));
            return left;
        }
        left.extend(undo::undo_outside(&self.inner).await);
        for Undo { what, entry, how, .. } in undos.into_iter().rev() {
            match tokio::time::timeout(self.inner.options().limits.cleanup, how()).await {
                Ok(Ok(())) => {
                    if let Some(number) = entry {
                        let _ = self.inner.journal.done(number);
                    }
                }
                Ok(Err(problem)) => left.push(format!("{what}: {problem}")),
                Err(_) => left.push(format!("{what}: it took too long")),
            }
        }
        let inner = self.inner.clone();
        let files =
            tokio::task::spawn_blocking(move || close_files(&inner, outcome)).await.unwrap_or_default();
        left.extend(files);
        if left.is_empty() {
            self.inner.journal.close();
        }
        left
    }

    async fn begin(
        &self,
        step: &Step,
        configuration: &Configuration,
        info: Arc<StepInfo>,
        cancel: CancellationToken,
    ) -> Result<Instance, StepError> {
        let ready = configure(&self.inner, step, configuration).map_err(first_error)?;
        start(&self.inner, &step.component, ready, role_of(step.component.kind), Some(info), cancel).await
    }

    /// Values that a component made: a JSON object whose secrets are sealed.
    fn read_values(&self, json: &str) -> Result<BTreeMap<String, Value>, StepError> {
        let wrong = |why: &str| StepError::new(ErrorCode::Invalid, format!("the component's values {why}"));
        if json.len() > MAX_VALUES {
            return Err(wrong("have more than 1 MiB"));
        }
        let parsed: serde_json::Value = match json.trim() {
            "" => return Ok(BTreeMap::new()),
            json => serde_json::from_str(json).map_err(|e| wrong(&format!("are not JSON: {e}")))?,
        };
        let marks = Marks { sensitive: false, origin: Origin::Component };
        let mut value = Value::from_json(&parsed, marks);
        self.unseal(&mut value);
        match value.data {
            Data::Map(map) => Ok(map),
            _ => Err(wrong("are not a JSON object")),
        }
    }

    /// Sealed text becomes the value, marked.
    fn unseal(&self, value: &mut Value) {
        match &mut value.data {
            Data::Text(text) if self.inner.vault.has_sealed(text) => {
                *text = self.inner.vault.unseal(text);
                value.marks.sensitive = true;
            }
            Data::List(items) => items.iter_mut().for_each(|item| self.unseal(item)),
            Data::Map(map) => map.values_mut().for_each(|item| self.unseal(item)),
            _ => {}
        }
    }

    fn finding(&self, configuration: &StepConfiguration, one: wit::Diagnostic) -> Diagnostic {
        let clean = |text: &str| {
            let text = self.inner.vault.redactor().redact(text).into_owned();
            crate::show::clean(&text, self.inner.options().limits.line)
        };
        let pointer = one.pointer.unwrap_or_default();
        let mut found = configuration.diagnostic(code::component::VALIDATE, &pointer, clean(&one.message));
        if one.severity == wit::Severity::Warning {
            found.severity = Severity::Warning;
        }
        if let Some(help) = one.help {
            found = found.help(clean(&help));
        }
        found
    }
}

impl Builder {
    /// Makes the artifact: `builder.finish`. From then on its files stay.
    ///
    /// # Errors
    /// The component's.
    pub async fn finish(&mut self) -> Result<Option<ArtifactHandle>, StepError> {
        let artifact = self.instance.finish().await?;
        let build = &self.scope.inner;
        build.keep_outputs();
        for path in build.made.by_builders() {
            output::remove_marker(&path);
        }
        Ok(artifact)
    }

    /// The last call on the instance, with a token of its own and a bound in time. An instance that
    /// broke is not entered: the host cleans up by itself.
    ///
    /// # Errors
    /// The component's.
    pub async fn cleanup(mut self, outcome: Outcome) -> Result<(), StepError> {
        if self.instance.is_dead() {
            return Ok(());
        }
        let fresh = CancellationToken::new();
        self.instance.obey(fresh.clone());
        let limit = self.scope.inner.options().limits.cleanup;
        let watch = tokio::spawn(async move {
            tokio::time::sleep(limit).await;
            fresh.cancel();
        });
        let result = self.instance.cleanup(outcome).await;
        watch.abort();
        if let Err(error) = &result {
            let text = format!("the cleanup of the builder failed: {error}");
            self.instance.step().emit(EventBody::Warning { text });
        }
        result
    }
}

/// Scratch always goes; the builder's outputs go unless they are an artifact.
fn close_files(build: &BuildInner, outcome: Outcome) -> Vec<String> {
    let mut left = Vec::new();
    let made = build.made.by_builders();
    let keep = outcome == Outcome::Success || build.outputs_are_kept();
    for path in made {
        if keep {
            output::remove_marker(&path);
            continue;
        }
        // A directory is the build's own only with its marker; one that was made on the way to an
        // output may hold other builds' outputs by now.
        if path.is_dir() && output::marker_of(&path).as_deref() != Some(&*build.run_id()) {
            output::remove_if_empty(&path);
            continue;
        }
        match output::remove_any(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => left.push(format!("cannot remove {}: {error}", path.display())),
        }
    }
    if let Some(scratch) = build.scratch_if_made()
        && let Err(error) = output::remove_any(&scratch)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        left.push(format!("cannot remove {}: {error}", scratch.display()));
    }
    left
}
