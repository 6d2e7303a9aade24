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

pub use table::{Class, IMPORTS, Import};

use crate::bindings::kiln::host::types::ErrorCode;
use crate::error::{CallError, CallResult, fail};
use crate::state::State;
use kiln_plan::grant::Request;
use std::future::Future;
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
}

impl Call {
    /// The gate. `function` is `interface.function` as in [`IMPORTS`].
    pub(crate) fn enter(
        state: &mut State,
        function: &'static str,
        authority: Authority<'_>,
    ) -> CallResult<Self> {
        let mut call = Self::open(state, function, authority.class());
        let refused = judge(state, function, authority);
        if let Err(error) = refused {
            call.failed(&error);
            return Err(error);
        }
        Ok(call)
    }

    /// The gate for functions that cannot fail and need no authority.
    pub(crate) fn always(state: &mut State, function: &'static str) -> wasmtime::Result<Self> {
        count(state)?;
        Ok(Self::open(state, function, Class::Always))
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
        count(state)?;
        let mut call = Self::open(state, function, authority.class());
        let refused = permitted(state, function, authority);
        if let Err(error) = refused {
            call.failed(&error);
            return Err(error);
        }
        Ok(call)
    }

    fn open(state: &State, function: &'static str, class: Class) -> Self {
        Self {
            record: TraceRecord {
                build: state.step.build.name().to_owned(),
                step: state.step.id(),
                function,
                class,
                target: String::new(),
                error: None,
                bytes: 0,
                digest: None,
                elapsed: 0,
            },
            began: Instant::now(),
            sink: state.step.build.trace_sink(),
            cancel: state.cancel.clone(),
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

    /// The end: writes down the error, if it is one.
    pub(crate) fn done<T>(mut self, result: CallResult<T>) -> CallResult<T> {
        if let Err(error) = &result {
            self.failed(error);
        }
        result
    }

    /// Waits for something, but not longer than the build lives.
    pub(crate) async fn wait<T>(&self, work: impl Future<Output = CallResult<T>>) -> CallResult<T> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(cancelled()),
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

fn judge(state: &mut State, function: &'static str, authority: Authority<'_>) -> CallResult<()> {
    count(state)?;
    permitted(state, function, authority)?;
    if state.cancel.is_cancelled() { Err(cancelled()) } else { Ok(()) }
}

fn permitted(state: &State, function: &'static str, authority: Authority<'_>) -> CallResult<()> {
    match authority {
        Authority::Always => Ok(()),
        Authority::Role(roles) if roles.contains(&state.role) => Ok(()),
        Authority::Role(_) => {
            Err(fail(ErrorCode::Denied, format!("`{function}` is not for {}", role_words(state.role))))
        }
        Authority::Designation if state.role != Role::Pure => Ok(()),
        Authority::Designation => {
            Err(fail(ErrorCode::Denied, format!("`{function}` is not for {}", role_words(state.role))))
        }
        Authority::Granted(_) if state.role == Role::Pure => {
            Err(fail(ErrorCode::Denied, format!("`{function}` is not for {}", role_words(state.role))))
        }
        Authority::Granted(request) => state.step.grants.permit(&request).map_err(|refusal| {
            fail(ErrorCode::Denied, format!("{refusal} for the {}", state.step.component_words()))
        }),
    }
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

/// Counts a call. More than the bound is a guest gone wild: it ends.
fn count(state: &mut State) -> wasmtime::Result<()> {
    state.calls += 1;
    if state.calls > state.max_calls {
        return Err(wasmtime::Error::msg(format!(
            "the component made more than {} calls to the host",
            state.max_calls
        )));
    }
    Ok(())
}
