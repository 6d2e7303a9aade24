//! Making errors. [`Error`] is the contract's own record, so that `?` carries a host's error on.

use crate::{Error, ErrorCode};

impl Error {
    /// An error of class `code`; `message` is a lowercase fragment without a final period.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), pointer: None, retryable: false }
    }

    /// The work was tried and failed.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Failed, message)
    }

    /// An argument or a configuration value is wrong.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Invalid, message)
    }

    /// Points at the option to blame, as a JSON pointer into the configuration; the user sees the
    /// template's line. A pointer that is there already stays: it is nearer to the cause.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        self.pointer.get_or_insert_with(|| pointer.into());
        self
    }

    /// Puts what was being done in front of the message: `uploading setup.sh: permission denied`.
    #[must_use]
    pub fn doing(mut self, what: &str) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// Whether the build was cancelled, so that the component must stop without more ado.
    pub fn is_cancelled(&self) -> bool {
        self.code == ErrorCode::Cancelled
    }

    /// Whether connecting again may help.
    pub fn is_disconnected(&self) -> bool {
        self.code == ErrorCode::Disconnected
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::invalid(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_pointer_stays() {
        let error = Error::failed("no").at("/scripts/1").at("/scripts").doing("uploading x");
        assert_eq!(error.pointer.as_deref(), Some("/scripts/1"));
        assert_eq!(error.message, "uploading x: no");
    }
}
