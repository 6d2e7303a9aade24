//! Hosts as a program would use them, and single calls in them. Main type: [`World`].

use kiln_host::{
    Bundled, Host, HostOptions, Outcome, Run, RunOptions, SessionHandle, StepError, TraceRecord,
};
use kiln_plan::grant::Grants;
use kiln_plan::{
    BuildValues, ComponentRef, Configuration, Diagnostics, Evaluate, Event, EventBody, EventSink, Kind, Step,
    StepInfo, Value,
};
use serde_json::{Value as Json, json};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio_util::sync::CancellationToken;

pub const KINDS: [Kind; 4] = [Kind::Builder, Kind::Provisioner, Kind::PostProcessor, Kind::DataSource];

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Got {
    Ok,
    /// An empty list or option.
    Nothing,
    Refused(String),
    /// Another error: its code, its message.
    Error(String, String),
    /// A handle could not be had: from which function, and how that refused.
    Unreachable(String, String),
    /// The guest broke for another reason than a refusal.
    Broke(String),
}

pub struct Answer {
    pub got: Got,
    /// The trace of the step.
    pub records: Vec<TraceRecord>,
}

/// What the user and the log were told.
#[derive(Default)]
struct Said {
    lines: Mutex<Vec<String>>,
    warnings: Mutex<Vec<String>>,
    log: Mutex<Vec<String>>,
}

impl Got {
    /// For the table.
    pub fn short(&self) -> String {
        match self {
            Self::Ok => "ok".to_owned(),
            Self::Nothing => "nothing to do".to_owned(),
            Self::Refused(_) => "let in; its object was refused".to_owned(),
            Self::Error(code, _) => format!("let in; {code}"),
            Self::Unreachable(needs, _) => format!("needs {needs}"),
            Self::Broke(why) => why.clone(),
        }
    }

    /// Refused for the role, and not for what an argument names.
    pub fn is_for_others(&self) -> bool {
        matches!(self, Self::Refused(message) if message.contains("` is not for "))
    }
}

impl EventSink for Said {
    fn emit(&self, event: Event) {
        match event.body {
            EventBody::Say { text } => self.lines.lock().unwrap().push(text),
            EventBody::Warning { text } => self.warnings.lock().unwrap().push(text),
            EventBody::Log { text, .. } => self.log.lock().unwrap().push(text),
            _ => {}
        }
    }
}

/// A host with the four contract guests, and folders of its own.
pub struct World {
    pub folder: tempfile::TempDir,
    run: Run,
    said: Arc<Said>,
    trace: Arc<Mutex<Vec<TraceRecord>>>,
    /// Options that every step has.
    pub options: Json,
}

impl World {
    /// `groups`: whether the guests' schemas include the host's option groups.
    pub fn new(cache: &std::path::Path, grants: &[(&str, &[&str])], groups: bool) -> Self {
        Self::with(cache, grants, groups, |_| ())
    }

