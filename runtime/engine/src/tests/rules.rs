//! One test for each rule.

use super::scripted::{Act, Script, build, play, play_until, post_processor, provisioner};
use crate::{OnError, RunOptions, RunResult};
use kiln_plan::{BuildOutcome, EventBody, PostProcessor, Provisioner};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const SECOND: Duration = Duration::from_secs(1);

fn options(on_error: OnError) -> RunOptions {
    RunOptions { on_error, ..RunOptions::default() }
}

fn failed(result: &RunResult, place: usize) -> Vec<String> {
    match &result.builds[place].outcome {
        BuildOutcome::Failed(errors) => errors.clone(),
        other => panic!("{other:?}"),
    }
}

fn artifacts(result: &RunResult) -> Vec<String> {
    match &result.builds[0].outcome {
        BuildOutcome::Succeeded(artifacts) => artifacts.iter().map(|a| a.description.clone()).collect(),
        other => panic!("{other:?}"),
    }
}

fn after(time: Duration) -> CancellationToken {
    let token = CancellationToken::new();
    let later = token.clone();
    tokio::spawn(async move {
        tokio::time::sleep(time).await;
        later.cancel();
    });
    token
}

#[tokio::test(start_paused = true)]
async fn steps_in_order_with_late_values() {
    let mut one = build("x", vec![provisioner("a"), provisioner("b")]);
    one.post_processors = vec![vec![post_processor("p")]];
    let (script, result) = play(Script::default(), vec![one], RunOptions::default()).await;
    assert!(result.is_success());
    assert_eq!(
        script.log(),
        [
            "prepare x",
            "provision a #1 id=real",
            "provision b #1 id=real",
            "finish x",
            "cleanup x Success",
            "process p <image>",
            "close x Success"
        ]
    );
    assert_eq!(artifacts(&result), ["image", "image+p"]);
}

#[tokio::test(start_paused = true)]
async fn events_pair_up_and_carry_unique_steps() {
    let (script, _) =
        play(Script::default(), vec![build("x", vec![provisioner("a")])], RunOptions::default()).await;
    let events = script.events.lock().unwrap();
    let ids = |want: fn(&EventBody) -> bool| -> Vec<u64> {
        events.iter().filter(|e| want(&e.body)).map(|e| e.step.as_ref().unwrap().id).collect()
    };
    let started = ids(|body| matches!(body, EventBody::StepStarted { .. }));
    assert_eq!(started, ids(|body| matches!(body, EventBody::StepFinished { .. })));
    assert_eq!(started, [1, 2, 3, 4]);
    assert!(matches!(events.first().unwrap().body, EventBody::RunStarted { .. }));
    assert!(matches!(events.last().unwrap().body, EventBody::RunFinished { interrupted: false, .. }));
    let spans: Vec<&str> = events
        .iter()
        .filter_map(|e| if let EventBody::Span { name, .. } = &e.body { Some(&**name) } else { None })
        .collect();
    assert_eq!(spans, ["queue", "prepare", "provision", "finish", "cleanup"]);
}

