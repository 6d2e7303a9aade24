//! What can go wrong: loading a component ([`LoadError`]), running a step ([`StepError`]), and a
//! host call ([`CallError`]), which reaches the guest as the contract's `error` or ends it.

use crate::bindings::kiln::host::types as wit;
use kiln_plan::code::{self, Code};
use kiln_plan::{ComponentRef, Span};

/// A component cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LoadError {
    /// Nobody brought a component of this name.
    #[error("no {0} is known; `kiln init` installs what the template requires")]
    Unknown(ComponentRef),
    /// Its file cannot be read.
    #[error("cannot read the {component}: {problem}")]
    Read {
        /// Which one.
        component: ComponentRef,
        /// Why.
        problem: String,
    },
    /// It is larger than the bound.
    #[error("the {component} has {size} bytes; {limit} are allowed")]
    TooBig {
        /// Which one.
        component: ComponentRef,
        /// Its size.
        size: u64,
        /// The bound.
        limit: u64,
    },
    /// It is not a component, needs a feature that is off, or asks for what the host has not.
    #[error("the {component} cannot be loaded: {problem}")]
    Invalid {
        /// Which one.
        component: ComponentRef,
        /// Why.
        problem: String,
    },
    /// It did not say what it is.
    #[error("the {component} cannot describe itself: {problem}")]
    Describe {
        /// Which one.
        component: ComponentRef,
        /// Why.
        problem: String,
    },
    /// The engine or its folders are unusable.
    #[error("the sandbox cannot start: {0}")]
    Engine(String),
}

/// A step failed. The message is redacted and free of control characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct StepError {
    /// What failed and what to do, a lowercase fragment.
    pub message: String,
    /// JSON pointer into the configuration.
    pub pointer: Option<String>,
    /// Where that is written.
    pub span: Option<Span>,
    /// The class of the failure; one of [`code::step`].
    pub code: Code,
    /// Whether trying again may help.
    pub retryable: bool,
}

impl StepError {
    /// A failure that the host found by itself.
    pub(crate) fn new(code: wit::ErrorCode, message: impl Into<String>) -> Self {
        Self { message: message.into(), pointer: None, span: None, code: code_of(code), retryable: false }
    }

    /// The build was cancelled.
    pub(crate) fn cancelled() -> Self {
        Self::new(wit::ErrorCode::Cancelled, "the build was cancelled")
    }

    /// Whether the component broke instead of saying so.
    pub fn is_trap(&self) -> bool {
        self.code == code::step::TRAPPED
    }

    /// Whether the build was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.code == code::step::CANCELLED
    }
}

/// The code of a class of error of the contract.
pub(crate) fn code_of(code: wit::ErrorCode) -> Code {
    use wit::ErrorCode as Class;
    match code {
        Class::Denied => code::step::DENIED,
        Class::Invalid => code::step::INVALID,
        Class::NotFound => code::step::NOT_FOUND,
        Class::AlreadyExists => code::step::ALREADY_EXISTS,
        Class::TimedOut => code::step::TIMED_OUT,
        Class::Cancelled => code::step::CANCELLED,
        Class::Disconnected => code::step::DISCONNECTED,
        Class::Ended => code::step::ENDED,
        Class::Limit => code::step::LIMIT,
        Class::Unsupported => code::step::UNSUPPORTED,
        Class::Failed => code::step::FAILED,
    }
}

/// How a host call fails.
#[derive(Debug)]
pub(crate) enum CallError {
    /// The guest gets an error that it can handle.
    Guest(wit::Error),
    /// The guest ends: it broke a rule of the contract.
    Trap(wasmtime::Error),
}

/// What a host call gives.
pub(crate) type CallResult<T> = Result<T, CallError>;

/// An error for the guest.
pub(crate) fn fail(code: wit::ErrorCode, message: impl Into<String>) -> CallError {
    CallError::Guest(wit::Error { code, message: message.into(), pointer: None, retryable: false })
}

/// An error about the configuration's value at `pointer`.
pub(crate) fn fail_at(code: wit::ErrorCode, pointer: &str, message: impl Into<String>) -> CallError {
    CallError::Guest(wit::Error {
        code,
        message: message.into(),
        pointer: Some(pointer.to_owned()),
        retryable: false,
    })
}

impl CallError {
    /// With the place in the configuration that it is about.
    pub(crate) fn at(mut self, pointer: &str) -> Self {
        if let Self::Guest(error) = &mut self
            && error.pointer.is_none()
        {
            error.pointer = Some(pointer.to_owned());
        }
        self
    }

    /// The message for the user.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Guest(error) => error.message.clone(),
            Self::Trap(error) => format!("{error:#}"),
        }
    }
}

impl From<wasmtime::Error> for CallError {
    fn from(error: wasmtime::Error) -> Self {
        Self::Trap(error)
    }
}

impl From<wasmtime::component::ResourceTableError> for CallError {
    fn from(error: wasmtime::component::ResourceTableError) -> Self {
        Self::Trap(error.into())
    }
}

/// I/O errors by their kind; the path is the caller's to name.
impl From<std::io::Error> for CallError {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind as Kind;
        let code = match error.kind() {
            Kind::NotFound => wit::ErrorCode::NotFound,
            Kind::AlreadyExists => wit::ErrorCode::AlreadyExists,
            Kind::TimedOut => wit::ErrorCode::TimedOut,
            Kind::PermissionDenied => wit::ErrorCode::Denied,
            Kind::Unsupported => wit::ErrorCode::Unsupported,
            _ => wit::ErrorCode::Failed,
        };
        fail(code, error.to_string())
    }
}
