//! The compatibility traps that concern legacy JSON templates, one test each; and how variables
//! get their values.

use super::world::{Components, World, shown};
use kiln_plan::{BuildValues, Diagnostics, Plan, Value};
use kiln_template::{Evaluated, Filters, Input, Language, Mode, VariableInputs, load};
use std::path::Path;
use std::sync::Arc;

fn evaluated(text: &str, inputs: &VariableInputs, mode: Mode) -> (Evaluated, Diagnostics) {
    let world = World::new(env!("CARGO_MANIFEST_DIR"));
    let template = load(Input::Legacy { name: "t.json", text }, Arc::new(world));
    template.unwrap_or_else(|(s, d)| panic!("{}", shown(&s, &d))).evaluate(inputs, &Components, None, mode)
}

fn vars(assignments: &[(&str, &str)]) -> VariableInputs {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    VariableInputs { assignments: assignments.iter().map(pair).collect(), ..VariableInputs::default() }
}

fn plan_with(text: &str, inputs: &VariableInputs, filters: &Filters) -> (Plan, Diagnostics) {
    let (evaluated, mut found) = evaluated(text, inputs, Mode::Build);
    let (plan, more) = evaluated.plan(filters, &Components);
    found.extend(more);
    (plan, found)
}

fn plan_of(text: &str) -> Plan {
    let (plan, found) = plan_with(text, &VariableInputs::default(), &Filters::default());
    assert!(found.is_empty(), "{}", shown(&plan.sources, &found));
    plan
}

fn codes(found: &[kiln_plan::Diagnostic]) -> Vec<&str> {
    found.iter().map(|d| d.code.name()).collect()
}

fn refused(text: &str) -> Vec<String> {
    let world = World::new(env!("CARGO_MANIFEST_DIR"));
    match load(Input::Legacy { name: "t.json", text }, Arc::new(world)) {
        Ok(_) => Vec::new(),
        Err((_, found)) => found.into_iter().map(|d| d.summary).collect(),
    }
}

fn console(text: &str, expression: &str) -> String {
    let (evaluated, _) = evaluated(text, &VariableInputs::default(), Mode::Inspect);
    evaluated.expression(expression).unwrap_or_else(|(_, d)| format!("error: {}", d.summary))
}

const SEQUENCES: &str = r#"{
  "builders": [{"type": "null"}],
  "post-processors": ["manifest", ["checksum", {"type": "manifest", "name": "cut"}, "checksum"]]
}"#;

fn lengths(text: &str, except: &str) -> Vec<usize> {
    let filters = Filters { except: vec![except.to_owned()], ..Filters::default() };
    let (plan, found) = plan_with(text, &VariableInputs::default(), &filters);
    assert!(found.is_empty(), "{}", shown(&plan.sources, &found));
    plan.builds[0].post_processors.iter().map(Vec::len).collect()
}

#[test]
fn trap_03_except_cuts_the_rest_of_a_json_sequence() {
    assert_eq!(lengths(SEQUENCES, "cut"), [1, 1]);
    assert_eq!(lengths(SEQUENCES, "manifest"), [3], "one with a name is matched by it alone");
    assert_eq!(lengths(SEQUENCES, "checksum"), [1]);
}

#[test]
fn trap_04_and_05_only_and_override_take_names_as_they_are_written() {
    let text = r#"{
      "variables": {"n": "one"},
      "builders": [{"type": "null", "name": "{{user `n`}}"}],
      "provisioners": [{"type": "shell", "inline": ["a"], "only": ["{{user `n`}}"],
                        "override": {"{{user `n`}}": {"inline": ["b"]}}}]
    }"#;
    let plan = plan_of(text);
    let inline = plan.builds[0].provisioners[0].step.first.value.at("/inline/0").unwrap();
    assert_eq!(inline.as_text(), Some("b"));
    assert_eq!(refused(&text.replace(r#"["{{user `n`}}"]"#, r#"["one"]"#)).len(), 1);
}

#[test]
fn trap_06_pause_and_timeout_are_both_in_the_plan() {
    let plan = plan_of(
        r#"{"builders": [{"type": "null"}],
            "provisioners": [{"type": "shell", "pause_before": "2s", "timeout": "3s"}]}"#,
    );
    let provisioner = &plan.builds[0].provisioners[0];
    assert_eq!((provisioner.pause_before.as_secs(), provisioner.timeout.as_secs()), (2, 3));
}

#[test]
fn trap_11_values_of_the_build_are_unknown_first_and_rendered_later() {
    let plan = plan_of(
        r#"{"builders": [{"type": "null"}],
            "provisioners": [{"type": "shell", "inline": ["{{build `ID`}} {{build_name}}"]}]}"#,
    );
    let step = &plan.builds[0].provisioners[0].step;
    assert_eq!(step.first.value.to_json()["inline"][0], serde_json::json!({"$kiln": "unknown"}));
    let mut values = BuildValues::default();
    values.build.insert("ID".into(), Value::text("i-1"));
    let late = step.late.evaluate(&values).unwrap();
    assert_eq!(late.value.to_json()["inline"][0], "i-1 null");
    assert!(step.late.evaluate(&BuildValues::default()).is_err());
}

#[test]
fn trap_12_an_unset_variable_is_an_error_but_not_in_inspect_and_console() {
    let text = r#"{"variables": {"a": null}, "builders": [{"type": "null"}]}"#;
    let (_, found) = evaluated(text, &VariableInputs::default(), Mode::Build);
    assert_eq!(codes(&found), ["template::unset-variable"]);
    let (looked_at, found) = evaluated(text, &VariableInputs::default(), Mode::Inspect);
    assert_eq!(codes(&found), Vec::<&str>::new());
    assert!(looked_at.inspect().variables[0].required);
    assert_eq!(console(text, "{{user `a`}}"), "<unknown>");
}

