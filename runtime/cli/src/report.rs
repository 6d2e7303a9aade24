//! Reporters: how a run is shown. Each turns [`Event`]s into text and knows nothing else of kiln.
//!
//! | reporter | when |
//! | --- | --- |
//! | [`terminal`] | standard output is a terminal: lines, and below them one live lane per build |
//! | [`lines`] | otherwise, and with `--ui=classic`: Packer's plain lines |
//! | [`machine`] | `-machine-readable`: Packer's rows |
//! | [`json`] | `--log-format=json`: one object per line |

mod duration;
mod json;
mod lines;
mod machine;
mod terminal;

pub(crate) use json::{FIELDS as LOG_FIELDS, Json};
pub(crate) use lines::Lines;
pub(crate) use machine::Machine;
pub(crate) use terminal::Terminal;

use kiln_plan::{Event, EventSink, SourceMap};
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

/// Shows events, one after the other.
pub(crate) trait Reporter: Send {
    /// Shows one.
    fn event(&mut self, event: &Event);

    /// A person is asked something, or was: what moves is out of the way meanwhile.
    fn hold(&mut self, _asking: bool) {}
}

/// The sink of a run: events of all builds, in the order in which they came.
pub(crate) struct Sink(Mutex<Box<dyn Reporter>>);

impl Sink {
    /// A sink that shows events with `reporter`.
    pub(crate) fn new(reporter: impl Reporter + 'static) -> Self {
        Self(Mutex::new(Box::new(reporter)))
    }

    /// As [`Reporter::hold`].
    pub(crate) fn hold(&self, asking: bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).hold(asking);
    }
}

impl EventSink for Sink {
    fn emit(&self, event: Event) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).event(&event);
    }
}

/// The texts that diagnostics quote, which change when a template is read.
#[derive(Clone, Default)]
pub(crate) struct Texts(Arc<Mutex<Arc<SourceMap>>>);

impl Texts {
    /// From now on these.
    pub(crate) fn set(&self, sources: Arc<SourceMap>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = sources;
    }

    /// Those of now.
    pub(crate) fn get(&self) -> Arc<SourceMap> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Where text goes; tests give a buffer.
pub(crate) type Out = Box<dyn Write + Send>;

/// Writes one line. A reader that went away (`kiln build | head`) is no reason to stop a build.
fn write_line(out: &mut Out, line: &str) {
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}

#[cfg(test)]
pub(crate) mod sample {
    //! A small run, for the tests of every reporter.

    use kiln_plan::{
        ArtifactFile, ArtifactSummary, BuildOutcome, ComponentRef, Event, EventBody, Kind, OutputStream,
        StepInfo,
    };
    use std::io::Write;
    use std::sync::{Arc, Mutex};
    use std::time::{Duration, SystemTime};

    #[derive(Clone, Default)]
    pub(crate) struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Buffer {
        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    pub(crate) fn event(build: Option<&str>, step: Option<Kind>, body: EventBody) -> Event {
        let component = |kind| ComponentRef::new(kind, "shell-local");
        Event {
            time: SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
            build: build.map(Arc::from),
            step: step.map(|kind| {
                Arc::new(StepInfo { id: 7, component: component(kind), label: None, attempt: 1 })
            }),
            body,
        }
    }

    /// Two builds, one of which fails.
    pub(crate) fn run() -> Vec<Event> {
        let artifact = ArtifactSummary {
            builder_id: "packer.file".into(),
            id: "File".into(),
            description: "Stored file: out.txt".into(),
            files: vec![ArtifactFile { name: "out.txt".into(), size: 5 }],
        };
        let provisioner = Some(Kind::Provisioner);
        vec![
            event(None, None, EventBody::RunStarted { builds: vec!["file.y".into(), "null.x".into()] }),
            event(Some("file.y"), None, EventBody::BuildStarted),
            event(Some("file.y"), provisioner, EventBody::StepStarted { phase: "provision".into() }),
            event(Some("file.y"), provisioner, EventBody::Say { text: "Running local shell script".into() }),
            event(
                Some("file.y"),
                provisioner,
                EventBody::Output { stream: OutputStream::Stdout, text: "one, two".into() },
            ),
            event(
                Some("file.y"),
                provisioner,
                EventBody::Output { stream: OutputStream::Stderr, text: "err".into() },
            ),
            event(
                Some("file.y"),
                Some(Kind::PostProcessor),
                EventBody::StepStarted { phase: "post-process".into() },
            ),
            event(Some("file.y"), Some(Kind::PostProcessor), EventBody::Say { text: "a\nb".into() }),
            event(
                Some("file.y"),
                None,
                EventBody::BuildFinished {
                    outcome: BuildOutcome::Succeeded(vec![artifact]),
                    elapsed: Duration::from_micros(5_003_000),
                },
            ),
            event(
                Some("null.x"),
                None,
                EventBody::BuildFinished {
                    outcome: BuildOutcome::Failed(vec!["script exited, 3".into()]),
                    elapsed: Duration::from_millis(17),
                },
            ),
            event(None, None, EventBody::RunFinished { elapsed: Duration::from_secs(5), interrupted: false }),
        ]
    }
}
