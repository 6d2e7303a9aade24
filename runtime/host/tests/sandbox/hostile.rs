//! Components that misbehave: each ends its own step and nothing else.

use crate::support::{Setup, World};
use kiln_host::Limits;
use serde_json::json;
use std::time::{Duration, Instant};

/// The step breaks, and the next one works.
async fn breaks(setup: Setup, word: &str) -> String {
    let world = World::new(setup);
    let error = world.provision(json!({"do": [word]})).await.unwrap_err();
    assert!(error.is_trap(), "{word}: {error:?}");
    assert_eq!(world.says(json!({"do": ["say alive"]})).await, ["alive"]);
    error.message
}

#[tokio::test]
async fn loops_end_when_their_time_is_spent() {
    let began = Instant::now();
    assert!(breaks(Setup::default(), "loop").await.contains("CPU time"));
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[tokio::test]
async fn validate_that_loops_ends() {
    let limits = Limits { pure_cpu: Duration::from_millis(300), ..Setup::default().limits };
    let world = World::new(Setup { limits, ..Setup::default() });
    let found = world.validate(json!({"text": "loop"})).await;
    assert!(found[0].summary.contains("CPU time"), "{found:?}");
}

#[tokio::test]
async fn waiting_costs_no_cpu_time() {
    let limits = Limits { cpu: Duration::from_millis(200), ..Setup::default().limits };
    let world = World::new(Setup { limits, ..Setup::default() });
    world.provision(json!({"do": ["sleep 400", "naps 200"]})).await.unwrap();
}

#[tokio::test]
async fn recursion_traps() {
    // On the native stack or on the guest's own: either way it is the guest that ends.
    breaks(Setup::default(), "recurse").await;
}

#[tokio::test]
async fn aborts_trap() {
    breaks(Setup::default(), "trap").await;
}

#[tokio::test]
async fn memory_is_bounded() {
    breaks(Setup::default(), "alloc 268435456").await;
    let world = World::new(Setup::default());
    assert_eq!(world.says(json!({"do": ["alloc 100000000"]})).await, ["100000000"]);
}

#[tokio::test]
async fn handles_are_bounded() {
    let world = World::new(Setup::default());
    world.provision(json!({"do": ["handles 9000"]})).await.unwrap();
    breaks(Setup::default(), "handles 10001").await;
}

#[tokio::test]
async fn bytes_in_files_are_bounded() {
    let limits = Limits { held_bytes: 8 << 20, ..Setup::default().limits };
    let world = World::new(Setup { limits, ..Setup::default() });
    world.provision(json!({"do": ["hold 8", "hold 8"]})).await.unwrap();
    let error = world.provision(json!({"do": ["hold 9"]})).await.unwrap_err();
    assert_eq!(error.code, kiln_plan::code::step::LIMIT);
}

#[tokio::test]
async fn strings_are_bounded() {
    breaks(Setup::default(), "long 9000000").await;
}

#[tokio::test]
async fn calls_are_bounded() {
    let limits = Limits { calls: 1000, ..Setup::default().limits };
    assert!(breaks(Setup { limits, ..Setup::default() }, "flood 1001").await.contains("1000 calls"));
}

#[tokio::test]
async fn floods_are_thinned() {
    let limits = Limits { lines_per_second: 100, cpu: Duration::from_secs(20), ..Setup::default().limits };
    let world = World::new(Setup { limits, ..Setup::default() });
    let said = world.says(json!({"do": ["flood 20000"]})).await.len();
    assert!((100..5000).contains(&said), "{said}");
}

#[tokio::test]
async fn printed_text_is_bounded() {
    let world = World::new(Setup::default());
    let _ = world.provision(json!({"do": ["print 1000"]})).await;
    assert!(world.seen.all().len() < 200_000);
}

#[tokio::test]
async fn shown_text_is_clean() {
    let world = World::new(Setup::default());
    let said = world.says(json!({"do": ["say \u{1b}[31m##vso[task.x]\u{202e}y\u{7}"]})).await;
    assert_eq!(said, ["# #vso[task.x]y"]);
}

#[tokio::test]
async fn a_cancel_ends_what_waits() {
    let world = World::new(Setup::default());
    let cancel = world.cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(100)).await;
        cancel.cancel();
    });
    let began = Instant::now();
    let error = world.provision(json!({"do": ["sleep 60000"]})).await.unwrap_err();
    assert!(error.is_cancelled() && !error.is_trap(), "{error:?}");
    assert!(began.elapsed() < Duration::from_secs(5));
}

/// One that goes on after a cancel is dropped after the grace.
#[tokio::test]
async fn a_cancel_ends_who_does_not_listen() {
    for word in ["stubborn", "loop"] {
        let limits = Limits { cpu: Duration::from_secs(60), ..Setup::default().limits };
        let world = World::new(Setup { limits, ..Setup::default() });
        let cancel = world.cancel.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(100)).await;
            cancel.cancel();
        });
        let began = Instant::now();
        let error = world.provision(json!({"do": [word]})).await.unwrap_err();
        assert!(error.is_cancelled(), "{word}: {error:?}");
        assert!(began.elapsed() < Duration::from_secs(20), "{word}");
    }
}