#[test]
fn trap_13_and_43_strings_become_numbers_and_booleans() {
    let plan = plan_of(
        r#"{"variables": {"headless": "true", "memory": "2048"},
            "builders": [{"type": "qemu", "iso_url": 5, "headless": "{{user `headless`}}",
                          "memory": "{{user `memory`}}"}]}"#,
    );
    let expected = serde_json::json!({"headless": true, "iso_url": "5", "memory": 2048});
    assert_eq!(plan.builds[0].builder.first.value.to_json(), expected);
}

#[test]
fn trap_31_valid_builds_are_planned_although_others_are_wrong() {
    let text = r#"{"builders": [{"type": "null"}, {"type": "nothing"}, {"type": "null", "name": "x", "ssh_hots": 1}]}"#;
    let (plan, found) = plan_with(text, &VariableInputs::default(), &Filters::default());
    assert_eq!(plan.builds.iter().map(|b| b.name.as_str()).collect::<Vec<_>>(), ["null"]);
    assert_eq!(codes(&found), ["template::unknown-component", "template::unknown-option"]);
}

#[test]
fn trap_32_the_build_name_has_no_type_prefix() {
    let plan = plan_of(r#"{"builders": [{"type": "null", "name": "b"}, {"type": "null"}]}"#);
    let names: Vec<(&str, &str)> =
        plan.builds.iter().map(|b| (b.name.as_str(), b.source_name.as_str())).collect();
    assert_eq!(names, [("null.b", "b"), ("null", "null")]);
}

#[test]
fn trap_35_a_file_of_another_name_is_a_legacy_template() {
    let world = World::new(std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/good/legacy"));
    let template = load(Input::Path(Path::new("minimal.json")), Arc::new(world)).unwrap();
    let (evaluated, _) = template.evaluate(&VariableInputs::default(), &Components, None, Mode::Inspect);
    assert_eq!(evaluated.inspect().language, Language::LegacyJson);
}

#[test]
fn trap_36_unknown_root_keys_are_errors_but_comments_are_not() {
    assert_eq!(refused(r#"{"_foo": 1, "builders": []}"#), Vec::<String>::new());
    assert_eq!(
        refused(r#"{"foo": 1, "builders": []}"#),
        ["`foo` is not a key of a legacy JSON template".to_owned()]
    );
    // Only the root has comments.
    let (_, found) = plan_with(
        r#"{"builders": [{"type": "null", "_foo": 1}]}"#,
        &VariableInputs::default(),
        &Filters::default(),
    );
    assert_eq!(codes(&found), ["template::unknown-option"]);
}

#[test]
fn trap_37_the_version_is_checked_before_everything_else() {
    let found = refused(r#"{"min_packer_version": "99", "foo": 1, "builders": 5}"#);
    assert_eq!(
        found,
        ["the template requires Packer 99 or later, this is compatible with 1.16.0".to_owned()]
    );
}

#[test]
fn trap_44_arrays_in_post_processors_are_sequences() {
    let plan = plan_of(SEQUENCES);
    let lengths: Vec<usize> = plan.builds[0].post_processors.iter().map(Vec::len).collect();
    assert_eq!(lengths, [1, 3]);
    assert_eq!(refused(r#"{"builders": [{"type": "null"}], "post-processors": [[["manifest"]]]}"#).len(), 1);
}

#[test]
fn filters_are_exact_and_bare() {
    let text = r#"{"builders": [{"type": "null"}, {"type": "null", "name": "b"}]}"#;
    for (only, count) in [("b", 1), ("null", 1), ("null.b", 0), ("*", 0)] {
        let filters = Filters { only: vec![only.to_owned()], ..Filters::default() };
        assert_eq!(plan_with(text, &VariableInputs::default(), &filters).0.builds.len(), count, "{only}");
    }
}

#[test]
fn variables_are_secret_if_they_are_named_so_or_made_of_one() {
    let text = r#"{"variables": {"a": "s3cret", "b": "x{{user `a`}}", "c": "open"},
        "sensitive-variables": ["a"], "builders": [{"type": "null", "ssh_host": "{{user `b`}}", "ssh_password": "{{user `c`}}"}]}"#;
    let plan = plan_of(text);
    assert_eq!(plan.sensitive, ["s3cret", "xs3cret"]);
    let value = &plan.builds[0].builder.first.value;
    assert!(value.at("/ssh_host").unwrap().marks.sensitive);
    assert_eq!(console(text, "{{user `a`}}"), "<sensitive>");
    assert_eq!(console(text, "{{user `c`}}"), "open");
    let (evaluated, _) = evaluated(text, &vars(&[("a", "other")]), Mode::Inspect);
    assert_eq!(evaluated.variables()[0], ("a".to_owned(), "<sensitive>".to_owned()));
    assert_eq!(evaluated.inspect().variables[0].value, "<sensitive>");
}

#[test]
fn console_renders() {
    let text = r#"{"variables": {"a": "x"}}"#;
    for (expression, expected) in [
        ("{{upper `x`}} and text", "X and text"),
        ("{{user `a` | printf `%s%s` `y`}}", "yx"),
        ("plain", "plain"),
        ("{{timestamp}}", "1700000000"),
        (
            "{{build_name}}",
            "error: the template in this string cannot be rendered: error calling build_name: not known here",
        ),
        ("{{", "error: the template in this string cannot be rendered: unclosed action"),
    ] {
        assert_eq!(console(text, expression), expected, "{expression}");
    }
}
