//! What a component made outside its build is undone by a fresh instance of it: at the end of the
//! build, or later if kiln was killed.

use crate::support::{Setup, World, configuration, grants, info, program, step};
use kiln_host::{Bundled, Host, HostOptions, Journal, OpenRun, Outcome};
use kiln_plan::{ComponentRef, Kind};
use serde_json::json;
use std::path::Path;
use std::time::{Duration, Instant};

fn world() -> World {
    World::new(Setup { grants: grants(&[("exec", &["touch", "rm"])]), ..Setup::default() })
}

/// Lets the component make its thing; the build is not closed yet.
async fn made(world: &World, then: &str) -> kiln_host::BuildScope {
    let scope = world.run.build("undoer.x", "x", "undoer");
    let mut step = step(Kind::Builder);
    step.component = ComponentRef::new(Kind::Builder, "undoer");
    let options = configuration(json!({"thing": "thing", "then": then, "secret": "hunter2-hunter2"}));
    let (builder, prepared) = scope.prepare(&step, &options, info(Kind::Builder), world.cancel.clone()).await;
    assert_eq!(prepared.is_ok(), matches!(then, "" | "keep"), "{then}");
    assert!(world.work("thing").exists());
    if let Some(builder) = builder {
        builder.cleanup(Outcome::Failed).await.unwrap();
    }
    scope
}

#[tokio::test]
async fn what_is_neither_kept_nor_done_goes_with_the_build() {
    for (then, outcome) in [("", Outcome::Success), ("fail", Outcome::Failed), ("trap", Outcome::Failed)] {
        let world = world();
        let scope = made(&world, then).await;
        // Also when the build was cancelled: undoing is not.
        scope.cancel_token().cancel();
        assert_eq!(scope.close(outcome).await, Vec::<String>::new(), "{then}");
        assert!(!world.work("thing").exists(), "{then}");
        // In the same run the instance has the secrets of the step too.
        assert!(world.seen.said().contains(&"undoing thing with its secret".to_owned()));
        world.run.close();
        assert!(Journal::open_runs(&world.folder.path().join("state")).unwrap().is_empty());
    }
}

#[tokio::test]
async fn what_is_kept_stays() {
    let world = world();
    let scope = made(&world, "keep").await;
    assert!(scope.close(Outcome::Success).await.is_empty());
    assert!(world.work("thing").exists() && !world.seen.all().contains("undoing"));
}

#[tokio::test]
async fn what_cannot_be_undone_is_told_and_stays_in_the_journal() {
    let world = world();
    let scope = made(&world, "break").await;
    assert_eq!(scope.close(Outcome::Failed).await, ["the thing thing: it does not go away"]);
    world.run.close();
    let state = world.folder.path().join("state");
    let World { folder: _folder, host, run, .. } = world;
    drop((scope, run, host));
    assert!(left_run(&state).has_outside());
}

/// The run that was left. A child that another test is just starting has the lock for a moment too.
fn left_run(state: &Path) -> OpenRun {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(run) = Journal::open_runs(state).unwrap().pop() {
            return run;
        }
        assert!(Instant::now() < deadline, "no run was left, or its lock is still held");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// As after `kill -9`.
#[tokio::test]
async fn a_later_run_undoes_by_the_same_component_and_no_other() {
    let world = world();
    let state = world.folder.path().join("state");
    let scope = made(&world, "").await;
    let World { folder, host, run, seen, .. } = world;
    drop((scope, run, seen));
    let journal = || left_run(&state);
    let text = std::fs::read_dir(state.join("runs")).unwrap().flatten().flat_map(|run| {
        std::fs::read_dir(run.path())
            .unwrap()
            .flatten()
            .map(|file| std::fs::read_to_string(file.path()).unwrap())
    });
    assert!(!text.collect::<String>().contains("hunter2"), "the journal has a secret");
    // Nobody there, or not this one.
    let at = |name: &str| folder.path().join(name);
    let other = |bundled: Vec<Bundled>| {
        let (cache_dir, state_dir) = (at("other-cache"), at("other-state"));
        Some(Host::new(HostOptions { cache_dir, state_dir, bundled, ..HostOptions::default() }).unwrap())
    };
    let bytes = program("probe_builder").into();
    let impostor = Bundled { kind: Kind::Builder, name: "undoer".into(), bytes, grants: None };
    for (host, why) in
        [(None, "undoer"), (other(Vec::new()), "undoer"), (other(vec![impostor]), "has the digest sha256:")]
    {
        let (_, left) = journal().undo_all(host.as_ref()).await;
        assert!(left[0].starts_with("the thing thing: ") && left[0].contains(why), "{left:?}");
        assert!(folder.path().join("work/thing").exists());
    }
    let (removed, left) = journal().undo_all(Some(&host)).await;
    assert!(
        left.is_empty() && removed.contains(&"removed the thing thing".to_owned()),
        "{removed:?} {left:?}"
    );
    assert!(!folder.path().join("work/thing").exists());
    assert!(Journal::open_runs(&state).unwrap().is_empty());
}
