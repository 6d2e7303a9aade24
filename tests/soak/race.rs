//! A directory that turns into a link and back while a component writes below it: what is written
//! lands inside or nowhere.

use crate::Rounds;
use kiln_host::{Bundled, Host, HostOptions, Outcome, RunOptions};
use kiln_plan::grant::Grants;
use kiln_plan::{
    BuildValues, ComponentRef, Configuration, Diagnostics, Evaluate, Kind, Step, StepInfo, Value,
};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio_util::sync::CancellationToken;

#[derive(Debug)]
struct Never;

impl Evaluate for Never {
    fn evaluate(&self, _: &BuildValues) -> Result<Configuration, Diagnostics> {
        unreachable!("the test evaluates itself")
    }
}

fn host(folder: &Path) -> Host {
    let program = kiln_tests::made("programs/probe.wasm", "cargo xtask guests");
    let bytes = std::fs::read(program).unwrap();
    let grants = Some(Grants::none());
    Host::new(HostOptions {
        cache_dir: folder.join("cache"),
        state_dir: folder.join("state"),
        temp_dir: folder.join("tmp"),
        working_dir: folder.join("work"),
        bundled: vec![Bundled { kind: Kind::Provisioner, name: "probe".into(), bytes: bytes.into(), grants }],
        ..HostOptions::default()
    })
    .unwrap()
}

/// Turns `place` into a directory, into a link out, and back, without a pause.
fn swap(place: &Path, outside: &Path, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let _ = std::fs::remove_dir_all(place);
        let _ = symlink(outside, place);
        let _ = std::fs::remove_file(place);
        let _ = std::fs::create_dir(place);
    }
}

#[tokio::test]
#[ignore = "long: cargo xtask soak race"]
async fn race_of_links_against_outputs() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["work/o/a", "tmp", "outside"] {
        std::fs::create_dir_all(at(name)).unwrap();
    }
    let run = host(folder.path()).run(RunOptions::silent());
    let stop = Arc::new(AtomicBool::new(false));
    let (place, outside, flag) = (at("work/o/a"), at("outside"), stop.clone());
    let swapper = std::thread::spawn(move || swap(&place, &outside, &flag));
    let component = ComponentRef::new(Kind::Provisioner, "probe");
    let words: Vec<_> = (0..50).map(|n| format!("child a/{n}")).collect();
    let options = serde_json::json!({"output": "o", "do": words});
    let value = Value::from_json(&options, Default::default());
    let configuration =
        Configuration { value, spans: Default::default(), block: None, context: "the test".into() };
    let step = Step {
        component: component.clone(),
        label: None,
        span: None,
        first: configuration.clone(),
        late: Arc::new(Never),
    };
    let mut rounds = Rounds::new("race");
    while rounds.next() {
        let scope = run.build("probe.x", "x", "probe");
        let info =
            Arc::new(StepInfo { id: rounds.done, component: component.clone(), label: None, attempt: 1 });
        let result = scope.provision(&step, &configuration, None, info, CancellationToken::new()).await;
        assert!(!result.as_ref().is_err_and(|error| error.is_trap()), "{result:?}");
        scope.close(Outcome::Success).await;
        let escaped: Vec<_> = std::fs::read_dir(at("outside")).unwrap().flatten().map(|e| e.path()).collect();
        assert!(escaped.is_empty(), "written outside: {escaped:?}");
    }
    stop.store(true, Ordering::Relaxed);
    swapper.join().unwrap();
}
