//! HCL text out of blocks and values. The layout is made afterwards, so nothing is indented here.

use super::text::{Place, Translator};
use crate::syntax::json_read::{Content, Entry, Item};
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
pub(super) fn value(item: &Item, place: Place, translator: &mut Translator) -> String {
    match &item.content {
        Content::Null => "null".to_owned(),
        Content::Bool(truth) => truth.to_string(),
        Content::Number(digits) => digits.clone(),
        Content::Text(text) => translator.text(text, place),
        Content::List(items) => {
            let items: Vec<String> = items.iter().map(|item| value(item, place, translator)).collect();
            format!("[{}]", items.join(", "))
        }
        Content::Object(entries) => object(entries, place, translator),
    }
}

fn object(entries: &[Entry], place: Place, translator: &mut Translator) -> String {
    if entries.is_empty() {
        return "{}".to_owned();
    }
    let mut entries: Vec<&Entry> = entries.iter().collect();
    entries.sort_by_key(|(name, ..)| name);
    let mut out = String::from("{\n");
    for (name, _, item) in entries {
        let key = if is_identifier(name) { name.to_owned() } else { translator.text(name, place) };
        let _ = writeln!(out, "{key} = {}", value(item, place, translator));
    }
    out.push('}');
    out
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
    use kiln_plan::FileId;

    #[test]
    fn values() {
        let mut translator = Translator::default();
        let text = r#"{"b": [1, true, null, "x"], "a b": {}, "a": {"k": 1.50}}"#;
        let item = crate::syntax::json_read::read(text, FileId(0), false).item.unwrap();
        assert_eq!(
            value(&item, Place::Source, &mut translator),
            "{\na = {\nk = 1.50\n}\n\"a b\" = {}\nb = [1, true, null, \"x\"]\n}"
        );
    }

    #[test]
    fn names() {
        assert_eq!(["a.b", "10-x", "ok-1", ""].map(identifier), ["a_b", "_10-x", "ok-1", "_"]);
        assert_eq!(quoted("$$ ${a} %{b} \u{1}é"), "$$ $${a} %%{b} \\u0001é");
    }
}
