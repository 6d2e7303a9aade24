//! The list of what a guest can call, and the one gate that every call passes.
//!
//! [`IMPORTS`] names each function with its class. [`Call::enter`] is the gate: is the call's
//! authority there, is the step cancelled, is there room for another call? Then the work is done,
//! and [`Call::done`] (or the drop of the call) writes the trace record. Handles are authority of
//! their own: a guest has only those that it was given.
//!
//! `cargo xtask test contract` compares [`IMPORTS`] with `wit/`, and calls each function from a
//! guest that was designated and granted nothing.

pub(crate) mod artifacts;
pub(crate) mod config;
pub(crate) mod downloads;
pub(crate) mod exec;
pub(crate) mod files;
pub(crate) mod http;
pub(crate) mod hypervisor;
pub(crate) mod journal;
pub(crate) mod machines;
pub(crate) mod render;
pub(crate) mod secrets;
pub(crate) mod session_proxy;
pub(crate) mod sessions;
pub(crate) mod transfers;
pub(crate) mod types;
pub(crate) mod ui;

mod table;

pub use table::{Class, IMPORTS, Import, STANDARD};

use crate::bindings::kiln::host::types::ErrorCode;
use crate::error::{CallError, CallResult, fail};
use crate::state::{State, StepCtx};
use kiln_plan::grant::Request;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// What a component is to its step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// `describe` and `validate`: nothing can be reached.
    Pure,
    Builder,
    Provisioner,
    PostProcessor,
    DataSource,
}

impl Role {
    /// Every role in which something is done.
    pub(crate) const ACTIVE: &'static [Self] =
        &[Self::Builder, Self::Provisioner, Self::PostProcessor, Self::DataSource];
    pub(crate) const BUILDER: &'static [Self] = &[Self::Builder];
    pub(crate) const MAKERS: &'static [Self] = &[Self::Builder, Self::PostProcessor];
}

/// By what right a call is made.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Authority<'a> {
    /// Nobody needs any.
    Always,
    /// The step is one of these.
    Role(&'static [Role]),
    /// The template names what it acts on; the function itself resolves the pointer or holds the
    /// handle that came of it.
    Designation,
    /// The user approved it.
    Granted(Request<'a>),
}

impl Authority<'_> {
    fn class(self) -> Class {
        match self {
            Self::Always => Class::Always,
            Self::Role(_) => Class::Role,
            Self::Designation => Class::Designation,
            Self::Granted(_) => Class::Grant,
        }
    }
}

/// Who calls: all that the gate judges by.
pub(crate) struct Caller<'a> {
    pub(crate) step: &'a Arc<StepCtx>,
    pub(crate) role: Role,
    pub(crate) cancel: &'a CancellationToken,
    pub(crate) calls: &'a Counter,
    /// What ends everything that waits; none in a cleanup, which goes on in spite of it.
    pub(crate) trouble: Option<&'a Arc<Trouble>>,
}

/// Something that leaves no step of a build a chance, with words for whoever waits.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    words: OnceLock<String>,
    came: CancellationToken,
}

impl Trouble {
    /// It is there: every call that waits ends with these words, and every later one.
    pub(crate) fn comes(&self, words: String) {
        if self.words.set(words).is_ok() {
            self.came.cancel();
        }
    }

    async fn wait(&self) -> CallError {
        self.came.cancelled().await;
        fail(ErrorCode::Ended, self.words.get().map_or("", String::as_str))
    }
}

/// The calls that a store made, and how many it may make. Clones count together.
#[derive(Debug, Clone)]
pub(crate) struct Counter {
    made: Arc<AtomicU64>,
    most: u64,
}

impl Counter {
    pub(crate) fn new(most: u64) -> Self {
        Self { made: Arc::default(), most }
    }

    /// Counts a call. More than the bound is a guest gone wild: it ends.
    fn count(&self) -> wasmtime::Result<()> {
        if self.made.fetch_add(1, Ordering::Relaxed) < self.most {
            return Ok(());
        }
        Err(wasmtime::Error::msg(format!("the component made more than {} calls to the host", self.most)))
    }
}

/// What a finished call did, for the trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceRecord {
    /// In which build.
    pub build: String,
    /// Number of the step attempt.
    pub step: u64,
    /// `interface.function`.
    pub function: &'static str,
    /// By what right it was judged.
    pub class: Class,
    /// On what, as the user would name it; redacted.
    pub target: String,
    /// Class of the error, if it failed.
    pub error: Option<&'static str>,
    /// Bytes moved.
    pub bytes: u64,
    /// Digest of what was moved, if it was computed.
    pub digest: Option<String>,
    /// Microseconds it took.
    pub elapsed: u64,
}

/// A call that was let in. Writes its trace record when it is dropped.
pub(crate) struct Call {
    record: TraceRecord,
    began: Instant,
    sink: Option<crate::run::TraceSink>,
    pub(crate) cancel: CancellationToken,
    trouble: Option<Arc<Trouble>>,
}

impl Call {
    /// The gate. `function` is `interface.function` as in [`IMPORTS`].
    pub(crate) fn enter(
        state: &mut State,
        function: &'static str,
        authority: Authority<'_>,
    ) -> CallResult<Self> {
        Self::enter_as(&state.caller(), function, authority)
    }

    /// The gate for what a store calls beside its [`State`]: the standard interfaces.
    pub(crate) fn enter_as(
        caller: &Caller<'_>,
        function: &'static str,
        authority: Authority<'_>,
    ) -> CallResult<Self> {
        Self::judged(caller, function, authority, || match caller.cancel.is_cancelled() {
            true => Err(cancelled()),
            false => Ok(()),
        })
    }

