//! Findings as text: what is wrong, where, the line with a caret, and what to do.
//!
//! ```text
//! Error: unknown option `inlnie`
//!   --> template.pkr.hcl:7:5, in provisioner "shell-local"
//!    |
//!  7 |     inlnie = ["true"]
//!    |     ^^^^^^
//!   help: did you mean `inline`?
//! ```

use kiln_plan::{Diagnostic, Severity, SourceMap, Span};
use std::fmt::Write;

/// The widest line that is quoted, in characters; longer ones are cut around the place.
const WIDEST: usize = 120;

/// The text of one finding, without a line end after the last line.
pub(crate) fn text(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    let word = match diagnostic.severity {
        Severity::Error => "Error",
        Severity::Warning => "Warning",
    };
    let mut out = format!("{word}: {}", diagnostic.summary);
    let context = diagnostic.context.as_deref();
    match diagnostic.span {
        Some(span) if !sources.name(span.file).is_empty() => place(&mut out, sources, span, context),
        _ => {
            if let Some(context) = context {
                let _ = write!(out, "\n  in {context}");
            }
        }
    }
    for line in diagnostic.detail.lines() {
        let _ = write!(out, "\n  {line}");
    }
    for (name, value) in &diagnostic.values {
        let _ = write!(out, "\n  {name} is {value}");
    }
    if let Some(help) = &diagnostic.help {
        let _ = write!(out, "\n  help: {help}");
    }
    out
}

fn place(out: &mut String, sources: &SourceMap, span: Span, context: Option<&str>) {
    let (line, column) = sources.position(span);
    let _ = write!(out, "\n  --> {}:{line}:{column}", sources.name(span.file));
    if let Some(context) = context {
        let _ = write!(out, ", in {context}");
    }
    let quoted = sources.line(span);
    let length = marked(sources, span, quoted, column);
    let (text, column) = cut(quoted, column);
    let number = line.to_string();
    let margin = " ".repeat(number.len());
    let _ = write!(out, "\n {margin} |\n {number} | {}", text.trim_end());
    let _ = write!(out, "\n {margin} | {}{}", pad(&text, column), "^".repeat(length));
}

/// How many characters of the line belong to the span; at least one.
fn marked(sources: &SourceMap, span: Span, line: &str, column: usize) -> usize {
    let text = sources.text(span.file).get(span.start as usize..span.end as usize).unwrap_or("");
    let first = text.lines().next().unwrap_or("").chars().count();
    let room = line.chars().count().saturating_sub(column - 1).min(WIDEST / 2);
    first.min(room).max(1)
}

/// At most [`WIDEST`] characters around the column, and the column in them. Control characters
/// cannot reach the terminal.
fn cut(line: &str, column: usize) -> (String, usize) {
    let clean = |c: char| if c.is_control() && c != '\t' { '\u{fffd}' } else { c };
    let start = if line.chars().count() > WIDEST { (column - 1).saturating_sub(WIDEST / 2) } else { 0 };
    (line.chars().skip(start).take(WIDEST).map(clean).collect(), column - start)
}

/// What brings the caret below its column: tabs stay tabs.
fn pad(line: &str, column: usize) -> String {
    line.chars().take(column - 1).map(|c| if c == '\t' { '\t' } else { ' ' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kiln_plan::code;

    fn at(text: &str, start: u32, end: u32) -> (SourceMap, Span) {
        let mut sources = SourceMap::default();
        let file = sources.add("t.pkr.hcl", text);
        (sources, Span { file, start, end })
    }

    #[test]
    fn a_finding_with_everything() {
        let (sources, span) = at("a {\n  inlnie = 1\n}\n", 6, 12);
        let mut found = Diagnostic::error(code::template::SYNTAX, "unknown option `inlnie`")
            .at(span)
            .within("provisioner \"shell\"")
            .detail("there is none of this name")
            .help("did you mean `inline`?");
        found.values.push(("var.x".into(), "3".into()));
        let expected = "Error: unknown option `inlnie`\n  --> t.pkr.hcl:2:3, in provisioner \"shell\"\n   |\n 2 |   inlnie = 1\n   |   ^^^^^^\n  \
                        there is none of this name\n  var.x is 3\n  help: did you mean `inline`?";
        assert_eq!(text(&found, &sources), expected);
    }

    #[test]
    fn without_a_place() {
        let found = Diagnostic::warning(code::template::SYNTAX, "odd").within("a");
        assert_eq!(text(&found, &SourceMap::default()), "Warning: odd\n  in a");
    }

    #[test]
    fn spans_of_many_lines_and_at_the_end_of_the_file() {
        let (sources, span) = at("ab\ncd", 1, 5);
        assert!(
            text(&Diagnostic::error(code::template::SYNTAX, "y").at(span), &sources)
                .ends_with("| ab\n   |  ^")
        );
        let (sources, span) = at("ab\n", 3, 3);
        assert!(
            text(&Diagnostic::error(code::template::SYNTAX, "y").at(span), &sources)
                .contains("t.pkr.hcl:2:1")
        );
    }

    #[test]
    fn long_lines_are_cut_and_controls_replaced() {
        let line = format!("{}\x1b[2J", "x".repeat(500));
        let (sources, span) = at(&line, 500, 501);
        let shown = text(&Diagnostic::error(code::template::SYNTAX, "y").at(span), &sources);
        assert!(!shown.contains('\x1b') && shown.len() < 400, "{shown}");
    }
}
