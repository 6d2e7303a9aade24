//! Packer's plain lines. What is said is decided by [`Script`], which the terminal and the
//! machine-readable reporters use too.

use super::{Out, Reporter, duration, write_line};
use kiln_plan::{ArtifactSummary, BuildOutcome, Event, EventBody, Kind, OutputStream};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Whether a line is an error, which is shown in red.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Say,
    Error,
}

/// A row of Packer's machine-readable output that is not a `ui` row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) target: String,
    pub(super) kind: &'static str,
    pub(super) data: Vec<String>,
}

/// One thing to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// A text of one or more lines, prefix included; the build it belongs to colours it.
    Text { tone: Tone, build: Option<Arc<str>>, text: String },
    /// A row for machines.
    Row(Row),
}

/// What Packer would say, event by event. Keeps the outcome of each build for the summary.
#[derive(Default)]
pub(super) struct Script {
    builds: Vec<Arc<str>>,
    outcomes: BTreeMap<usize, BuildOutcome>,
}

impl Script {
    pub(super) fn items(&mut self, event: &Event) -> Vec<Item> {
        match &event.body {
            EventBody::RunStarted { builds } => {
                self.builds.clone_from(builds);
                Vec::new()
            }
            EventBody::StepStarted { .. } => post_processor_line(event).into_iter().collect(),
            EventBody::Say { text } => vec![prefixed(event, Tone::Say, text)],
            EventBody::Warning { text } => vec![prefixed(event, Tone::Say, &format!("Warning: {text}"))],
            EventBody::Error { text } => vec![prefixed(event, Tone::Error, text)],
            EventBody::Output { stream, text } => {
                let tone = if *stream == OutputStream::Stderr { Tone::Error } else { Tone::Say };
                vec![prefixed(event, tone, text)]
            }
            EventBody::BuildFinished { outcome, elapsed } => self.build_finished(event, outcome, *elapsed),
            EventBody::RunFinished { elapsed, interrupted } => self.summary(*elapsed, *interrupted),
            _ => Vec::new(),
        }
    }

    /// Position of a build, which chooses its colour.
    pub(super) fn index(&self, build: &str) -> usize {
        self.builds.iter().position(|name| **name == *build).unwrap_or(0)
    }

    pub(super) fn builds(&self) -> &[Arc<str>] {
        &self.builds
    }

    fn build_finished(
        &mut self,
        event: &Event,
        outcome: &BuildOutcome,
        elapsed: std::time::Duration,
    ) -> Vec<Item> {
        let name = event.build.clone().unwrap_or_else(|| "".into());
        if !self.builds.contains(&name) {
            self.builds.push(Arc::clone(&name));
        }
        self.outcomes.insert(self.index(&name), outcome.clone());
        let took = duration::words(elapsed);
        let (tone, text) = match outcome {
            BuildOutcome::Succeeded(_) => (Tone::Say, format!("Build '{name}' finished after {took}.")),
            BuildOutcome::Failed(errors) => {
                (Tone::Error, format!("Build '{name}' errored after {took}: {}", joined(errors)))
            }
            BuildOutcome::Cancelled => {
                (Tone::Error, format!("Build '{name}' errored after {took}: build was cancelled"))
            }
        };
        vec![Item::Text { tone, build: event.build.clone(), text }]
    }

    fn summary(&self, elapsed: std::time::Duration, interrupted: bool) -> Vec<Item> {
        let say = |text: String| Item::Text { tone: Tone::Say, build: None, text };
        let mut items = vec![say(format!("\n==> Wait completed after {}", duration::words(elapsed)))];
        if interrupted {
            items.push(say("Cleanly cancelled builds after being interrupted.".to_owned()));
            return items;
        }
        self.errors(&mut items);
        let succeeded: Vec<(&Arc<str>, &Vec<ArtifactSummary>)> = self
            .outcomes
            .iter()
            .filter_map(|(index, outcome)| match outcome {
                BuildOutcome::Succeeded(artifacts) if !artifacts.is_empty() => {
                    Some((self.builds.get(*index)?, artifacts))
                }
                _ => None,
            })
            .collect();
        if succeeded.is_empty() {
            items.push(say("\n==> Builds finished but no artifacts were created.".to_owned()));
            return items;
        }
        items.push(say("\n==> Builds finished. The artifacts of successful builds are:".to_owned()));
        for (name, artifacts) in succeeded {
            items.push(row(name, "artifact-count", vec![artifacts.len().to_string()]));
            for (index, artifact) in artifacts.iter().enumerate() {
                items.extend(artifact_rows(name, index, artifact));
                items.push(say(format!("--> {name}: {}", artifact.description)));
            }
        }
        items
    }