    /// The same; `change` has the last word on the host's options.
    pub fn with(
        cache: &std::path::Path,
        grants: &[(&str, &[&str])],
        groups: bool,
        change: impl FnOnce(&mut HostOptions),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["work", "tmp", "home"] {
            std::fs::create_dir(at(name)).unwrap();
        }
        let grants = Grants::parse(grants.iter().map(|(name, targets)| (*name, *targets))).unwrap();
        let names = ["builder", "provisioner", "post_processor", "data_source"];
        let bundled = std::iter::zip(KINDS, names).map(|(kind, name)| Bundled {
            kind,
            name: "contract".into(),
            bytes: program(name, groups).into(),
            grants: Some(grants.clone()),
        });
        let mut options = HostOptions {
            cache_dir: cache.join("cache"),
            state_dir: cache.join("state"),
            download_dir: at("downloads"),
            temp_dir: at("tmp"),
            working_dir: at("work"),
            home: Some(at("home")),
            environment: [("PATH".to_owned(), std::env::var("PATH").unwrap())].into(),
            bundled: bundled.collect(),
            ..HostOptions::default()
        };
        change(&mut options);
        let host = Host::new(options).unwrap();
        let said = Arc::new(Said::default());
        let trace = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&trace);
        let run = host.run(RunOptions {
            sink: said.clone(),
            trace: Some(Arc::new(move |record: &TraceRecord| sink.lock().unwrap().push(record.clone()))),
            ..RunOptions::silent()
        });
        let options = json!({
            "pointer": "/text",
            "text": "x",
            "url": "http://127.0.0.1:1/x",
            "remote": at("remote"),
        });
        Self { folder, run, said, trace, options }
    }

    /// What the user was warned of since the last time.
    pub fn warnings(&self) -> Vec<String> {
        std::mem::take(&mut *self.said.warnings.lock().unwrap())
    }

    /// What the log was told since the last time.
    pub fn log(&self) -> Vec<String> {
        std::mem::take(&mut *self.said.log.lock().unwrap())
    }

    fn configuration(&self, function: &str, more: &Json) -> Configuration {
        let mut options = self.options.clone();
        options["call"] = function.into();
        for (name, value) in more.as_object().into_iter().flatten() {
            options[name] = value.clone();
        }
        configuration(&options)
    }

    /// The call in a component of this kind at its work.
    pub async fn call(&self, kind: Kind, function: &str, more: &Json) -> Answer {
        self.called(kind, function, more, false).await
    }

    /// The same; a provisioner is given the session that a builder makes.
    pub async fn called(&self, kind: Kind, function: &str, more: &Json, connected: bool) -> Answer {
        let scope = self.run.build("contract.x", "x", "contract");
        let options = self.configuration(function, more);
        let made = matches!(kind, Kind::PostProcessor) || connected;
        let (builder, session, artifact) = if made {
            let first = self.configuration(if connected { "connect" } else { "ui.log" }, more);
            let token = CancellationToken::new();
            let (builder, prepared) =
                scope.prepare(&step(Kind::Builder), &first, info(Kind::Builder), token).await;
            let (mut builder, session) = (builder.unwrap(), prepared.unwrap().session);
            let artifact = builder.finish().await.unwrap().unwrap();
            (Some(builder), session, Some(artifact))
        } else {
            (None, None, None)
        };
        self.said.lines.lock().unwrap().clear();
        self.trace.lock().unwrap().clear();
        let session: Option<&SessionHandle> = session.as_ref();
        let (step, info, token) = (step(kind), info(kind), CancellationToken::new());
        let mut own = None;
        let ended: Result<(), StepError> = match kind {
            Kind::Builder => {
                let (builder, prepared) = scope.prepare(&step, &options, info, token).await;
                own = builder;
                prepared.map(drop)
            }
            Kind::Provisioner => scope.provision(&step, &options, session, info, token).await,
            Kind::PostProcessor => {
                scope.post_process(&step, &options, &artifact.unwrap(), info, token).await.map(drop)
            }
            Kind::DataSource => self.run.read_data(&step, &options).await.map(drop),
        };
        let got = match ended {
            Ok(()) => read(self.said.lines.lock().unwrap().last().map_or("it said nothing", |line| line)),
            Err(error) => broken(function, &error.message),
        };
        let records = std::mem::take(&mut *self.trace.lock().unwrap());
        for builder in [builder, own].into_iter().flatten() {
            let _ = builder.cleanup(Outcome::Failed).await;
        }
        let left = scope.close(Outcome::Failed).await;
        // These guests cannot undo what they record, and whoever closes the build is told. A data
        // source has closed its own.
        let recorded =
            function == "journal.record-undo" && matches!(got, Got::Ok) && kind != Kind::DataSource;
        assert_eq!(left.len(), usize::from(recorded), "{function} left {left:?}");
        Answer { got, records }
    }

    /// The call in `validate`, which reaches nothing.
    pub async fn validate(&self, kind: Kind, function: &str, more: &Json) -> Answer {
        let scope = self.run.build("contract.x", "x", "contract");
        self.trace.lock().unwrap().clear();
        let found = scope.validate(&step(kind), &self.configuration(function, more)).await;
        assert_eq!(found.len(), 1, "{function}: {found:?}");
        let text = &found[0].summary;
        let got =
            if found[0].code.name() == "component::validate" { read(text) } else { broken(function, text) };
        let records = std::mem::take(&mut *self.trace.lock().unwrap());
        assert!(scope.close(Outcome::Failed).await.is_empty());
        Answer { got, records }
    }
}

/// The component; without its option groups if they are not wanted.
fn program(name: &str, groups: bool) -> Vec<u8> {
    let path = kiln_tests::made(&format!("programs/contract_{name}.wasm"), "cargo xtask guests");
    let mut bytes = std::fs::read(path).unwrap();
    let (word, other) = (b"x-kiln-include", b"x-kiln-nothing");
    if !groups {
        let places: Vec<_> =
            bytes.windows(word.len()).enumerate().filter(|(_, w)| w == word).map(|(at, _)| at).collect();
        assert_eq!(places.len(), 1, "the schema of {name} was not found");
        bytes[places[0]..places[0] + word.len()].copy_from_slice(other);
    }
    bytes
}

/// A line of `tests/programs/contract/calls.rs`.
fn read(line: &str) -> Got {
    let line = line.trim_end();
    if let Some(rest) = line.strip_prefix("unreachable: needs ") {
        let (needs, how) = rest.split_once(": ").unwrap();
        return Got::Unreachable(needs.to_owned(), how.to_owned());
    }
    match line.split_once(": ") {
        _ if line == "ok" => Got::Ok,
        _ if line == "nothing" => Got::Nothing,
        Some(("denied", message)) => Got::Refused(message.to_owned()),
        Some((code, message)) => Got::Error(code.to_owned(), message.to_owned()),
        None => Got::Broke(line.to_owned()),
    }
}

/// Functions without an error of their own refuse by ending the guest.
fn broken(function: &str, message: &str) -> Got {
    let refusing = message.split_once("` is not for ").and_then(|(before, _)| before.rsplit_once('`'));
    match refusing {
        Some((_, name)) if name == function => Got::Refused(message.to_owned()),
        Some((_, name)) => Got::Unreachable(name.to_owned(), message.to_owned()),
        None => Got::Broke(message.to_owned()),
    }
}

fn info(kind: Kind) -> Arc<StepInfo> {
    static NEXT: AtomicU64 = AtomicU64::new(1_000_000);
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    Arc::new(StepInfo { id, component: ComponentRef::new(kind, "contract"), label: None, attempt: 1 })
}

#[derive(Debug)]
struct Never;

impl Evaluate for Never {
    fn evaluate(&self, _: &BuildValues) -> Result<Configuration, Diagnostics> {
        unreachable!("tests evaluate themselves")
    }
}

fn step(kind: Kind) -> Step {
    Step {
        component: ComponentRef::new(kind, "contract"),
        label: None,
        span: None,
        first: configuration(&json!({})),
        late: Arc::new(Never),
    }
}

fn configuration(options: &Json) -> Configuration {
    let value = Value::from_json(options, Default::default());
    Configuration { value, spans: Default::default(), block: None, context: "the test".into() }
}
