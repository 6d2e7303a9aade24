//! `--log-format=json`: one object per line, for programs. [`FIELDS`] lists the fields, and
//! `docs/reference/log-format.md` is made of it; they only grow.

use super::{Out, Reporter, Texts, write_line};
use crate::diagnostics;
use kiln_plan::{BuildOutcome, Event, EventBody, OutputStream};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Event, field, what it is. The first rows are of every event.
pub(crate) const FIELDS: &[(&str, &str, &str)] = &[
    ("", "seq", "number of the line, from 1"),
    ("", "time", "when, RFC 3339 with microseconds, UTC"),
    ("", "event", "what happened; the rows below"),
    ("", "build", "name of the build it belongs to; absent outside of builds"),
    ("", "step", "the step it belongs to: `id`, `kind`, `component`, `label` or null, `attempt` from 1"),
    ("run-started", "builds", "names of all builds"),
    ("build-started", "", ""),
    ("step-started", "phase", "`prepare`, `provision`, `finish`, `post-process`, `cleanup`"),
    ("step-finished", "seconds", "how long it took"),
    ("step-finished", "error", "why it failed, or null"),
    ("say", "text", "a line for the user, or several"),
    ("error", "text", "an error for the user"),
    ("warning", "text", "a warning for the user"),
    ("output", "stream", "`stdout` or `stderr` of a command"),
    ("output", "text", "whole lines, without the last line end"),
    ("log", "level", "how much it matters"),
    ("log", "text", "a line for the log"),
    ("progress", "id", "number of the transfer"),
    ("progress", "title", "what is transferred"),
    ("progress", "done", "bytes or counts done"),
    ("progress", "total", "all of them, or null if not known"),
    ("progress", "finished", "whether it is over"),
    ("diagnostic", "severity", "`error` or `warning`"),
    ("diagnostic", "code", "`template::unknown-option`; each has a page in [errors](errors/README.md)"),
    ("diagnostic", "summary", "what is wrong, in one line"),
    ("diagnostic", "detail", "more about it; may be empty"),
    ("diagnostic", "help", "what to do, or null"),
    ("diagnostic", "context", "the block it is in, as `provisioner \"shell\"`, or null"),
    ("diagnostic", "file", "the file as it was named, or null if it has no place"),
    (
        "diagnostic",
        "range",
        "`start` and `end` (the first place behind), each `line` and `column` from 1 in characters, `byte` from 0; or null",
    ),
    (
        "diagnostic",
        "snippet",
        "the lines of the range, or null: `line`, `text` (tabs as four spaces, cut if long), `mark` (column in it, from 1), `length` of the mark",
    ),
    (
        "diagnostic",
        "values",
        "values of what the expression refers to: `name`, `value` (shortened, secrets hidden)",
    ),
    ("span", "name", "what time was spent on"),
    ("span", "seconds", "how much"),
    ("build-finished", "outcome", "`succeeded`, `failed` or `cancelled`"),
    ("build-finished", "seconds", "how long it took"),
    ("build-finished", "artifacts", "`builder_id`, `id`, `description`, `files` with `name` and `size`"),
    ("build-finished", "errors", "why it failed, the first error first"),
    ("run-finished", "seconds", "how long it took"),
    ("run-finished", "interrupted", "whether the user ended it"),
];

/// JSON lines, on a stream.
pub(crate) struct Json {
    out: Out,
    texts: Texts,
    sequence: u64,
}

impl Json {
    /// Objects to `out`; diagnostics quote `texts`.
    pub(crate) fn new(out: Out, texts: Texts) -> Self {
        Self { out, texts, sequence: 0 }
    }
}

impl Reporter for Json {
    fn event(&mut self, event: &Event) {
        self.sequence += 1;
        let mut object = Map::new();
        object.insert("seq".into(), self.sequence.into());
        object.insert("time".into(), humantime::format_rfc3339_micros(event.time).to_string().into());
        if let Some(build) = &event.build {
            object.insert("build".into(), build.to_string().into());
        }
        if let Some(step) = &event.step {
            object.insert(
                "step".into(),
                json!({
                    "id": step.id, "kind": step.component.kind, "component": step.component.name,
                    "label": step.label, "attempt": step.attempt,
                }),
            );
        }
        let (name, fields) = body(&event.body, &self.texts);
        object.insert("event".into(), name.into());
        if let Value::Object(fields) = fields {
            object.extend(fields);
        }
        write_line(&mut self.out, &Value::Object(object).to_string());
    }
}

