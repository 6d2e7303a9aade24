//! A builder's life: what it made is an artifact or is gone.

use crate::support::{Setup, World, configuration, info, step};
use kiln_host::{Journal, Outcome};
use kiln_plan::Kind;
use serde_json::json;
use tokio_util::sync::CancellationToken;

fn left(world: &World) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(world.folder.path().join("work"))
        .unwrap()
        .map(|item| item.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn success_leaves_the_artifact_and_nothing_else() {
    let world = World::new(Setup::default());
    let scope = world.run.build("probe.x", "x", "probe");
    let options = configuration(json!({"output_directory": "parent/out"}));
    let (builder, prepared) =
        scope.prepare(&step(Kind::Builder), &options, info(Kind::Builder), world.cancel.clone()).await;
    let (mut builder, prepared) = (builder.unwrap(), prepared.unwrap());
    assert!(prepared.session.is_none());
    assert_eq!(prepared.values["ID"].as_text(), Some("x1"));
    assert!(prepared.values["Password"].marks.sensitive);
    assert!(world.work("parent/out/.kiln-incomplete").exists());
    // What the builder made known reaches a provisioner sealed.
    let provisioner = step(Kind::Provisioner);
    scope
        .provision(
            &provisioner,
            &configuration(json!({"do": ["values"]})),
            None,
            info(Kind::Provisioner),
            world.cancel.clone(),
        )
        .await
        .unwrap();
    assert!(world.seen.said().pop().unwrap().contains("<sensitive>"));
    let artifact = builder.finish().await.unwrap().unwrap();
    let summary = scope.artifact_summary(&artifact);
    assert_eq!(summary.files.len(), 1);
    assert_eq!((summary.files[0].name.as_str(), summary.files[0].size), ("parent/out/deep/disk.img", 4));
    builder.cleanup(Outcome::Success).await.unwrap();
    assert_eq!(world.seen.said().pop().unwrap(), "cleanup after Outcome::Success");
    assert!(scope.close(Outcome::Success).await.is_empty());
    assert!(
        world.work("parent/out/deep/disk.img").exists()
            && !world.work("parent/out/.kiln-incomplete").exists()
    );
    world.run.close();
    assert!(Journal::open_runs(&world.folder.path().join("state")).unwrap().is_empty());
    assert!(scope.destroy_artifact(&artifact).await.is_empty());
    assert!(!world.work("parent/out/deep/disk.img").exists());
}

#[tokio::test]
async fn every_failure_leaves_nothing() {
    for fail in ["prepare", "prepare trap", "finish", "finish trap"] {
        let world = World::new(Setup::default());
        let scope = world.run.build("probe.x", "x", "probe");
        let options = configuration(json!({"output_directory": "out", "fail": fail}));
        let (builder, prepared) =
            scope.prepare(&step(Kind::Builder), &options, info(Kind::Builder), world.cancel.clone()).await;
        let mut builder = builder.unwrap();
        let error = match prepared {
            Err(error) => error,
            Ok(_) => builder.finish().await.unwrap_err(),
        };
        assert_eq!(error.is_trap(), fail.ends_with("trap"), "{fail}: {error:?}");
        builder.cleanup(Outcome::Failed).await.unwrap();
        assert!(scope.close(Outcome::Failed).await.is_empty());
        assert_eq!(left(&world), Vec::<String>::new(), "{fail}");
        assert_eq!(std::fs::read_dir(world.folder.path().join("tmp")).unwrap().count(), 0);
    }
}

#[tokio::test]
async fn cleanup_can_wait_after_a_cancel() {
    let world = World::new(Setup::default());
    let scope = world.run.build("probe.x", "x", "probe");
    let cancel = CancellationToken::new();
    let options = configuration(json!({"output_directory": "out"}));
    let (builder, prepared) =
        scope.prepare(&step(Kind::Builder), &options, info(Kind::Builder), cancel.clone()).await;
    prepared.unwrap();
    cancel.cancel();
    builder.unwrap().cleanup(Outcome::Cancelled).await.unwrap();
    assert!(scope.close(Outcome::Cancelled).await.is_empty());
    assert_eq!(left(&world), Vec::<String>::new());
}

#[tokio::test]
async fn an_output_directory_that_exists_is_refused_or_forced() {
    let world = World::new(Setup::default());
    std::fs::create_dir(world.work("out")).unwrap();
    std::fs::write(world.work("out/mine"), "x").unwrap();
    let options = configuration(json!({"output_directory": "out"}));
    let scope = world.run.build("probe.x", "x", "probe");
    let found = scope.validate(&step(Kind::Builder), &options).await;
    assert!(found[0].summary.contains("exists already"), "{found:?}");
    let (_, prepared) =
        scope.prepare(&step(Kind::Builder), &options, info(Kind::Builder), world.cancel.clone()).await;
    assert_eq!(prepared.unwrap_err().code, kiln_plan::code::step::ALREADY_EXISTS);
    scope.close(Outcome::Failed).await;
    assert!(world.work("out/mine").exists(), "what was there stays");
}

/// As after `kill -9`: nothing was closed, and a later run cleans up.
#[tokio::test]
async fn what_a_killed_run_left_is_removed_later() {
    let world = World::new(Setup::default());
    let state = world.folder.path().join("state");
    let scope = world.run.build("probe.x", "x", "probe");
    let options = configuration(json!({"output_directory": "out"}));
    let (builder, prepared) =
        scope.prepare(&step(Kind::Builder), &options, info(Kind::Builder), world.cancel.clone()).await;
    prepared.unwrap();
    assert!(Journal::open_runs(&state).unwrap().is_empty(), "a live run is left alone");
    let World { folder, host, run, seen, .. } = world;
    drop((builder, scope, run, host, seen));
    let mut runs = Journal::open_runs(&state).unwrap();
    assert_eq!(runs.len(), 1);
    let (removed, left) = runs.remove(0).undo_all(None).await;
    assert!(removed.iter().any(|line| line.ends_with("/out")) && left.is_empty(), "{removed:?} {left:?}");
    assert!(!folder.path().join("work/out").exists());
    assert!(Journal::open_runs(&state).unwrap().is_empty());
}
