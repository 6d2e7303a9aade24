//! Checks that all shell components share.

use crate::split;
use kiln_sdk::{Findings, Unchecked};

/// Exactly one kind of script, environment lines well written, `inline` not empty.
pub fn validate(options: &Unchecked, findings: &mut Findings) {
    validate_inline(options, findings);
    if !options.is_empty("/inline") {
        findings.one_of(options, &["inline", "script", "scripts"], true);
    }
    validate_environment(options, findings);
}

/// An `inline` that is written holds a command.
pub fn validate_inline(options: &Unchecked, findings: &mut Findings) {
    if options.is_empty("/inline") {
        findings.error("/inline", "`inline` holds no command", "write one, or leave the option out");
    }
}

fn validate_environment(options: &Unchecked, findings: &mut Findings) {
    for (pointer, line) in options.items("/environment_vars") {
        if line.as_str().is_some_and(|line| split(line).is_none()) {
            findings.error(&pointer, "an environment variable is written NAME=value", "");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(json: &str) -> Vec<String> {
        let mut findings = Findings::default();
        validate(&Unchecked::new(json), &mut findings);
        findings.lines()
    }

    #[test]
    fn one_kind_of_script() {
        assert_eq!(lines(r#"{"inline":["true"]}"#), [""; 0]);
        assert_eq!(lines(r#"{"script":{"$kiln":"unknown"}}"#), [""; 0]);
        assert_eq!(lines(r#"{"inline":[]}"#), ["/inline: `inline` holds no command"]);
        assert_eq!(
            lines(r#"{"inline":["a"],"script":"b"}"#),
            ["/script: only one of `inline` and `script` may be set"]
        );
        assert_eq!(lines("{}"), [": one of `inline`, `script`, `scripts` must be set"]);
        assert_eq!(
            lines(r#"{"script":"a","environment_vars":["A=1","B"]}"#),
            ["/environment_vars/1: an environment variable is written NAME=value"]
        );
    }
}
