//! What a component without grants and designations gets from each call.

use crate::support::{Setup, World, grants};
use kiln_host::{Class, IMPORTS};
use kiln_plan::{ComponentRef, Kind};
use serde_json::json;

#[tokio::test]
async fn nothing_is_reached_without_authority() {
    let world = World::new(Setup::default());
    let said = world.says(json!({"text": "/etc/passwd", "do": ["imports"]})).await;
    assert!(said.len() > 18, "{said:?}");
    for line in said {
        let (name, got) = line.split_once(" = ").unwrap();
        match name {
            "hypervisor.capabilities" => {}
            // No option names a medium or a directory to serve, so there is nothing to make.
            "machines.media" | "machines.http" if got == "ok" => {}
            "machines.iso" if got.starts_with("ErrorCode::NotFound") => {}
            "transfers.send" => assert!(
                got.starts_with("ErrorCode::Unsupported") || got.starts_with("ErrorCode::Denied"),
                "{line}"
            ),
            "downloads.fetch" | "downloads.designated" => {
                assert!(
                    ["ErrorCode::Denied", "ErrorCode::Unsupported"].iter().any(|code| got.starts_with(code)),
                    "{line}"
                );
            }
            _ => assert!(got.starts_with("ErrorCode::Denied"), "{line}"),
        }
    }
}

#[tokio::test]
async fn a_refusal_prints_the_line_to_add() {
    let world = World::new(Setup::default());
    let said = world.says(json!({"do": ["exec true", "reveal"], "secret": "hunter2"})).await;
    assert!(said[0].contains("exec = [\"sh\"]"), "{said:?}");
    assert!(said[1].contains("\"secrets.reveal\" = true"), "{said:?}");
}

#[tokio::test]
async fn granted_programs_run_with_granted_variables() {
    let world =
        World::new(Setup { grants: grants(&[("exec", &["sh"]), ("env", &["AWS_*"])]), ..Setup::default() });
    let said = world.says(json!({"do": ["exec echo $AWS_KEY-$OTHER-; pwd; exit 3"]})).await;
    let wanted =
        format!("Some(3) k--\n{}\n", world.folder.path().join("work").canonicalize().unwrap().display());
    assert_eq!(said, [wanted.trim_end()].map(|text| format!("{text}\n")).map(|t| t.to_owned()), "{said:?}");
    // Other programs are not covered.
    assert!(world.seen.all().contains("Output"), "live output is shown");
}

#[test]
fn the_table_has_every_class() {
    for class in [Class::Always, Class::Role, Class::Designation, Class::Grant] {
        assert!(IMPORTS.iter().any(|import| import.class == class));
    }
    let mut names: Vec<_> = IMPORTS.iter().map(|import| (import.interface, import.function)).collect();
    names.dedup();
    assert_eq!(names.len(), IMPORTS.len());
}

#[test]
fn descriptions_and_native_code_are_cached() {
    let world = World::new(Setup::default());
    let probe = ComponentRef::new(Kind::Provisioner, "probe");
    let first = world.host.describe(&probe).unwrap();
    assert_eq!((first.kind, first.name.as_str()), (Kind::Provisioner, "probe"));
    assert_eq!(first.wanted_grants[0].targets, ["sh"]);
    let names: Vec<_> = std::fs::read_dir(world.folder.path().join("cache/components"))
        .unwrap()
        .map(|item| item.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(
        names.iter().any(|n| n.ends_with(".cwasm")) && names.iter().any(|n| n.ends_with(".description.json")),
        "{names:?}"
    );
    assert!(world.host.describe(&ComponentRef::new(Kind::Builder, "nothing")).is_err());
    assert_eq!(world.host.names(Kind::Builder), ["probe", "undoer"]);
}

#[tokio::test]
async fn validate_is_pure() {
    let world = World::new(Setup { grants: grants(&[("exec", &["sh"])]), ..Setup::default() });
    std::fs::write(world.work("f"), "x").unwrap();
    let found = world.validate(json!({"text": "reach", "file": "f"})).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].summary.contains("ErrorCode::Denied") && found[0].summary.matches("Denied").count() == 2,
        "{found:?}"
    );
    assert_eq!(world.validate(json!({"text": "good"})).await, []);
    assert_eq!(world.validate(json!({"text": "bad"})).await[0].summary, "the text is bad");
}
