//! Findings as text: what is wrong, where, the lines with carets, the values, and what to do.
//!
//! ```text
//! Error: `inlnie` is not an option here
//!   --> template.pkr.hcl:7:5, in provisioner "shell-local"
//!    |
//!  7 |     inlnie = ["true"]
//!    |     ^^^^^^
//!   help: did you mean `inline`?
//!   more: kiln explain template::unknown-option
//! ```
//!
//! With `--ui=classic` and `-machine-readable` the layout is Packer's: file and line, the source line
//! without carets, the text wrapped at 80.

mod classic;
mod object;
mod snippet;
mod words;

pub(crate) use classic::text as classic;
pub(crate) use object::object;

use kiln_plan::{Diagnostic, Severity, SourceMap, Span};
use snippet::Line;
use std::fmt::Write;
use words::{clean, wrap};

/// The widest paragraph.
const WIDEST: usize = 100;
/// The most characters of a summary, a detail or a help.
const LONGEST: usize = 4000;

/// How a finding is coloured; all empty if it is not.
#[derive(Default)]
struct Paint {
    severity: &'static str,
    bold: &'static str,
    dim: &'static str,
    mark: &'static str,
    off: &'static str,
}

impl Paint {
    fn of(severity: Severity, colour: bool) -> Self {
        if !colour {
            return Self::default();
        }
        let severity = match severity {
            Severity::Error => "\x1b[1;31m",
            Severity::Warning => "\x1b[1;33m",
        };
        Self { severity, bold: "\x1b[1m", dim: "\x1b[2m", mark: severity, off: "\x1b[0m" }
    }
}

/// The word before a summary.
fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "Error",
        Severity::Warning => "Warning",
    }
}

/// The text of one finding, without a line end after the last line.
pub(crate) fn text(diagnostic: &Diagnostic, sources: &SourceMap, colour: bool) -> String {
    let paint = Paint::of(diagnostic.severity, colour);
    let Paint { severity, bold, dim, off, .. } = paint;
    let summary = clean(&diagnostic.summary, LONGEST);
    let mut out = format!("{severity}{}{off}{bold}: {summary}{off}", word(diagnostic.severity));
    let context = diagnostic.context.as_deref().map(|context| clean(context, LONGEST));
    match diagnostic.span {
        Some(span) if !sources.name(span.file).is_empty() => {
            place(&mut out, sources, span, context.as_deref(), &paint);
        }
        _ => {
            if let Some(context) = context {
                let _ = write!(out, "\n  in {context}");
            }
        }
    }
    paragraph(&mut out, "", &diagnostic.detail);
    for (name, value) in &diagnostic.values {
        paragraph(&mut out, "", &format!("{name} is {value}"));
    }
    if let Some(help) = &diagnostic.help {
        paragraph(&mut out, "help: ", help);
    }
    let _ = write!(out, "\n  {dim}more: kiln explain {}{off}", diagnostic.code);
    out
}

/// Indented and wrapped, further lines below the first's text.
fn paragraph(out: &mut String, label: &str, text: &str) {
    let indent = " ".repeat(label.len());
    for (index, line) in wrap(&clean(text, LONGEST), WIDEST - label.len()).iter().enumerate() {
        let start = if index == 0 { label } else { &indent };
        let _ = write!(out, "\n  {start}{line}");
    }
}

fn place(out: &mut String, sources: &SourceMap, span: Span, context: Option<&str>, paint: &Paint) {
    let Paint { dim, mark, off, .. } = paint;
    let (line, column) = sources.position(span);
    let _ = write!(out, "\n  {dim}-->{off} {}:{line}:{column}", clean(sources.name(span.file), LONGEST));
    if let Some(context) = context {
        let _ = write!(out, ", in {context}");
    }
    let lines = snippet::lines(sources, span);
    let width = lines.iter().map(|line| line.number().to_string().len()).max().unwrap_or(1);
    let margin = " ".repeat(width);
    let _ = write!(out, "\n {margin} {dim}|{off}");
    for line in lines {
        match line {
            Line::Gap { .. } => {
                let _ = write!(out, "\n {margin} {dim}…{off}");
            }
            Line::Source { number, text, before, marked } => {
                let _ = write!(out, "\n {dim}{number:>width$} |{off} {text}");
                let (before, carets) = (" ".repeat(before), "^".repeat(marked));
                let _ = write!(out, "\n {margin} {dim}|{off} {before}{mark}{carets}{off}");
            }
        }
    }
}

#[cfg(test)]
mod tests;
