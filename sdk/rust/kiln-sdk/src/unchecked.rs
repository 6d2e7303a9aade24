//! Options as they are while a template is validated: some values are not known yet.

use crate::{Diagnostic, Severity, duration};
use serde_json::Value;

/// Options in `validate`. A value may be unknown (`{"$kiln":"unknown"}`): it counts as written, and
/// has no content.
#[derive(Debug)]
pub struct Unchecked(Value);

impl Unchecked {
    /// Over the JSON of a configuration; what is not JSON is empty.
    pub fn new(json: &str) -> Self {
        Self(serde_json::from_str(json).unwrap_or_default())
    }

    /// The value at `pointer`, known or not, unless it is null or absent.
    fn at(&self, pointer: &str) -> Option<&Value> {
        self.0.pointer(pointer).filter(|value| !value.is_null())
    }

    /// The value at `pointer` if it is known.
    pub fn known(&self, pointer: &str) -> Option<&Value> {
        self.at(pointer).filter(|value| !is_unknown(value))
    }

    /// Whether the option is written and not empty (`""`, `[]`, `{}`); unknown values are.
    pub fn is_set(&self, pointer: &str) -> bool {
        self.at(pointer).is_some_and(|value| match value {
            Value::String(text) => !text.is_empty(),
            Value::Array(items) => !items.is_empty(),
            Value::Object(map) => !map.is_empty(),
            _ => true,
        })
    }

    /// Whether the option is a list or map that is written and empty.
    pub fn is_empty(&self, pointer: &str) -> bool {
        self.at(pointer).is_some() && !self.is_set(pointer)
    }

    /// Whether it is known to be true.
    pub fn is_true(&self, pointer: &str) -> bool {
        self.known(pointer).and_then(Value::as_bool) == Some(true)
    }

    /// Whether it may be true: it is true, or not known.
    pub fn may_be_true(&self, pointer: &str) -> bool {
        self.at(pointer).is_some_and(|value| is_unknown(value) || value == &Value::Bool(true))
    }

    /// Known text; secrets are sealed. Text with a Go template in it is what the user wrote.
    pub fn text(&self, pointer: &str) -> Option<&str> {
        self.known(pointer)?.as_str()
    }

    /// A known number.
    pub fn number(&self, pointer: &str) -> Option<f64> {
        self.known(pointer)?.as_f64()
    }

    /// Known items with their pointers; unknown ones are left out.
    pub fn items(&self, pointer: &str) -> Vec<(String, &Value)> {
        let items = self.known(pointer).and_then(Value::as_array);
        items
            .into_iter()
            .flatten()
            .enumerate()
            .filter(|(_, value)| !is_unknown(value))
            .map(|(index, value)| (format!("{pointer}/{index}"), value))
            .collect()
    }
}

fn is_unknown(value: &Value) -> bool {
    value.get("$kiln").is_some_and(|mark| mark == "unknown")
}

/// What `validate` found.
#[derive(Debug, Default)]
pub struct Findings(Vec<Diagnostic>);

impl Findings {
    /// The configuration cannot be used because of the value at `pointer` (empty for the whole
    /// block). `help` says what to do; it may be empty.
    pub fn error(&mut self, pointer: &str, message: &str, help: &str) {
        self.push(Severity::Error, pointer, message, help);
    }

    /// The build goes on, with a word to the user.
    pub fn warning(&mut self, pointer: &str, message: &str, help: &str) {
        self.push(Severity::Warning, pointer, message, help);
    }

    fn push(&mut self, severity: Severity, pointer: &str, message: &str, help: &str) {
        self.0.push(Diagnostic {
            severity,
            message: message.to_owned(),
            pointer: (!pointer.is_empty()).then(|| pointer.to_owned()),
            help: (!help.is_empty()).then(|| help.to_owned()),
        });
    }

    /// At most one of `names` may be written; `required`: at least one, too.
    pub fn one_of(&mut self, options: &Unchecked, names: &[&str], required: bool) {
        let set: Vec<_> = names.iter().filter(|name| options.is_set(&format!("/{name}"))).collect();
        if let [_, second, ..] = set.as_slice() {
            let all: Vec<_> = set.iter().map(|name| format!("`{name}`")).collect();
            self.error(&format!("/{second}"), &format!("only one of {} may be set", all.join(" and ")), "");
        }
        if required && set.is_empty() {
            let all: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            self.error("", &format!("one of {} must be set", all.join(", ")), "");
        }
    }

    /// The options named must not be empty: for those that the schema requires, since `""` is no more
    /// than leaving them out.
    pub fn filled(&mut self, options: &Unchecked, names: &[&str]) {
        for name in names {
            let pointer = format!("/{name}");
            if options.is_empty(&pointer) {
                self.error(&pointer, &format!("`{name}` must not be empty"), "");
            }
        }
    }

    /// The options named are durations.
    pub fn durations(&mut self, options: &Unchecked, names: &[&str]) {
        for name in names {
            let pointer = format!("/{name}");
            let text = options.text(&pointer).filter(|text| !text.contains("{{"));
            if text.is_some_and(|text| duration::milliseconds(text).is_none()) {
                self.error(
                    &pointer,
                    &format!("`{name}` is not a duration"),
                    "write it as 300ms, 30s or 1h5m",
                );
            }
        }
    }

    /// `low` must not exceed `high`.
    pub fn range(&mut self, options: &Unchecked, low: &str, high: &str) {
        let number = |name: &str| options.number(&format!("/{name}"));
        if let (Some(from), Some(to)) = (number(low), number(high))
            && from > to
        {
            self.error(&format!("/{low}"), &format!("`{low}` must not exceed `{high}`"), "");
        }
    }

    /// The list for the contract.
    pub fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.0
    }

    /// Messages with their pointers, for tests: `/inline: must not be empty`.
    pub fn lines(&self) -> Vec<String> {
        self.0.iter().map(|d| format!("{}: {}", d.pointer.as_deref().unwrap_or(""), d.message)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_values_count_as_written() {
        let options =
            Unchecked::new(r#"{"a":{"$kiln":"unknown"},"b":"","c":[],"d":["x",{"$kiln":"unknown"}]}"#);
        assert!(options.is_set("/a") && options.text("/a").is_none() && options.may_be_true("/a"));
        assert!(!options.is_set("/b") && options.is_empty("/c") && !options.is_set("/none"));
        assert_eq!(options.items("/d").len(), 1);
        let mut findings = Findings::default();
        findings.one_of(&options, &["a", "d"], true);
        findings.one_of(&options, &["b", "c"], true);
        findings.filled(&options, &["a", "b", "none"]);
        assert_eq!(
            findings.lines(),
            [
                "/d: only one of `a` and `d` may be set",
                ": one of `b`, `c` must be set",
                "/b: `b` must not be empty"
            ]
        );
    }
}
