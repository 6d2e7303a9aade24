//! Findings about something a user wrote. Text only: `kiln-cli` draws the line and the caret.

use crate::code::Code;
use crate::source::Span;

/// How much a diagnostic matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The build goes on.
    Warning,
    /// Nothing is built.
    Error,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How much it matters.
    pub severity: Severity,
    /// What kind of finding; it has a page.
    pub code: Code,
    /// What is wrong, one lowercase line without a period.
    pub summary: String,
    /// More about it; may be empty.
    pub detail: String,
    /// Where.
    pub span: Option<Span>,
    /// The block it is in, as Packer says it: `source "qemu" "x"`.
    pub context: Option<String>,
    /// What to do: a "did you mean", the missing line, a command.
    pub help: Option<String>,
    /// Values of the references in the expression, `name`, `value as shown`.
    pub values: Vec<(String, String)>,
}

/// Several findings, in the order in which they were found.
pub type Diagnostics = Vec<Diagnostic>;

impl Diagnostic {
    /// An error.
    pub fn error(code: Code, summary: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            summary: summary.into(),
            detail: String::new(),
            span: None,
            context: None,
            help: None,
            values: Vec::new(),
        }
    }

    /// A warning.
    pub fn warning(code: Code, summary: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, summary) }
    }

    /// With a place.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    /// With more text.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// With what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// With the block it is in.
    #[must_use]
    pub fn within(mut self, context: impl Into<String>) -> Self {
        self.context = Some(context.into());
        self
    }

    /// Whether it stops the build.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