#[tokio::test(start_paused = true)]
async fn invalid_builds_are_dropped_and_the_rest_runs() {
    let script = Script::default().invalid("bad");
    let builds =
        vec![build("x", vec![provisioner("bad")]), build("y", vec![]), build("z", vec![provisioner("bad")])];
    let (script, result) = play(script, builds, RunOptions::default()).await;
    assert!(!result.is_success());
    assert_eq!(result.invalid.iter().map(|n| &**n).collect::<Vec<_>>(), ["x", "z"]);
    assert_eq!(result.diagnostics.len(), 1, "the same finding is shown once");
    assert_eq!(
        script.log(),
        [
            "close x Success",
            "close z Success",
            "prepare y",
            "finish y",
            "cleanup y Success",
            "close y Success"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_runs_if_all_are_invalid() {
    let script = Script::default().invalid("machine");
    let (script, result) = play(script, vec![build("x", vec![])], RunOptions::default()).await;
    assert!(!result.is_success() && result.builds.is_empty());
    assert_eq!(script.log(), ["close x Success"]);
}

#[tokio::test(start_paused = true)]
async fn parallel_builds_are_bounded() {
    for (bound, most) in [(0, 4), (1, 1), (2, 2)] {
        let builds = (0..4).map(|n| build(&format!("b{n}"), vec![provisioner("a")])).collect();
        let script = Script::default().on("provision a", Act::Wait(SECOND));
        let started = Instant::now();
        let options = RunOptions { parallel_builds: bound, ..RunOptions::default() };
        let (script, result) = play(script, builds, options).await;
        assert!(result.is_success());
        assert_eq!(script.most_at_once(), most);
        assert_eq!(started.elapsed().as_secs(), 4 / most as u64);
        let prepared: Vec<_> = script.log().into_iter().filter(|l| l.starts_with("prepare")).collect();
        assert_eq!(prepared, ["prepare b0", "prepare b1", "prepare b2", "prepare b3"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failing_build_does_not_stop_others() {
    let script = Script::default().on("provision a", Act::Fail("exit 3"));
    let builds = vec![build("x", vec![provisioner("a")]), build("y", vec![])];
    let (script, result) =
        play(script, builds, RunOptions { parallel_builds: 1, ..RunOptions::default() }).await;
    assert_eq!(failed(&result, 0), ["exit 3"]);
    assert!(matches!(result.builds[1].outcome, BuildOutcome::Succeeded(_)));
    assert!(script.log().contains(&"cleanup x Failed".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn retries_report_the_first_error() {
    let script = Script::default()
        .on("provision a", Act::Fail("first"))
        .on("provision a", Act::Fail("second"))
        .on("provision a", Act::Fail("third"));
    let retried = Provisioner { max_retries: 2, pause_before: SECOND, ..provisioner("a") };
    let started = Instant::now();
    let (script, result) = play(script, vec![build("x", vec![retried])], RunOptions::default()).await;
    assert_eq!(failed(&result, 0), ["first"]);
    assert_eq!(started.elapsed(), 3 * SECOND, "a pause before each attempt");
    let attempts = script.log().iter().filter(|l| l.starts_with("provision a")).cloned().collect::<Vec<_>>();
    assert_eq!(attempts, ["provision a #1 id=real", "provision a #2 id=real", "provision a #3 id=real"]);
}

#[tokio::test(start_paused = true)]
async fn a_retry_may_succeed() {
    let script =
        Script::default().on("provision a", Act::Fail("first")).on("provision a", Act::Wait(Duration::ZERO));
    let retried = Provisioner { max_retries: 5, ..provisioner("a") };
    let (script, result) = play(script, vec![build("x", vec![retried])], RunOptions::default()).await;
    assert!(result.is_success());
    assert_eq!(script.log().iter().filter(|l| l.starts_with("provision")).count(), 2);
}

#[tokio::test(start_paused = true)]
async fn timeout_works_with_pause_before() {
    let script = Script::default().on("provision a", Act::Wait(60 * SECOND));
    let bounded = Provisioner { pause_before: 3 * SECOND, timeout: 2 * SECOND, ..provisioner("a") };
    let started = Instant::now();
    let (_, result) = play(script, vec![build("x", vec![bounded])], RunOptions::default()).await;
    assert_eq!(failed(&result, 0), ["the provisioner timed out after 2s"]);
    assert_eq!(started.elapsed(), 5 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_may_be_retried_and_a_deaf_call_is_dropped() {
    let script = Script::default()
        .on("provision a", Act::Deaf(3600 * SECOND))
        .on("provision a", Act::Wait(Duration::ZERO));
    let bounded = Provisioner { timeout: SECOND, max_retries: 1, ..provisioner("a") };
    let started = Instant::now();
    let (_, result) = play(script, vec![build("x", vec![bounded])], RunOptions::default()).await;
    assert!(result.is_success(), "{result:?}");
    assert!(started.elapsed() < 60 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn continue_on_error_goes_on_but_not_after_a_cancel() {
    let tolerant = || Provisioner { continue_on_error: true, ..provisioner("a") };
    let script = Script::default().on("provision a", Act::Fail("exit 1"));
    let (_, result) =
        play(script, vec![build("x", vec![tolerant(), provisioner("b")])], RunOptions::default()).await;
    assert!(result.is_success());
    let script = Script::default().on("provision a", Act::Wait(60 * SECOND));
    let builds = vec![build("x", vec![tolerant(), provisioner("b")])];
    let (script, result) = play_until(script, builds, RunOptions::default(), after(SECOND)).await;
    assert_eq!(result.builds[0].outcome, BuildOutcome::Cancelled);
    assert!(!script.log().iter().any(|l| l.starts_with("provision b")));
}

#[tokio::test(start_paused = true)]
async fn a_cancel_cleans_up_and_starts_nothing_more() {
    let mut first = build("x", vec![provisioner("a")]);
    first.error_cleanup = Some(provisioner("tidy"));
    first.post_processors = vec![vec![post_processor("p")]];
    let script = Script::default().on("provision a", Act::Wait(60 * SECOND));
    let options = RunOptions { parallel_builds: 1, ..RunOptions::default() };
    let (script, result) = play_until(script, vec![first, build("y", vec![])], options, after(SECOND)).await;
    assert!(result.interrupted && !result.is_success());
    assert!(result.builds.iter().all(|b| b.outcome == BuildOutcome::Cancelled));
    assert_eq!(
        script.log(),
        [
            "prepare x",
            "provision a #1 id=real",
            "provision tidy #1 id=real",
            "cleanup x Cancelled",
            "close x Cancelled",
            "close y Cancelled"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_cancel_while_post_processing_keeps_the_image() {
    let mut one = build("x", vec![]);
    one.post_processors = vec![vec![post_processor("p")], vec![post_processor("q")]];
    let script = Script::default().on("process p", Act::Wait(60 * SECOND));
    let (script, result) = play_until(script, vec![one], RunOptions::default(), after(SECOND)).await;
    assert_eq!(result.builds[0].outcome, BuildOutcome::Cancelled);
    assert_eq!(script.log()[1..], ["finish x", "cleanup x Success", "process p <image>", "close x Success"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_ignores_its_cancel_is_dropped() {
    let script = Script::default().on("prepare", Act::Deaf(3600 * SECOND));
    let started = Instant::now();
    let (script, result) =
        play_until(script, vec![build("x", vec![])], RunOptions::default(), after(SECOND)).await;
    assert_eq!(result.builds[0].outcome, BuildOutcome::Cancelled);
    assert!(started.elapsed() < 60 * SECOND);
    assert_eq!(script.log(), ["prepare x", "close x Cancelled"]);
}

#[tokio::test(start_paused = true)]
async fn cleanup_runs_after_every_failure() {
    for (call, log) in [
        ("prepare", vec!["prepare x", "cleanup x Failed", "close x Failed"]),
        ("provision a", vec!["prepare x", "provision a #1 id=real", "cleanup x Failed", "close x Failed"]),
        (
            "finish",
            vec!["prepare x", "provision a #1 id=real", "finish x", "cleanup x Failed", "close x Failed"],
        ),
    ] {
        for act in [Act::Fail("no"), Act::Panic] {
            // A call that panicked in `prepare` gave no builder that could be cleaned up.
            let lost = call == "prepare" && matches!(act, Act::Panic);
            let script = Script::default().on(call, act);
            let (script, result) =
                play(script, vec![build("x", vec![provisioner("a")])], RunOptions::default()).await;
            assert_eq!(failed(&result, 0).len(), 1, "{call}");
            let expected: Vec<_> = log.iter().filter(|l| !lost || !l.starts_with("cleanup")).collect();
            assert_eq!(script.log().iter().collect::<Vec<_>>(), expected, "{call}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_an_error_of_its_build() {
    let script = Script::default().on("provision a", Act::Panic);
    let builds = vec![build("x", vec![provisioner("a")]), build("y", vec![])];
    let (_, result) = play(script, builds, RunOptions::default()).await;
    assert!(failed(&result, 0)[0].contains("on purpose"));
    assert!(matches!(result.builds[1].outcome, BuildOutcome::Succeeded(_)));
}

#[tokio::test(start_paused = true)]
async fn a_failing_cleanup_is_one_more_error() {
    let script = Script::default().on("provision a", Act::Fail("exit 3")).on("cleanup", Act::Fail("busy"));
    let (_, result) = play(script, vec![build("x", vec![provisioner("a")])], RunOptions::default()).await;
    let errors = failed(&result, 0);
    assert_eq!(errors[0], "exit 3");
    assert!(errors[1].contains("busy") && errors[1].contains("kiln cleanup"));
}

#[tokio::test(start_paused = true)]
async fn a_cleanup_is_bounded() {
    let script = Script::default().on("cleanup", Act::Deaf(86_400 * SECOND));
    let started = Instant::now();
    let (_, result) = play(script, vec![build("x", vec![])], RunOptions::default()).await;
    assert!(failed(&result, 0)[0].contains("it took too long"));
    assert!(started.elapsed() < 600 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn the_error_cleanup_provisioner_by_mode() {
    for (mode, log) in [
        (OnError::Cleanup, vec!["provision tidy #1 id=real", "cleanup x Failed", "close x Failed"]),
        (OnError::Abort, vec!["cleanup x Aborted", "close x Aborted"]),
        (
            OnError::RunCleanupProvisioner,
            vec!["provision tidy #1 id=real", "cleanup x Aborted", "close x Aborted"],
        ),
    ] {
        let mut one = build("x", vec![provisioner("a")]);
        one.error_cleanup = Some(provisioner("tidy"));
        // Its own failure changes nothing.
        let script =
            Script::default().on("provision a", Act::Fail("exit 3")).on("provision tidy", Act::Fail("also"));
        let (script, result) = play(script, vec![one], options(mode)).await;
        assert_eq!(failed(&result, 0), ["exit 3"], "{mode:?}");
        assert_eq!(script.log()[2..], log, "{mode:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_error_cleanup_provisioner_is_not_for_failures_elsewhere() {
    for call in ["prepare", "finish"] {
        let mut one = build("x", vec![]);
        one.error_cleanup = Some(provisioner("tidy"));
        let (script, _) =
            play(Script::default().on(call, Act::Fail("no")), vec![one], RunOptions::default()).await;
        assert!(!script.log().iter().any(|l| l.starts_with("provision tidy")), "{call}");
    }
}

#[tokio::test(start_paused = true)]
async fn ask_retries_aborts_or_cleans_up() {
    let script = || {
        Script::default().on("provision a", Act::Fail("exit 3")).on("provision a", Act::Wait(Duration::ZERO))
    };
    let one = || vec![build("x", vec![provisioner("a")])];
    let (_, result) = play(script().answer(2), one(), options(OnError::Ask)).await;
    assert!(result.is_success(), "{result:?}");
    let (log, _) = play(script().answer(1), one(), options(OnError::Ask)).await;
    assert_eq!(log.log().last().unwrap(), "close x Aborted");
    let (log, _) = play(script().answer(0), one(), options(OnError::Ask)).await;
    assert_eq!(log.log().last().unwrap(), "close x Failed");
    let (log, _) = play(script(), one(), options(OnError::Ask)).await;
    assert_eq!(log.log().last().unwrap(), "close x Failed", "nobody to ask");
}

#[tokio::test(start_paused = true)]
async fn ask_retries_prepare_on_a_new_machine() {
    let script = Script::default()
        .on("prepare", Act::Fail("no sshd"))
        .on("prepare", Act::Wait(Duration::ZERO))
        .answer(2);
    let (script, result) = play(script, vec![build("x", vec![])], options(OnError::Ask)).await;
    assert!(result.is_success());
    let log = script.log();
    assert_eq!(
        log.iter().filter(|l| !l.starts_with("ask")).take(3).collect::<Vec<_>>(),
        ["prepare x", "cleanup x Failed", "prepare x"]
    );
}

#[tokio::test(start_paused = true)]
async fn debug_pauses_and_runs_one_at_a_time() {
    let builds = vec![build("x", vec![provisioner("a")]), build("y", vec![])];
    let script = Script::default().answer(0).answer(0).answer(0);
    let (script, result) = play(script, builds, RunOptions { debug: true, ..RunOptions::default() }).await;
    assert!(result.is_success());
    assert_eq!(script.most_at_once(), 1);
    let asked: Vec<_> = script.log().into_iter().filter(|l| l.starts_with("ask")).collect();
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert!(asked[0].contains("before the provisioner `a`") && asked[1].contains("before the cleanup"));
}

/// A post-processor: its name, its answer, the user's `keep_input_artifact`.
type Scripted = (&'static str, Option<Act>, Option<bool>);

/// Post-processors by their answers; the artifacts that are listed and what was destroyed.
async fn process(sequences: Vec<Vec<Scripted>>) -> (Vec<String>, RunResult) {
    let mut one = build("x", vec![]);
    let mut script = Script::default();
    for sequence in sequences {
        let mut made = Vec::new();
        for (name, act, keep) in sequence {
            made.push(PostProcessor { keep_input_artifact: keep, ..post_processor(name) });
            if let Some(act) = act {
                script = script.on(&format!("process {name}"), act);
            }
        }
        one.post_processors.push(made);
    }
    let (script, result) = play(script, vec![one], RunOptions::default()).await;
    (script.log().into_iter().filter(|l| l.starts_with("destroy")).collect(), result)
}

const DROP: Option<Act> = Some(Act::Give(Some("out"), false, false));
const KEEP: Option<Act> = Some(Act::Give(Some("out"), true, false));
const MUST: Option<Act> = Some(Act::Give(Some("out"), true, true));

#[tokio::test(start_paused = true)]
async fn the_input_goes_unless_it_is_kept() {
    for (act, user, destroyed, listed) in [
        (DROP, None, true, vec!["out"]),
        (DROP, Some(true), false, vec!["image", "out"]),
        (KEEP, None, false, vec!["image", "out"]),
        (KEEP, Some(false), true, vec!["out"]),
        (MUST, Some(false), false, vec!["image", "out"]),
    ] {
        let (gone, result) = process(vec![vec![("p", act, user)]]).await;
        assert_eq!(gone.len(), usize::from(destroyed));
        assert_eq!(artifacts(&result), listed);
    }
}

#[tokio::test(start_paused = true)]
async fn one_sequence_that_keeps_is_enough_and_each_starts_from_the_image() {
    let (gone, result) = process(vec![vec![("p", DROP, None)], vec![("q", None, None)]]).await;
    assert!(gone.is_empty());
    assert_eq!(artifacts(&result), ["image", "out", "image+q"]);
}

#[tokio::test(start_paused = true)]
async fn intermediate_outputs_go() {
    let second = Some(Act::Give(Some("out2"), false, false));
    let (gone, result) = process(vec![vec![("p", DROP, None), ("q", second, None)]]).await;
    assert_eq!(gone, ["destroy out", "destroy image"]);
    assert_eq!(artifacts(&result), ["out2"]);
}

#[tokio::test(start_paused = true)]
async fn kept_outputs_in_between_are_results() {
    let pass_on = Some(Act::Give(Some("image"), true, true));
    let (gone, result) = process(vec![vec![("p", pass_on, None), ("q", KEEP, None)]]).await;
    assert!(gone.is_empty());
    assert_eq!(artifacts(&result), ["image", "image", "out"]);
}

#[tokio::test(start_paused = true)]
async fn no_output_ends_a_sequence() {
    let nothing = Some(Act::Give(None, true, false));
    let (gone, result) = process(vec![vec![("p", nothing, None), ("q", None, None)]]).await;
    assert!(gone.is_empty());
    assert_eq!(artifacts(&result), ["image"]);
}

#[tokio::test(start_paused = true)]
async fn a_failing_post_processor_keeps_the_image_and_others_run() {
    let (gone, result) =
        process(vec![vec![("p", Some(Act::Fail("no space")), None)], vec![("q", DROP, None)]]).await;
    assert!(gone.is_empty(), "the image is never deleted after a failure");
    assert_eq!(failed(&result, 0), ["Post-processor failed: no space"]);
}