    /// The gate for functions that cannot fail and need no authority.
    pub(crate) fn always(state: &mut State, function: &'static str) -> wasmtime::Result<Self> {
        let caller = state.caller();
        caller.calls.count()?;
        Ok(Self::open(&caller, function, Class::Always))
    }

    /// The gate for functions that cannot fail: what they need, they have by their handle, which
    /// only a role gives. Without the role the guest ends.
    pub(crate) fn by_role(
        state: &mut State,
        function: &'static str,
        roles: &'static [Role],
    ) -> wasmtime::Result<Self> {
        match Self::enter_uncancelled(state, function, Authority::Role(roles)) {
            Ok(call) => Ok(call),
            Err(CallError::Trap(error)) => Err(error),
            Err(CallError::Guest(error)) => Err(wasmtime::Error::msg(error.message)),
        }
    }

    /// The gate for what must work after a cancel as well: looking at results, closing things.
    pub(crate) fn enter_uncancelled(
        state: &mut State,
        function: &'static str,
        authority: Authority<'_>,
    ) -> CallResult<Self> {
        Self::judged(&state.caller(), function, authority, || Ok(()))
    }

    fn judged(
        caller: &Caller<'_>,
        function: &'static str,
        authority: Authority<'_>,
        cancelled: impl FnOnce() -> CallResult<()>,
    ) -> CallResult<Self> {
        caller.calls.count()?;
        let mut call = Self::open(caller, function, authority.class());
        match permitted(caller, function, authority).and_then(|()| cancelled()) {
            Ok(()) => Ok(call),
            Err(error) => {
                call.failed(&error);
                Err(error)
            }
        }
    }

    fn open(caller: &Caller<'_>, function: &'static str, class: Class) -> Self {
        Self {
            record: TraceRecord {
                build: caller.step.build.name().to_owned(),
                step: caller.step.id(),
                function,
                class,
                target: String::new(),
                error: None,
                bytes: 0,
                digest: None,
                elapsed: 0,
            },
            began: Instant::now(),
            sink: caller.step.build.trace_sink(),
            cancel: caller.cancel.clone(),
            trouble: caller.trouble.cloned(),
        }
    }

    /// On what the call acts.
    pub(crate) fn target(&mut self, target: impl Into<String>) {
        if self.sink.is_some() {
            self.record.target = target.into();
        }
    }

    /// How many bytes it moved.
    pub(crate) fn bytes(&mut self, bytes: u64) {
        self.record.bytes = bytes;
    }

    /// The digest of what it moved.
    pub(crate) fn digest(&mut self, digest: &str) {
        self.record.digest = Some(digest.to_owned());
    }

    /// Whether anybody reads the trace, so that a digest is worth its time.
    pub(crate) fn is_traced(&self) -> bool {
        self.sink.is_some()
    }

    /// The class of the error that ended it, where there is no result for [`Call::done`].
    pub(crate) fn ended_by(&mut self, code: ErrorCode) {
        self.record.error = Some(crate::error::code_of(code).short());
    }

    /// The end: writes down the error, if it is one.
    pub(crate) fn done<T>(mut self, result: CallResult<T>) -> CallResult<T> {
        if let Err(error) = &result {
            self.failed(error);
        }
        result
    }

    /// Waits for something, but not longer than the build lives.
    pub(crate) async fn wait<T>(&self, work: impl Future<Output = CallResult<T>>) -> CallResult<T> {
        let trouble = async {
            match &self.trouble {
                Some(trouble) => trouble.wait().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(cancelled()),
            error = trouble => Err(error),
            result = work => result,
        }
    }

    /// Runs work that blocks on disks or computes. When the build is cancelled the call returns at
    /// once; the work ends by itself, unheard.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> CallResult<T> + Send + 'static,
    ) -> CallResult<T> {
        let task = tokio::task::spawn_blocking(work);
        self.wait(async {
            task.await.unwrap_or_else(|_| Err(fail(ErrorCode::Failed, "the work was stopped before its end")))
        })
        .await
    }

    fn failed(&mut self, error: &CallError) {
        self.record.error = Some(match error {
            CallError::Guest(error) => crate::error::code_of(error.code).short(),
            CallError::Trap(_) => "trap",
        });
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(sink) = self.sink.take() {
            self.record.elapsed = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
            sink(&self.record);
        }
    }
}

/// The error of a call that waited when the build was cancelled.
pub(crate) fn cancelled() -> CallError {
    fail(ErrorCode::Cancelled, "the build was cancelled")
}

fn permitted(caller: &Caller<'_>, function: &'static str, authority: Authority<'_>) -> CallResult<()> {
    let others =
        || Err(fail(ErrorCode::Denied, format!("`{function}` is not for {}", role_words(caller.role))));
    match authority {
        Authority::Always => Ok(()),
        Authority::Role(roles) if roles.contains(&caller.role) => Ok(()),
        Authority::Designation if caller.role != Role::Pure => Ok(()),
        Authority::Granted(request) if caller.role != Role::Pure => permit(caller.step, &request),
        Authority::Role(_) | Authority::Designation | Authority::Granted(_) => others(),
    }
}

/// Whether the user approved it; what is asked for beside the authority of a call.
pub(crate) fn permit(step: &StepCtx, request: &Request<'_>) -> CallResult<()> {
    step.grants
        .permit(request)
        .map_err(|refusal| fail(ErrorCode::Denied, format!("{refusal} for the {}", step.component_words())))
}

fn role_words(role: Role) -> &'static str {
    match role {
        Role::Pure => "`describe` and `validate`, which reach nothing",
        Role::Builder => "builders",
        Role::Provisioner => "provisioners",
        Role::PostProcessor => "post-processors",
        Role::DataSource => "data sources",
    }
}