    fn errors(&self, items: &mut Vec<Item>) {
        let failed: Vec<(String, String)> = self
            .outcomes
            .iter()
            .filter_map(|(index, outcome)| {
                let name = self.builds.get(*index)?.to_string();
                match outcome {
                    BuildOutcome::Failed(errors) => Some((name, joined(errors))),
                    BuildOutcome::Cancelled => Some((name, "build was cancelled".to_owned())),
                    BuildOutcome::Succeeded(_) => None,
                }
            })
            .collect();
        if failed.is_empty() {
            return;
        }
        let error = |text: String| Item::Text { tone: Tone::Error, build: None, text };
        items.push(row("", "error-count", vec![failed.len().to_string()]));
        items.push(error("\n==> Some builds didn't complete successfully and had errors:".to_owned()));
        for (name, text) in failed {
            items.push(row(&name, "error", vec![text.clone()]));
            items.push(error(format!("--> {name}: {text}")));
        }
    }
}

/// `==> NAME: text`, on every line; a post-processor's target names its type.
fn prefixed(event: &Event, tone: Tone, text: &str) -> Item {
    let name = match (&event.build, &event.step) {
        (Some(build), Some(step)) if step.component.kind == Kind::PostProcessor => {
            format!("{build} ({})", step.component.name)
        }
        (Some(build), _) => build.to_string(),
        (None, _) => return Item::Text { tone, build: None, text: text.to_owned() },
    };
    let lines: Vec<String> = text.split(['\n', '\r']).map(|line| format!("==> {name}: {line}")).collect();
    Item::Text { tone, build: event.build.clone(), text: lines.join("\n") }
}

/// The line before each post-processor; a step without a name leaves its place empty, as Packer does.
fn post_processor_line(event: &Event) -> Option<Item> {
    let step = event.step.as_ref().filter(|step| step.component.kind == Kind::PostProcessor)?;
    let (label, ty) = (step.label.as_deref().unwrap_or(""), &step.component.name);
    let build = event.build.as_deref().unwrap_or("");
    // A post-processor of a legacy template is called as its type unless it has a name.
    let what = if label == ty { label.to_owned() } else { format!("{label} (type {ty})") };
    let text = format!("==> {build}: Running post-processor: {what}");
    Some(Item::Text { tone: Tone::Say, build: event.build.clone(), text })
}

fn joined(errors: &[String]) -> String {
    match errors {
        [one] => one.clone(),
        many => {
            let list: Vec<String> = many.iter().map(|error| format!("* {error}")).collect();
            format!("{} error(s) occurred:\n\n{}", many.len(), list.join("\n"))
        }
    }
}

fn row(target: &str, kind: &'static str, data: Vec<String>) -> Item {
    Item::Row(Row { target: target.to_owned(), kind, data })
}

fn artifact_rows(target: &str, index: usize, artifact: &ArtifactSummary) -> Vec<Item> {
    let make = |data: &[&str]| {
        let mut all = vec![index.to_string()];
        all.extend(data.iter().map(|text| (*text).to_owned()));
        row(target, "artifact", all)
    };
    let mut rows = vec![
        make(&["builder-id", &artifact.builder_id]),
        make(&["id", &artifact.id]),
        make(&["string", &artifact.description]),
        make(&["files-count", &artifact.files.len().to_string()]),
    ];
    for (number, file) in artifact.files.iter().enumerate() {
        rows.push(make(&["file", &number.to_string(), &file.name]));
    }
    rows.push(make(&["end"]));
    rows
}

