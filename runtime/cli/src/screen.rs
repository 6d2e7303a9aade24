//! What a verb says outside of builds: through the same reporters, so that every output format
//! holds for every verb. Main type: [`Screen`].

use crate::diagnostics;
use crate::report::{Machine, Sink, Texts};
use crate::settings::{Showing, Style};
use kiln_plan::{Diagnostic, Event, EventBody, EventSink, SourceMap};
use std::io::Write;
use std::sync::Arc;
use std::time::SystemTime;

/// The user's view. Cheap to clone; every clone writes to the same place.
#[derive(Clone)]
pub(crate) struct Screen {
    sink: Arc<Sink>,
    texts: Texts,
    pub(crate) showing: Showing,
}

impl Screen {
    pub(crate) fn new(showing: Showing) -> Self {
        let texts = Texts::default();
        Self { sink: Arc::new(showing.sink(&texts)), texts, showing }
    }

    /// Nothing moves on the screen until the value is dropped.
    pub(crate) fn hold(&self) -> Held<'_> {
        self.sink.hold(true);
        Held(&self.sink)
    }

    /// From now on diagnostics quote these texts.
    pub(crate) fn quote(&self, sources: Arc<SourceMap>) {
        self.texts.set(sources);
    }

    /// The texts that diagnostics quote.
    pub(crate) fn sources(&self) -> Arc<SourceMap> {
        self.texts.get()
    }

    /// A line, or several.
    pub(crate) fn say(&self, text: impl Into<String>) {
        self.send(EventBody::Say { text: text.into() });
    }

    /// A line beside the output, which stays what scripts expect of it.
    pub(crate) fn aside(&self, text: &str) {
        if self.showing.style == Style::Objects {
            return self.say(text);
        }
        let _ = writeln!(std::io::stderr(), "{text}");
    }

    /// An error that has no place in a template.
    pub(crate) fn error(&self, text: impl Into<String>) {
        self.send(EventBody::Error { text: text.into() });
    }

    /// A finding.
    pub(crate) fn diagnostic(&self, diagnostic: &Diagnostic) {
        if self.showing.style == Style::Objects {
            return self.send(EventBody::Diagnostic(diagnostic.clone()));
        }
        let sources = self.sources();
        let text = if self.showing.classic {
            diagnostics::classic(diagnostic, &sources)
        } else {
            diagnostics::text(diagnostic, &sources, self.showing.colour)
        };
        if diagnostic.is_error() { self.error(text) } else { self.say(text) }
    }

    /// Findings, and whether one of them is an error.
    pub(crate) fn diagnostics(&self, all: &[Diagnostic]) -> bool {
        all.iter().for_each(|diagnostic| self.diagnostic(diagnostic));
        all.iter().any(Diagnostic::is_error)
    }

    /// A row of `-machine-readable`; nothing in other formats. Gives whether it was shown.
    pub(crate) fn row(&self, kind: &str, data: &[&str]) -> bool {
        let rows = self.showing.style == Style::Rows;
        if rows {
            let mut out: crate::report::Out = Box::new(std::io::stdout());
            Machine::row(&mut out, "", kind, data);
        }
        rows
    }

    fn send(&self, body: EventBody) {
        self.emit(Event { time: SystemTime::now(), build: None, step: None, body });
    }
}

/// A screen on which nothing moves: a person is typing, or kiln ends.
pub(crate) struct Held<'s>(&'s Sink);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.hold(false);
    }
}

/// Events of a run. Findings made during it are shown like all others.
impl EventSink for Screen {
    fn emit(&self, event: Event) {
        match &event.body {
            EventBody::Diagnostic(diagnostic) if self.showing.style != Style::Objects => {
                self.diagnostic(diagnostic)
            }
            EventBody::Say { text } | EventBody::Error { text } | EventBody::Output { text, .. } => {
                tracing::info!(target: "ui", build = event.build.as_deref().unwrap_or(""), "{text}");
                self.sink.emit(event);
            }
            EventBody::Log { level, text } => {
                tracing::info!(target: "component", build = event.build.as_deref().unwrap_or(""), %level, "{text}");
                self.sink.emit(event);
            }
            _ => self.sink.emit(event),
        }
    }
}
