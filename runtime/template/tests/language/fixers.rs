//! `fix`, fixer by fixer: `fix/NAME.json` becomes `fix/NAME.fixed.json`, which is also what Packer
//! 1.6.6 makes of it. With `KILN_WRITE_EXPECTED=1` the results are written anew.

use kiln_template::{fix, fixers};
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fix")
}

/// The fixtures that belong to no single fixer.
const OTHERS: [&str; 2] = ["layout", "together"];

#[test]
fn each_fixer_changes_what_it_should_and_nothing_else() {
    let mut failed = Vec::new();
    for name in fixers().map(|(name, _)| name).chain(OTHERS) {
        let before = std::fs::read_to_string(folder().join(format!("{name}.json"))).expect("a fixture");
        let after = folder().join(format!("{name}.fixed.json"));
        let found = fix("t.json", &before).unwrap_or_else(|(_, diagnostic)| panic!("{name}: {diagnostic:?}"));
        if std::env::var_os("KILN_WRITE_EXPECTED").is_some() {
            std::fs::write(&after, &found).expect("the fixture can be written");
        }
        let wanted = std::fs::read_to_string(&after).unwrap_or_default();
        if wanted != found {
            failed.push(format!("--- {name}: expected\n{wanted}--- found\n{found}"));
        }
        // Escapes are taken away once; what is left can look like one.
        if name != "powershell-escapes" {
            let again = fix("t.json", &found).expect("what was fixed can be fixed");
            assert_eq!(again, found, "{name} a second time");
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn every_fixture_belongs_to_a_fixer() {
    let names: Vec<&str> = fixers().map(|(name, _)| name).chain(OTHERS).collect();
    for entry in std::fs::read_dir(folder()).expect("the fixtures are there") {
        let file = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        let name = file.trim_end_matches(".json").trim_end_matches(".fixed");
        assert!(names.contains(&name), "{file}");
    }
}

#[test]
fn there_are_as_many_as_in_packer() {
    assert_eq!(fixers().count(), 34);
    assert!(fixers().all(|(name, description)| !name.is_empty() && !description.ends_with('.')));
}

/// What is said, each with its line and column.
fn found(text: &str) -> Vec<(String, Option<(usize, usize)>)> {
    let (sources, found) = fix("t.json", text).expect_err("it is refused");
    found.into_iter().map(|one| (one.summary, one.span.map(|span| sources.position(span)))).collect()
}

fn refused(text: &str) -> (String, Option<(usize, usize)>) {
    let found = found(text);
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

#[test]
fn what_is_no_json_is_refused_with_all_that_is_wrong() {
    let said = |text: &str, place| (text.to_owned(), Some(place));
    assert_eq!(
        found("{\n \"a\": 1,\n 'b': [2 3],\n}"),
        [
            said("text needs double quotes, not single quotes", (3, 2)),
            said("a comma is missing before `3`", (3, 10)),
            said("syntax error: nothing follows this comma", (3, 12)),
        ]
    );
    assert_eq!(refused("{\"a\": "), said("this `{` is never closed", (1, 1)));
    assert_eq!(
        refused("source \"null\" \"x\" {}"),
        said("syntax error: a JSON value is expected here", (1, 1))
    );
    assert_eq!(refused("{} {}"), said("syntax error: nothing is expected here", (1, 4)));
    assert_eq!(refused("{\"a\": 1e999}").0, "this is not JSON");
}

#[test]
fn what_is_no_template_is_refused() {
    for text in ["null", "[]", "5", "\"x\""] {
        assert_eq!(refused(text).0, "a template is a JSON object", "{text}");
    }
    assert_eq!(refused("{\"builders\": {}}").0, "`builders` is not a list");
    assert_eq!(refused("{\"builders\": [{}, 5]}").0, "`builders[1]` is not an object");
    assert_eq!(refused("{\"post-processors\": \"vagrant\"}").0, "`post-processors` is not a list");
    let private = "{\"builders\": [{\"type\": \"amazon-ebs\", \"ssh_private_ip\": \"{{user `x`}}\"}]}";
    assert_eq!(refused(private).0, "`ssh_private_ip` is neither true nor false");
    assert!(fix("t.json", &format!("{{\"a\": {}", "[".repeat(1_000_000))).is_err());
}

/// Values that make Packer 1.6.6 end in a crash.
#[test]
fn what_a_fixer_cannot_read_stays() {
    for template in [
        r#"{"builders":[{"iso_md5":5,"ssh_key_path":5}]}"#,
        r#"{"builders":[{"type":5}]}"#,
        r#"{"builders":[{"network":"n","network_adapters":{},"type":"vsphere-iso"}]}"#,
        r#"{"post-processors":[{"tag":[5],"type":"docker-tag"}]}"#,
        r#"{"provisioners":[{"elevated_user":5,"elevated_password":null,"type":"powershell"}]}"#,
        r#"{"provisioners":[{"override":["virtualbox"],"type":"shell"},"shell"]}"#,
        r#"{"provisioners":{"type":"shell"}}"#,
        r#"{}"#,
    ] {
        let fixed = fix("t.json", template).expect("it can be fixed");
        let (before, after): (serde_json::Value, serde_json::Value) =
            (serde_json::from_str(template).expect("JSON"), serde_json::from_str(&fixed).expect("JSON"));
        assert_eq!(before, after);
    }
}

#[test]
fn numbers_as_go_prints_them() {
    let numbers = "[1e20, 1e21, 1.5e300, 1e-6, 1e-7, -2.5e-9, 0.1, 100, 1e2, -0.0, 12345678901234567890]";
    let fixed = fix("t.json", &format!("{{\"n\": {numbers}}}")).expect("it can be fixed");
    let lines: Vec<&str> = fixed.lines().map(|line| line.trim().trim_end_matches(',')).collect();
    let wanted = [
        "100000000000000000000",
        "1e+21",
        "1.5e+300",
        "0.000001",
        "1e-7",
        "-2.5e-9",
        "0.1",
        "100",
        "100",
        "-0",
        "12345678901234567890",
    ];
    assert_eq!(lines[2..13], wanted);
}