/// The escape sequences of a build's lines: Packer's cycle of five.
pub(super) fn colour(index: usize) -> &'static str {
    const CYCLE: [&str; 5] = ["\x1b[1;32m", "\x1b[1;36m", "\x1b[1;35m", "\x1b[1;33m", "\x1b[1;34m"];
    CYCLE.get(index % CYCLE.len()).copied().unwrap_or("")
}

/// A text in its colour.
pub(super) fn paint(script: &Script, tone: Tone, build: Option<&Arc<str>>, text: &str) -> String {
    let start = match (tone, build) {
        // It has its own colours; only diagnostics have.
        _ if text.starts_with('\x1b') => "",
        (Tone::Error, _) => "\x1b[1;31m",
        (Tone::Say, Some(build)) => colour(script.index(build)),
        (Tone::Say, None) => "\x1b[1;37m",
    };
    if start.is_empty() { text.to_owned() } else { format!("{start}{text}\x1b[0m") }
}

/// Packer's plain lines, on a stream.
pub(crate) struct Lines {
    out: Out,
    script: Script,
    colour: bool,
    timestamps: bool,
}

impl Lines {
    /// `timestamps` puts the time before each line (-timestamp-ui).
    pub(crate) fn new(out: Out, colour: bool, timestamps: bool) -> Self {
        Self { out, script: Script::default(), colour, timestamps }
    }
}

impl Reporter for Lines {
    fn event(&mut self, event: &Event) {
        let items = self.script.items(event);
        if matches!(event.body, EventBody::RunStarted { .. }) && self.colour {
            for (index, name) in self.script.builds().iter().enumerate() {
                write_line(
                    &mut self.out,
                    &format!("{}{name}: output will be in this color.\x1b[0m", colour(index)),
                );
            }
            write_line(&mut self.out, "");
        }
        for item in items {
            let Item::Text { tone, build, text } = item else { continue };
            let text = if self.timestamps { stamped(event, &text) } else { text };
            let text = if self.colour { paint(&self.script, tone, build.as_ref(), &text) } else { text };
            write_line(&mut self.out, &text);
        }
    }
}

fn stamped(event: &Event, text: &str) -> String {
    let stamp = humantime::format_rfc3339_seconds(event.time);
    text.split('\n').map(|line| format!("{stamp}: {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{Buffer, run};

    fn shown(colour: bool, timestamps: bool) -> String {
        let buffer = Buffer::default();
        let mut lines = Lines::new(Box::new(buffer.clone()), colour, timestamps);
        run().iter().for_each(|event| lines.event(event));
        buffer.text()
    }

    #[test]
    fn a_run_in_plain_lines() {
        let expected = "\
==> file.y: Running local shell script
==> file.y: one, two
==> file.y: err
==> file.y: Running post-processor:  (type shell-local)
==> file.y (shell-local): a
==> file.y (shell-local): b
Build 'file.y' finished after 5 seconds 3 milliseconds.
Build 'null.x' errored after 17 milliseconds: script exited, 3

==> Wait completed after 5 seconds

==> Some builds didn't complete successfully and had errors:
--> null.x: script exited, 3

==> Builds finished. The artifacts of successful builds are:
--> file.y: Stored file: out.txt
";
        assert_eq!(shown(false, false), expected);
    }

    #[test]
    fn colours_and_times() {
        let text = shown(true, false);
        assert!(
            text.starts_with("\x1b[1;32mfile.y: output will be in this color.\x1b[0m\n\x1b[1;36mnull.x:"),
            "{text}"
        );
        assert!(text.contains("\x1b[1;31m==> file.y: err\x1b[0m"));
        assert!(shown(false, true).starts_with("2023-11-14T22:13:20Z: ==> file.y: Running"));
    }

    #[test]
    fn several_errors_are_a_list() {
        assert_eq!(joined(&["a".into(), "b".into()]), "2 error(s) occurred:\n\n* a\n* b");
    }
}
