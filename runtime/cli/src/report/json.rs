//! `--log-format=json`: one object per line, for programs. docs/reference/json-log.md lists the
//! fields; they only grow.

use super::{Out, Reporter, write_line};
use kiln_plan::{BuildOutcome, Event, EventBody, OutputStream, Severity};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// JSON lines, on a stream.
pub(crate) struct Json {
    out: Out,
    sequence: u64,
}

impl Json {
    /// Objects to `out`.
    pub(crate) fn new(out: Out) -> Self {
        Self { out, sequence: 0 }
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
        let (name, fields) = body(&event.body);
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

fn body(body: &EventBody) -> (&'static str, Value) {
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
        EventBody::Diagnostic(found) => (
            "diagnostic",
            json!({"severity": if found.severity == Severity::Error { "error" } else { "warning" },
                "code": found.code.name(), "summary": found.summary, "detail": found.detail, "help": found.help}),
        ),
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
    use crate::report::sample::{Buffer, run};

    #[test]
    fn every_line_is_an_object_in_order() {
        let buffer = Buffer::default();
        let mut reporter = Json::new(Box::new(buffer.clone()));
        run().iter().for_each(|event| reporter.event(event));
        let lines: Vec<Value> =
            buffer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), run().len());
        assert!(lines.iter().enumerate().all(|(index, line)| line["seq"] == index as u64 + 1));
        assert_eq!(lines[3]["step"]["component"], "shell-local");
        assert_eq!(lines[3]["text"], "Running local shell script");
        assert_eq!(lines[8]["artifacts"][0]["files"][0]["size"], 5);
    }
}
