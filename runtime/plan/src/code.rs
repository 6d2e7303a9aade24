//! Every error code, each with its page: what it means, a template that gives it, what to do.
//!
//! A code that is not in this table does not compile, and neither does one without a page. The
//! pages are `code/AREA/NAME.md`; `kiln explain` prints them, `cargo xtask docs` puts them into the
//! reference, and the tests of `kiln-template` run the examples in them.

use std::fmt;

/// The stable name of a kind of error, and its page.
#[derive(Clone, Copy)]
pub struct Code {
    name: &'static str,
    page: &'static str,
}

impl Code {
    /// `template::unknown-variable`.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// What is behind the area: `unknown-variable`.
    pub fn short(self) -> &'static str {
        self.name.rsplit("::").next().unwrap_or(self.name)
    }

    /// Its explanation in markdown, without a title. The first line says it in a sentence.
    pub const fn page(self) -> &'static str {
        self.page
    }

    /// The sentence that says what it means.
    pub fn summary(self) -> &'static str {
        self.page.lines().next().unwrap_or("")
    }

    /// The code of this name.
    pub fn find(name: &str) -> Option<Self> {
        all().find(|code| code.name == name)
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Code {}

impl std::hash::Hash for Code {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// All codes, area by area.
pub fn all() -> impl Iterator<Item = Code> {
    [template::ALL, component::ALL, host::ALL, step::ALL, engine::ALL].into_iter().flatten().copied()
}

/// The codes of an area as constants.
macro_rules! area {
    ($(#[$doc:meta])* $area:ident: $($constant:ident = $name:literal,)*) => {
        $(#[$doc])*
        pub mod $area {
            use super::Code;
            $(
                #[doc = concat!("`", stringify!($area), "::", $name, "`, with its page.")]
                pub const $constant: Code = Code {
                    name: concat!(stringify!($area), "::", $name),
                    page: include_str!(concat!("code/", stringify!($area), "/", $name, ".md")),
                };
            )*
            /// All of the area.
            pub(super) const ALL: &[Code] = &[$($constant),*];
        }
    };
}

area! {
    /// Findings about what a template says, made before anything runs.
    template:
    ARITHMETIC = "arithmetic",
    BAD_DURATION = "bad-duration",
    BAD_DYNAMIC = "bad-dynamic",
    BAD_FILTER = "bad-filter",
    BAD_GO_TEMPLATE = "bad-go-template",
    BAD_PLUGIN = "bad-plugin",
    BAD_TYPE = "bad-type",
    BAD_VALIDATION = "bad-validation",
    BAD_VARIABLE_FILE = "bad-variable-file",
    BAD_VERSION = "bad-version",
    CANNOT_FIX = "cannot-fix",
    CYCLE = "cycle",
    DEPRECATED_OPTION = "deprecated-option",
    DUPLICATE = "duplicate",
    DUPLICATE_KEY = "duplicate-key",
    FUNCTION = "function",
    FUNCTION_NOT_HERE = "function-not-here",
    INCOMPATIBLE_PLUGIN = "incompatible-plugin",
    INCONSISTENT_TYPES = "inconsistent-types",
    INDEX_OUT_OF_RANGE = "index-out-of-range",
    INVALID_VALUE = "invalid-value",
    MISSING_COMMA = "missing-comma",
    MISSING_EQUALS = "missing-equals",
    MISSING_ATTRIBUTE = "missing-attribute",
    MISSING_OPTION = "missing-option",
    NO_BUILD = "no-build",
    NO_BUILDS_TO_RUN = "no-builds-to-run",
    NO_SOURCE = "no-source",
    NOT_A_CHOICE = "not-a-choice",
    NOT_AVAILABLE_HERE = "not-available-here",
    NULL_VALUE = "null-value",
    ONLY_AND_EXCEPT = "only-and-except",
    SYNTAX = "syntax",
    TOO_DEEP = "too-deep",
    TOO_MUCH_WORK = "too-much-work",
    UNCLOSED = "unclosed",
    UNDECLARED_VARIABLE = "undeclared-variable",
    UNEXPECTED_ATTRIBUTE = "unexpected-attribute",
    UNKNOWN_ATTRIBUTE = "unknown-attribute",
    UNKNOWN_BLOCK = "unknown-block",
    UNKNOWN_BUILD_VALUE = "unknown-build-value",
    UNKNOWN_COMPONENT = "unknown-component",
    UNKNOWN_DATA = "unknown-data",
    UNKNOWN_FUNCTION = "unknown-function",
    UNKNOWN_KEY = "unknown-key",
    UNKNOWN_LOCAL = "unknown-local",
    UNKNOWN_NAME = "unknown-name",
    UNKNOWN_OPTION = "unknown-option",
    UNKNOWN_SOURCE = "unknown-source",
    UNKNOWN_VARIABLE = "unknown-variable",
    UNREADABLE = "unreadable",
    UNSET_VARIABLE = "unset-variable",
    UNSUPPORTED_SYNTAX = "unsupported-syntax",
    UNSUPPORTED_VERSION = "unsupported-version",
    UNUSED_FILTER = "unused-filter",
    WRONG_LABELS = "wrong-labels",
    WRONG_QUOTES = "wrong-quotes",
    WRONG_TYPE = "wrong-type",
}

area! {
    /// Findings about components: whether they may be used, and what they say of their options.
    component:
    ABSENT = "absent",
    DATA = "data",
    NOT_APPROVED = "not-approved",
    UNUSABLE = "unusable",
    VALIDATE = "validate",
}

area! {
    /// Findings of the sandbox about the options of a step.
    host:
    COMPONENT = "component",
    DESIGNATION = "designation",
    OPTION = "option",
    OUTPUT_EXISTS = "output-exists",
    TEMPLATE = "template",
}

area! {
    /// How a step failed while it ran.
    step:
    ALREADY_EXISTS = "already-exists",
    CANCELLED = "cancelled",
    DENIED = "denied",
    DISCONNECTED = "disconnected",
    ENDED = "ended",
    FAILED = "failed",
    INVALID = "invalid",
    LIMIT = "limit",
    NOT_FOUND = "not-found",
    TIMED_OUT = "timed-out",
    TRAPPED = "trapped",
    UNSUPPORTED = "unsupported",
}

area! {
    /// Failures of a run that belong to no single step.
    engine:
    BROKEN = "broken",
    BUILD = "build",
}
