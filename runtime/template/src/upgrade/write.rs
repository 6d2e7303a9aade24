//! HCL text out of blocks and values. The layout is made afterwards, so nothing is indented here.

use super::text::{Place, Translator};
use serde_json::{Map, Value as Json};
use std::fmt::Write;

/// Blocks, one line after the other.
#[derive(Debug, Default)]
pub(super) struct Writer {
    pub(super) out: String,
}

impl Writer {
    /// An empty line, unless nothing is above it.
    pub(super) fn gap(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("{\n") {
            self.out.push('\n');
        }
    }

    pub(super) fn comment(&mut self, text: &str) {
        for line in text.lines() {
            let _ = writeln!(self.out, "# {line}");
        }
    }

    /// `kind "label" {`; ended by [`Writer::close`].
    pub(super) fn open(&mut self, kind: &str, labels: &[&str]) {
        self.out.push_str(kind);
        for label in labels {
            let _ = write!(self.out, " \"{}\"", quoted(label));
        }
        self.out.push_str(" {\n");
    }

    pub(super) fn close(&mut self) {
        self.out.push_str("}\n");
    }

    /// `name = expression`.
    pub(super) fn attribute(&mut self, name: &str, expression: &str) {
        let _ = writeln!(self.out, "{name} = {expression}");
    }
}

/// A value as an expression.
pub(super) fn value(json: &Json, place: Place, translator: &mut Translator) -> String {
    match json {
        Json::String(text) => translator.text(text, place),
        Json::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| value(item, place, translator)).collect();
            format!("[{}]", items.join(", "))
        }
        Json::Object(map) => object(map, place, translator),
        other => other.to_string(),
    }
}

fn object(map: &Map<String, Json>, place: Place, translator: &mut Translator) -> String {
    if map.is_empty() {
        return "{}".to_owned();
    }
    let mut out = String::from("{\n");
    for (name, item) in sorted(map) {
        let key = if is_identifier(name) { name.to_owned() } else { translator.text(name, place) };
        let _ = writeln!(out, "{key} = {}", value(item, place, translator));
    }
    out.push('}');
    out
}

/// The entries by name.
pub(super) fn sorted(map: &Map<String, Json>) -> Vec<(&str, &Json)> {
    let mut entries: Vec<(&str, &Json)> = map.iter().map(|(name, item)| (name.as_str(), item)).collect();
    entries.sort_by_key(|(name, _)| *name);
    entries
}

/// Whether HCL takes it as a name.
pub(super) fn is_identifier(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

/// The nearest that HCL takes as a name.
pub(super) fn identifier(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' };
    let name: String = text.chars().map(plain).collect();
    if is_identifier(&name) { name } else { format!("_{name}") }
}

/// Text between quotes: nothing in it is a template.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' | '%' if letters.peek() == Some(&'{') => {
                out.push(c);
                out.push(c);
            }
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values() {
        let mut translator = Translator::default();
        let json = json!({"b": [1, true, null, "x"], "a b": {}, "a": {"k": 1.5}});
        assert_eq!(
            value(&json, Place::Source, &mut translator),
            "{\na = {\nk = 1.5\n}\n\"a b\" = {}\nb = [1, true, null, \"x\"]\n}"
        );
    }

    #[test]
    fn names() {
        assert_eq!(["a.b", "10-x", "ok-1", ""].map(identifier), ["a_b", "_10-x", "ok-1", "_"]);
        assert_eq!(quoted("$$ ${a} %{b} \u{1}é"), "$$ $${a} %%{b} \\u0001é");
    }
}
