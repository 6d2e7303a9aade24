//! A finding as a JSON object, for editors. `report/json.rs` documents the fields.

use super::words::clean;
use super::{LONGEST, snippet};
use kiln_plan::{Diagnostic, Severity, SourceMap, Span};
use serde_json::{Value, json};

/// The fields of one finding.
pub(crate) fn object(found: &Diagnostic, sources: &SourceMap) -> Value {
    let span = found.span.filter(|span| !sources.name(span.file).is_empty());
    json!({
        "severity": if found.severity == Severity::Error { "error" } else { "warning" },
        "code": found.code.name(),
        "summary": clean(&found.summary, LONGEST),
        "detail": clean(&found.detail, LONGEST),
        "help": found.help.as_deref().map(|help| clean(help, LONGEST)),
        "context": found.context.as_deref().map(|context| clean(context, LONGEST)),
        "file": span.map(|span| sources.name(span.file)),
        "range": span.map(|span| range(sources, span)),
        "snippet": span.map(|span| excerpt(sources, span)),
        "values": found.values.iter()
            .map(|(name, value)| json!({"name": name, "value": clean(value, LONGEST)}))
            .collect::<Vec<_>>(),
    })
}

fn range(sources: &SourceMap, span: Span) -> Value {
    let point = |byte: u32| {
        let (line, column) = sources.position(Span { start: byte, ..span });
        json!({"line": line, "column": column, "byte": byte})
    };
    json!({"start": point(span.start), "end": point(span.end.max(span.start))})
}

fn excerpt(sources: &SourceMap, span: Span) -> Vec<Value> {
    let lines = snippet::lines(sources, span);
    let shown = lines.into_iter().filter_map(|line| match line {
        snippet::Line::Source { number, text, before, marked } => {
            Some(json!({"line": number, "text": text, "mark": before + 1, "length": marked}))
        }
        snippet::Line::Gap { .. } => None,
    });
    shown.collect()
}
