//! Packer's layout of a finding.
//!
//! ```text
//! Error: `inlnie` is not an option here
//!
//!   on template.pkr.hcl line 7, in provisioner "shell-local":
//!    7:     inlnie = ["true"]
//!
//! Did you mean `inline`? (template::unknown-option)
//! ```

use super::words::{clean, wrap};
use super::{LONGEST, snippet, word};
use kiln_plan::{Diagnostic, SourceMap};
use std::fmt::Write;

/// Where Packer wraps.
const WIDTH: usize = 78;

/// The text of one finding, without a line end after the last line.
pub(crate) fn text(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    let mut out = format!("{}: {}\n", word(diagnostic.severity), clean(&diagnostic.summary, LONGEST));
    let named = diagnostic.span.filter(|span| !sources.name(span.file).is_empty());
    let context = diagnostic.context.as_deref().map(|context| clean(context, LONGEST));
    match (named, context) {
        (Some(span), context) => {
            let (line, _) = sources.position(span);
            let context = context.map(|context| format!(", in {context}")).unwrap_or_default();
            let file = clean(sources.name(span.file), LONGEST);
            let _ = write!(out, "\n  on {file} line {line}{context}:\n");
            for line in snippet::lines(sources, span) {
                if let snippet::Line::Source { number, text, .. } = line {
                    let _ = writeln!(out, "{number:4}: {text}");
                }
            }
        }
        (None, Some(context)) => {
            let _ = write!(out, "\n  in {context}:\n");
        }
        (None, None) => {}
    }
    for (name, value) in &diagnostic.values {
        let _ = write!(out, "\nwith {name} as {}.\n", clean(value, LONGEST));
    }
    let parts = [Some(diagnostic.detail.as_str()), diagnostic.help.as_deref()];
    let mut told: Vec<String> =
        parts.into_iter().flatten().filter(|part| !part.is_empty()).map(sentence).collect();
    told.push(format!("({})", diagnostic.code));
    for line in std::iter::once(String::new()).chain(wrap(&told.join(" "), WIDTH)) {
        let _ = writeln!(out, "{line}");
    }
    out.truncate(out.trim_end().len());
    out
}

/// A fragment as Packer's details are written.
fn sentence(fragment: &str) -> String {
    let fragment = clean(fragment, LONGEST);
    let mut chars = fragment.chars();
    let mut out: String = chars.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    out.push_str(chars.as_str());
    let ended = out.ends_with(['.', '?', '!', ':', '…']);
    if ended { out } else { out + "." }
}
