//! One build: what its steps share, and the calls of the executor. Main type: [`BuildScope`].
//!
//! ```text
//!  validate* ─▶ prepare ─▶ Builder ─▶ provision* ─▶ finish ─▶ post_process* ─▶ cleanup ─▶ close
//!                                        each step: one store          undo, last first; scratch goes
//! ```
//!
//! Invariant: whatever the host makes for a build is registered here before it is made, and undone
//! by [`BuildScope::close`], last first, unless it belongs to the artifact.

mod scope;
mod step;
pub(crate) mod undo;

pub use scope::{BuildScope, Builder, Prepared, SessionHandle};

use crate::capability::Trouble;
use crate::host::HostOptions;
use crate::journal::{Entry, Journal};
use crate::output::Made;
use crate::run::RunInner;
use crate::secrets::{Vault, random_hex};
use kiln_plan::go_template::PackerFunctions;
use kiln_plan::{EventBody, StepInfo, Value};
use std::any::{Any, TypeId};
use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// Undoes one thing; says what is left if it cannot.
pub(crate) type UndoFuture = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// Something the host made for a build.
struct Undo {
    what: String,
    entry: Option<u64>,
    how: Box<dyn FnOnce() -> UndoFuture + Send>,
    /// Lets it outlive kiln, and says how to reach it.
    leave: Option<Box<dyn FnOnce() -> String + Send>>,
}

/// What the steps of a build share.
pub(crate) struct BuildInner {
    pub(crate) run: Arc<RunInner>,
    pub(crate) vault: Vault,
    pub(crate) made: Arc<Made>,
    pub(crate) journal: Arc<Journal>,
    pub(crate) cancel: CancellationToken,
    pub(crate) trouble: Arc<Trouble>,
    name: Arc<str>,
    pub(crate) source_name: String,
    pub(crate) builder_type: String,
    values: Mutex<BTreeMap<String, Value>>,
    scratch: Mutex<Option<PathBuf>>,
    undo: Mutex<Vec<Undo>>,
    kept: AtomicBool,
    extensions: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

impl std::fmt::Debug for BuildInner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BuildInner({})", self.name)
    }
}

impl BuildInner {
    pub(crate) fn new(run: Arc<RunInner>, name: &str, source_name: &str, builder_type: &str) -> Self {
        let journal = Journal::new(run.journal.clone(), name);
        Self::with_journal(run, name, source_name, builder_type, journal)
    }

    /// For work outside of builds.
    pub(crate) fn nowhere(run: Arc<RunInner>) -> Self {
        Self::with_journal(run, "", "", "", Journal::nowhere())
    }

    fn with_journal(
        run: Arc<RunInner>,
        name: &str,
        source_name: &str,
        builder_type: &str,
        journal: Journal,
    ) -> Self {
        let vault = Vault::new(run.options.redactor.clone());
        for secret in &run.options.sensitive {
            vault.seal(secret);
        }
        Self {
            vault,
            made: Arc::default(),
            journal: Arc::new(journal),
            cancel: run.options.cancel.child_token(),
            trouble: Arc::default(),
            name: name.into(),
            source_name: source_name.to_owned(),
            builder_type: builder_type.to_owned(),
            values: Mutex::default(),
            scratch: Mutex::default(),
            undo: Mutex::default(),
            kept: AtomicBool::new(false),
            extensions: Mutex::default(),
            run,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn options(&self) -> &HostOptions {
        &self.run.host.options
    }

    pub(crate) fn force(&self) -> bool {
        self.run.options.force
    }

    pub(crate) fn run_id(&self) -> Arc<str> {
        self.run.id.clone()
    }

    pub(crate) fn trace_sink(&self) -> Option<crate::run::TraceSink> {
        self.run.options.trace.clone()
    }

    pub(crate) fn emit(&self, step: Option<Arc<StepInfo>>, body: EventBody) {
        let build = (!self.name.is_empty()).then(|| self.name.clone());
        self.run.emit(build, step, body);
    }

    /// What the builder made known, secrets in clear with their marks.
    pub(crate) fn values(&self) -> BTreeMap<String, Value> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_values(&self, values: BTreeMap<String, Value>) {
        *self.values.lock().unwrap_or_else(PoisonError::into_inner) = values;
    }

    /// The functions of templates, with what they know of this build.
    pub(crate) fn functions(&self) -> PackerFunctions {
        let options = &self.run.options;
        let known = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        PackerFunctions {
            build_name: known(&self.source_name),
            build_type: known(&self.builder_type),
            template_dir: options.template_dir.to_string_lossy().into_owned(),
            working_directory: self.options().working_dir.to_string_lossy().into_owned(),
            version: options.version.clone(),
            uuid: self.run.id.to_string(),
            started: self.run.started,
            build: self.values().iter().map(|(name, value)| (name.clone(), value.to_json())).collect(),
        }
    }

    /// The build's private folder; made when it is first asked for.
    pub(crate) fn scratch(&self) -> io::Result<PathBuf> {
        let mut scratch = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(path) = &*scratch {
            return Ok(path.clone());
        }
        let path = self.options().temp_dir.join(format!("kiln-{}", random_hex(8)));
        self.journal.record(Entry::Directory { path: path.clone() })?;
        crate::sealed_cache::private_folder(&path)?;
        *scratch = Some(path.clone());
        Ok(path)
    }

    pub(crate) fn scratch_if_made(&self) -> Option<PathBuf> {
        self.scratch.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Registers something that must be undone. With an `entry` it is in the journal before this
    /// returns, so that it is undone after a `kill -9` too. Call this *before* the thing is made
    /// where its identity is known, and right after it where it is not.
    pub(crate) fn undo<F>(
        &self,
        what: impl Into<String>,
        entry: Option<Entry>,
        how: impl FnOnce() -> F + Send + 'static,
    ) -> io::Result<()>
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        let entry = entry.map(|entry| self.journal.record(entry)).transpose()?;
        let how = Box::new(move || Box::pin(how()) as UndoFuture);
        let undo = Undo { what: what.into(), entry, how, leave: None };
        self.undo.lock().unwrap_or_else(PoisonError::into_inner).push(undo);
        Ok(())
    }

    /// What was registered last can be left running when the user wants everything left: `leave`
    /// lets it outlive kiln and says how to reach it.
    pub(crate) fn leave_with(&self, leave: impl FnOnce() -> String + Send + 'static) {
        if let Some(undo) = self.undo.lock().unwrap_or_else(PoisonError::into_inner).last_mut() {
            undo.leave = Some(Box::new(leave));
        }
    }

    /// One value of a type for the whole build, made when it is first asked for: a key pair, a
    /// server, the build's machines.
    pub(crate) fn extension<T: Send + Sync + 'static>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        let mut extensions = self.extensions.lock().unwrap_or_else(PoisonError::into_inner);
        let any = extensions.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(make())).clone();
        drop(extensions);
        // The key is the type's own id, so this is always a T.
        any.downcast::<T>().unwrap_or_else(|_| std::process::abort())
    }

    /// From now on the builder's outputs stay, whatever happens to later steps.
    pub(crate) fn keep_outputs(&self) {
        self.kept.store(true, Ordering::Relaxed);
        if let Err(error) = self.journal.keep_files() {
            tracing::warn!(%error, "the journal still has the files of a finished builder");
        }
    }

    pub(crate) fn outputs_are_kept(&self) -> bool {
        self.kept.load(Ordering::Relaxed)
    }
}
