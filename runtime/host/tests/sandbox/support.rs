//! A host in a folder of its own, a step made of JSON, and everything that the user would see.

use kiln_host::{Bundled, Host, HostOptions, Limits, Run, RunOptions, StepError};
use kiln_plan::grant::Grants;
use kiln_plan::{
    BuildValues, ComponentRef, Configuration, Diagnostics, Evaluate, Event, EventBody, EventSink, Kind, Step,
    StepInfo, Value,
};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tokio_util::sync::CancellationToken;

/// Keeps what happens.
#[derive(Default)]
pub struct Seen(Mutex<Vec<Event>>);

impl EventSink for Seen {
    fn emit(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

impl Seen {
    /// What was said to the user, in order.
    pub fn said(&self) -> Vec<String> {
        let events = self.0.lock().unwrap();
        let said = events.iter().filter_map(|event| match &event.body {
            EventBody::Say { text } => Some(text.clone()),
            _ => None,
        });
        said.collect()
    }

    /// Everything, as text.
    pub fn all(&self) -> String {
        format!("{:?}", self.0.lock().unwrap())
    }
}

/// A program of tests/programs.
pub fn program(name: &str) -> Vec<u8> {
    let folder = std::env::var_os("KILN_PROGRAMS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/programs"), PathBuf::from);
    let path = folder.join(format!("{name}.wasm"));
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}; run `cargo xtask guests`", path.display()))
}

/// A sandbox in a folder that is removed with it.
pub struct World {
    pub folder: tempfile::TempDir,
    pub host: Host,
    pub seen: Arc<Seen>,
    pub run: Run,
    pub cancel: CancellationToken,
}

pub struct Setup {
    pub grants: Grants,
    pub limits: Limits,
    pub force: bool,
    pub sensitive: Vec<String>,
}

impl Default for Setup {
    fn default() -> Self {
        let limits = Limits {
            grace: std::time::Duration::from_millis(500),
            cpu: std::time::Duration::from_secs(1),
            ..Limits::default()
        };
        Self { grants: Grants::none(), limits, force: false, sensitive: Vec::new() }
    }
}

pub fn grants(list: &[(&str, &[&str])]) -> Grants {
    Grants::parse(list.iter().map(|(name, targets)| (*name, *targets))).unwrap()
}

impl World {
    pub fn new(setup: Setup) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["work", "tmp", "home"] {
            std::fs::create_dir(at(name)).unwrap();
        }
        std::fs::write(at("secret"), "outside").unwrap();
        let environment = [("PATH", "/usr/bin:/bin"), ("AWS_KEY", "k"), ("OTHER", "o")];
        let options = HostOptions {
            cache_dir: at("cache"),
            state_dir: at("state"),
            temp_dir: at("tmp"),
            working_dir: at("work"),
            home: Some(at("home")),
            environment: environment.map(|(name, value)| (name.into(), value.into())).into(),
            bundled: [
                (Kind::Provisioner, "probe", "probe"),
                (Kind::Builder, "probe", "probe_builder"),
                (Kind::Builder, "undoer", "undoer"),
            ]
            .map(|(kind, name, file)| Bundled {
                kind,
                name: name.into(),
                bytes: program(file).into(),
                grants: Some(setup.grants.clone()),
            })
            .into(),
            limits: setup.limits,
            ..HostOptions::default()
        };
        let host = Host::new(options).unwrap();
        let seen = Arc::new(Seen::default());
        let cancel = CancellationToken::new();
        let run = host.run(RunOptions {
            sink: seen.clone(),
            cancel: cancel.clone(),
            force: setup.force,
            sensitive: setup.sensitive,
            ..RunOptions::silent()
        });
        Self { folder, host, seen, run, cancel }
    }

    pub fn work(&self, name: &str) -> PathBuf {
        self.folder.path().join("work").join(name)
    }

    /// Runs the probe with these options.
    pub async fn provision(&self, options: serde_json::Value) -> Result<(), StepError> {
        let scope = self.run.build("b.probe.x", "x", "probe");
        let step = step(Kind::Provisioner);
        let result = scope
            .provision(&step, &configuration(options), None, info(Kind::Provisioner), self.cancel.clone())
            .await;
        assert_eq!(scope.close(kiln_host::Outcome::Success).await, Vec::<String>::new());
        result
    }

    /// Runs the probe with these words and gives what it said.
    pub async fn says(&self, options: serde_json::Value) -> Vec<String> {
        let before = self.seen.said().len();
        self.provision(options).await.unwrap();
        self.seen.said().split_off(before)
    }

    pub async fn validate(&self, options: serde_json::Value) -> Diagnostics {
        self.run.build("b", "x", "probe").validate(&step(Kind::Provisioner), &configuration(options)).await
    }
}

/// What the executor says of a step.
pub fn info(kind: Kind) -> Arc<StepInfo> {
    Arc::new(StepInfo { id: 1, component: ComponentRef::new(kind, "probe"), label: None, attempt: 1 })
}

#[derive(Debug)]
struct Never;

impl Evaluate for Never {
    fn evaluate(&self, _: &BuildValues) -> Result<Configuration, Diagnostics> {
        unreachable!("tests evaluate themselves")
    }
}

pub fn step(kind: Kind) -> Step {
    Step {
        component: ComponentRef::new(kind, "probe"),
        label: None,
        span: None,
        first: configuration(serde_json::json!({})),
        late: Arc::new(Never),
    }
}

pub fn configuration(options: serde_json::Value) -> Configuration {
    let value = Value::from_json(&options, Default::default());
    Configuration { value, spans: Default::default(), block: None, context: "provisioner \"probe\"".into() }
}