fn seconds(duration: Duration) -> Value {
    json!((duration.as_secs_f64() * 1e6).round() / 1e6)
}

fn body(body: &EventBody, texts: &Texts) -> (&'static str, Value) {
    match body {
        EventBody::RunStarted { builds } => {
            ("run-started", json!({"builds": builds.iter().map(ToString::to_string).collect::<Vec<_>>()}))
        }
        EventBody::BuildStarted => ("build-started", json!({})),
        EventBody::StepStarted { phase } => ("step-started", json!({"phase": **phase})),
        EventBody::StepFinished { elapsed, error } => {
            ("step-finished", json!({"seconds": seconds(*elapsed), "error": error}))
        }
        EventBody::Say { text } => ("say", json!({"text": text})),
        EventBody::Error { text } => ("error", json!({"text": text})),
        EventBody::Warning { text } => ("warning", json!({"text": text})),
        EventBody::Output { stream, text } => {
            let stream = if *stream == OutputStream::Stdout { "stdout" } else { "stderr" };
            ("output", json!({"stream": stream, "text": text}))
        }
        EventBody::Log { level, text } => ("log", json!({"level": **level, "text": text})),
        EventBody::Progress(progress) => (
            "progress",
            json!({"id": progress.id, "title": *progress.title, "done": progress.done,
                "total": progress.total, "finished": progress.finished}),
        ),
        EventBody::Diagnostic(found) => ("diagnostic", diagnostics::object(found, &texts.get())),
        EventBody::Span { name, elapsed } => ("span", json!({"name": **name, "seconds": seconds(*elapsed)})),
        EventBody::BuildFinished { outcome, elapsed } => {
            let (outcome, artifacts, errors) = match outcome {
                BuildOutcome::Succeeded(artifacts) => ("succeeded", json!(artifacts), json!([])),
                BuildOutcome::Failed(errors) => ("failed", json!([]), json!(errors)),
                BuildOutcome::Cancelled => ("cancelled", json!([]), json!([])),
            };
            (
                "build-finished",
                json!({"outcome": outcome, "seconds": seconds(*elapsed), "artifacts": artifacts, "errors": errors}),
            )
        }
        EventBody::RunFinished { elapsed, interrupted } => {
            ("run-finished", json!({"seconds": seconds(*elapsed), "interrupted": interrupted}))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{Buffer, event, run};

    #[test]
    fn every_line_is_an_object_in_order() {
        let buffer = Buffer::default();
        let mut reporter = Json::new(Box::new(buffer.clone()), Texts::default());
        run().iter().for_each(|event| reporter.event(event));
        let lines: Vec<Value> =
            buffer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), run().len());
        assert!(lines.iter().enumerate().all(|(index, line)| line["seq"] == index as u64 + 1));
        assert_eq!(lines[3]["step"]["component"], "shell-local");
        assert_eq!(lines[3]["text"], "Running local shell script");
        assert_eq!(lines[8]["artifacts"][0]["files"][0]["size"], 5);
    }

    #[test]
    fn every_field_is_documented() {
        let buffer = Buffer::default();
        let mut reporter = Json::new(Box::new(buffer.clone()), Texts::default());
        let found = kiln_plan::Diagnostic::error(kiln_plan::code::template::SYNTAX, "x");
        let more = event(None, None, EventBody::Diagnostic(found));
        run().iter().chain([&more]).for_each(|event| reporter.event(event));
        for line in buffer.text().lines() {
            let object: Map<String, Value> = serde_json::from_str(line).unwrap();
            let event = object["event"].as_str().unwrap();
            for name in object.keys() {
                let known = |of: &str, field: &str| (of.is_empty() || of == event) && field == name;
                assert!(FIELDS.iter().any(|(of, field, _)| known(of, field)), "{event}.{name}");
            }
            assert!(FIELDS.iter().any(|(of, ..)| *of == event), "{event}");
        }
    }
}
