//! Secrets reach sinks and nothing else.

use crate::support::{Setup, World, grants};
use serde_json::json;

const SECRET: &str = "it's";

#[tokio::test]
async fn a_guest_never_sees_the_value() {
    let world = World::new(Setup::default());
    let said =
        world.says(json!({"secret": "hunter2-hunter2", "do": ["json", "secret", "scratch note"]})).await;
    assert!(said.iter().all(|text| !text.contains("hunter2")), "{said:?}");
    // Said in sealed form, it is shown like the value: not at all.
    assert_eq!(said[1], "the secret is <sensitive>");
    assert!(!world.seen.all().contains("hunter2"));
}

#[tokio::test]
async fn a_quoted_secret_reaches_a_program_whole() {
    let world = World::new(Setup { grants: grants(&[("exec", &["sh"])]), ..Setup::default() });
    let said = world.says(json!({"secret": SECRET, "do": ["quote"]})).await;
    // The shell compared it with the value; what it printed came back sealed, so it is masked.
    assert_eq!(said, ["Some(0) same <sensitive>\n"]);
    assert!(!world.seen.all().contains(SECRET));
}

#[tokio::test]
async fn a_designated_output_gets_the_value() {
    let world = World::new(Setup::default());
    world.says(json!({"secret": "hunter2", "output": "out.txt", "do": ["write /output pw=SECRET"]})).await;
    assert_eq!(std::fs::read_to_string(world.work("out.txt")).unwrap(), "pw=hunter2");
}

#[tokio::test]
async fn revealing_is_a_grant() {
    let world = World::new(Setup { grants: grants(&[("secrets.reveal", &[])]), ..Setup::default() });
    assert_eq!(world.says(json!({"secret": "hunter2", "do": ["reveal"]})).await, ["7 letters", "ok"]);
}

#[tokio::test]
async fn known_secrets_inside_sensitive_text_are_sealed_alone() {
    let world = World::new(Setup { sensitive: vec!["hunter2".into()], ..Setup::default() });
    let said = world.says(json!({"secret": "user:hunter2@host", "do": ["secret"]})).await;
    assert_eq!(said, ["the secret is user:<sensitive>@host"]);
}

/// Input that is written piece by piece is a sink too, and has an end.
#[tokio::test]
async fn a_program_reads_what_the_guest_writes() {
    let world = World::new(Setup { grants: grants(&[("exec", &["sh"])]), ..Setup::default() });
    let said = world.says(json!({"secret": "hunter2-hunter2", "do": ["talk"]})).await;
    let ended = "ErrorCode::Ended: this program reads nothing more";
    assert_eq!(said, [format!("same\n | same\nmore | Some(0) | {ended}")]);
}
