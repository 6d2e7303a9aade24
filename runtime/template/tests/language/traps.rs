//! The compatibility traps that concern the language, one test each. Those of the command line are
//! in tests/cli, those of machines in tests/e2e; a test there counts them.

use super::world::{Components, World, shown};
use kiln_plan::{BuildValues, Diagnostic, Diagnostics, Plan, Value};
use kiln_template::{
    Compatible, Environment, Evaluated, FileKind, Filters, Input, Mode, Undeclared, VariableInputs, load,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

fn fixtures() -> World {
    World::new(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/traps"))
}

/// A clock that goes on by an hour each time it is looked at.
#[derive(Debug)]
struct Ticking(World, AtomicU32);

impl Environment for Ticking {
    fn read(&self, path: &Path, limit: u64) -> std::io::Result<Vec<u8>> {
        self.0.read(path, limit)
    }

    fn list(&self, directory: &Path) -> std::io::Result<Vec<(String, FileKind)>> {
        self.0.list(directory)
    }

    fn kind(&self, path: &Path) -> std::io::Result<FileKind> {
        self.0.kind(path)
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.0.variable(name)
    }

    fn working_directory(&self) -> PathBuf {
        self.0.working_directory()
    }

    fn home(&self) -> Option<PathBuf> {
        self.0.home()
    }

    fn now(&self) -> SystemTime {
        self.0.now() + Duration::from_secs(3600) * self.1.fetch_add(1, Ordering::Relaxed)
    }

    fn started(&self) -> SystemTime {
        self.0.started()
    }

    fn random(&self, bytes: &mut [u8]) {
        self.0.random(bytes);
    }
}

fn evaluate(input: Input<'_>, inputs: &VariableInputs, mode: Mode) -> (Evaluated, Diagnostics) {
    let template = load(input, Arc::new(fixtures())).unwrap_or_else(|(s, d)| panic!("{}", shown(&s, &d)));
    template.evaluate(inputs, &Components, None, mode)
}

fn plan_of(text: &str, filters: &Filters) -> (Plan, Diagnostics) {
    let input = Input::Text { name: "t.pkr.hcl", text };
    let (evaluated, mut found) = evaluate(input, &VariableInputs::default(), Mode::Build);
    let (plan, more) = evaluated.plan(filters, &Components);
    found.extend(more);
    (plan, found)
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.builds.iter().map(|b| b.name.as_str()).collect()
}

fn codes(found: &[Diagnostic]) -> Vec<&str> {
    found.iter().map(|d| d.code.name()).collect()
}

fn console(expression: &str) -> String {
    let (evaluated, _) = evaluate(Input::Nothing, &VariableInputs::default(), Mode::Inspect);
    evaluated.expression(expression).unwrap_or_else(|(_, d)| format!("error: {}", d.summary))
}

fn variable(path: &str) -> String {
    let (evaluated, _) = evaluate(Input::Path(Path::new(path)), &VariableInputs::default(), Mode::Inspect);
    evaluated.inspect().variables.first().map(|v| v.value.clone()).unwrap_or_default()
}

#[test]
fn trap_01_auto_files_only_for_directories() {
    assert_eq!(variable("auto"), "\"json\"");
    assert_eq!(variable("auto/t.pkr.hcl"), "\"default\"");
}

#[test]
fn trap_02_auto_json_beats_auto_hcl() {
    assert_eq!(variable("auto"), "\"json\"");
}

const SEQUENCES: &str = r#"
source "null" "a" {}
source "null" "b" {}
build {
  name    = "n"
  sources = ["source.null.a", "sources.null.b"]
  post-processors {
    post-processor "checksum" {}
    post-processor "manifest" { name = "cut" }
    post-processor "checksum" {}
  }
  post-processor "manifest" {}
}
"#;

#[test]
fn trap_03_except_cuts_the_rest_of_a_sequence() {
    let (plan, found) = plan_of(SEQUENCES, &Filters { except: vec!["cut".into()], ..Filters::default() });
    assert_eq!(codes(&found), Vec::<&str>::new());
    let lengths: Vec<usize> = plan.builds[0].post_processors.iter().map(Vec::len).collect();
    assert_eq!(lengths, [1, 1]);
    let (plan, _) = plan_of(SEQUENCES, &Filters { except: vec!["manifest".into()], ..Filters::default() });
    let lengths: Vec<usize> = plan.builds[0].post_processors.iter().map(Vec::len).collect();
    assert_eq!(lengths, [3], "a named one is matched by its name only");
}

#[test]
fn filters_are_globs_over_full_names() {
    let only = |pattern: &str| Filters { only: vec![pattern.into()], ..Filters::default() };
    assert_eq!(names(&plan_of(SEQUENCES, &only("n.null.*")).0), ["n.null.a", "n.null.b"]);
    assert_eq!(names(&plan_of(SEQUENCES, &only("*.b")).0), ["n.null.b"]);
    let (plan, found) = plan_of(SEQUENCES, &only("null.a"));
    assert_eq!(
        (names(&plan), codes(&found)),
        (vec![], vec!["template::unused-filter", "template::no-builds-to-run"])
    );
    let except = Filters { except: vec!["n.null.{a,c}".into()], ..Filters::default() };
    assert_eq!(names(&plan_of(SEQUENCES, &except).0), ["n.null.b"]);
}

#[test]
fn trap_04_only_of_a_provisioner_is_exact() {
    let text = r#"
source "null" "a" {}
build {
  source "null.a" { name = "local" }
  provisioner "shell" { only = ["null.local"] }
  provisioner "shell" { only = ["null.*"] }
  provisioner "shell" { only = ["null.a"] }
  provisioner "shell" { except = ["null.local"] }
}
"#;
    let (plan, found) = plan_of(text, &Filters::default());
    assert_eq!(codes(&found), Vec::<&str>::new());
    assert_eq!(plan.builds[0].provisioners.len(), 1);
}

#[test]
fn trap_05_override_is_keyed_by_the_local_name() {
    let text = r#"
source "null" "a" {}
build {
  source "null.a" { name = "local" }
  provisioner "shell" {
    inline   = ["x"]
    override = { local = { inline = ["y"] }, a = { inline = ["z"] } }
  }
}
"#;
    let (plan, _) = plan_of(text, &Filters::default());
    let inline = plan.builds[0].provisioners[0].step.first.value.at("/inline/0").and_then(Value::as_text);
    assert_eq!(inline, Some("y"));
}

#[test]
fn trap_08_lookup_replace_coalesce() {
    assert_eq!(console("lookup({}, \"a\")"), "error: `lookup` takes 3 arguments, not 2");
    assert_eq!(console("replace(\"abc\", \"/[a-b]/\", \"x\")"), "abc");
    assert_eq!(console("coalesce(null, \"\", \"x\")"), "x");
}

#[test]
fn trap_09_filebase64_and_abspath_start_from_the_working_directory() {
    assert_eq!(console("abspath(\"a/../b\")"), "/cwd/b");
    assert_eq!(
        console("filebase64(\"auto/t.pkr.hcl\")"),
        "error: `filebase64`: there is no file at /cwd/auto/t.pkr.hcl"
    );
    assert!(console("file(\"auto/t.pkr.hcl\")").contains("variable"));
}

#[test]
fn trap_10_time_is_taken_anew_when_a_step_runs() {
    let text = r#"
source "null" "a" {}
build {
  sources = ["null.a"]
  provisioner "shell" { inline = [timestamp(), legacy_isotime("2006")] }
}
"#;
    let world = Arc::new(Ticking(fixtures(), AtomicU32::new(0)));
    let template =
        load(Input::Text { name: "t", text }, world).unwrap_or_else(|(s, d)| panic!("{}", shown(&s, &d)));
    let (evaluated, _) = template.evaluate(&VariableInputs::default(), &Components, None, Mode::Build);
    let (plan, _) = evaluated.plan(&Filters::default(), &Components);
    let step = &plan.builds[0].provisioners[0].step;
    let late = step.late.evaluate(&BuildValues::default()).expect("it evaluates");
    let at = |value: &Value, pointer: &str| value.at(pointer).and_then(Value::as_text).map(str::to_owned);
    assert_ne!(at(&step.first.value, "/inline/0"), at(&late.value, "/inline/0"), "timestamp() is the clock");
    assert_eq!(
        at(&step.first.value, "/inline/1"),
        at(&late.value, "/inline/1"),
        "legacy_isotime() is the start"
    );
}

#[test]
fn trap_11_values_of_the_build_are_late() {
    let text = r#"
source "null" "a" {}
build {
  sources = ["null.a"]
  provisioner "shell" { inline = ["${build.ID}", build.name, "${length(uuidv4())}"] }
}
"#;
    let (plan, found) = plan_of(text, &Filters::default());
    assert_eq!(codes(&found), Vec::<&str>::new());
    let step = &plan.builds[0].provisioners[0].step;
    let unknown = serde_json::json!({"$kiln": "unknown"});
    assert_eq!(step.first.value.to_json(), serde_json::json!({"inline": [unknown, "", "36"]}));
    let mut values = BuildValues::default();
    values.build.insert("ID".into(), Value::text("vm-1"));
    let late = step.late.evaluate(&values).expect("it evaluates");
    assert_eq!(late.value.at("/inline/0").and_then(Value::as_text), Some("vm-1"));
    let missing = step.late.evaluate(&BuildValues::default()).expect_err("no ID");
    assert_eq!(codes(&missing), ["template::unknown-build-value"]);
}

#[test]
fn trap_12_unset_variables() {
    let text = "variable \"x\" {}\nsource \"null\" \"a\" {}\nbuild { sources = [\"null.a\"] }";
    let input = Input::Text { name: "t", text };
    let (evaluated, found) = evaluate(input, &VariableInputs::default(), Mode::Inspect);
    assert_eq!((codes(&found), evaluated.inspect().variables[0].value.as_str()), (vec![], "\"<unknown>\""));
    let (plan, found) = plan_of(text, &Filters::default());
    assert_eq!((names(&plan), codes(&found)), (vec![], vec!["template::unset-variable"]));
}

#[test]
fn trap_13_texts_are_numbers_and_bools_where_those_are_wanted() {
    let text = r#"
source "qemu" "a" {
  iso_url  = 5
  memory   = "4096"
  headless = "true"
}
build { sources = ["qemu.a"] }
"#;
    let (plan, found) = plan_of(text, &Filters::default());
    assert_eq!(codes(&found), Vec::<&str>::new());
    let expected = serde_json::json!({"iso_url": "5", "memory": 4096, "headless": true});
    assert_eq!(plan.builds[0].builder.first.value.to_json(), expected);
}

#[test]
fn trap_14_a_source_in_a_build_only_adds() {
    let text = r#"
source "null" "a" { ssh_host = "one" }
build {
  source "null.a" { communicator = "none" }
  source "null.a" { ssh_host = "two" }
}
"#;
    let (plan, found) = plan_of(text, &Filters::default());
    assert_eq!((names(&plan), codes(&found)), (vec!["null.a"], vec!["template::duplicate"]));
    let expected = serde_json::json!({"ssh_host": "one", "communicator": "none"});
    assert_eq!(plan.builds[0].builder.first.value.to_json(), expected);
}

#[test]
fn trap_15_three_spellings_of_a_source() {
    let (plan, found) = plan_of(
        "source \"null\" \"a\" {}\nbuild { sources = [\"null.a\", \"source.null.a\", \"sources.null.a\"] }",
        &Filters::default(),
    );
    assert_eq!((names(&plan), codes(&found)), (vec!["null.a"; 3], vec![]));
}

#[test]
fn trap_31_valid_builds_survive() {
    let text = r#"
source "null" "good" {}
source "null" "bad" { nothing = 1 }
build { sources = ["null.good", "null.bad"] }
"#;
    let (plan, found) = plan_of(text, &Filters::default());
    assert_eq!((names(&plan), codes(&found)), (vec!["null.good"], vec!["template::unknown-option"]));
}

#[test]
fn trap_36_unknown_names_are_errors() {
    let load = |text| load(Input::Text { name: "t", text }, Arc::new(fixtures()));
    for (text, code) in [
        ("stray = 1", "template::unexpected-attribute"),
        ("_comment = 1", "template::unexpected-attribute"),
        ("strange {}", "template::unknown-block"),
        ("variable \"a\" { nullable = true }", "template::unexpected-attribute"),
    ] {
        let (_, found) = load(text).expect_err(text);
        assert_eq!(codes(&found), [code], "{text}");
    }
}

#[test]
fn trap_37_required_version_comes_first() {
    let text = "packer { required_version = \"> 9\" }\nnonsense {}\nvariable \"a\" { x = 1 }";
    let (_, found) = load(Input::Text { name: "t", text }, Arc::new(fixtures())).expect_err("wrong version");
    assert_eq!(codes(&found), ["template::unsupported-version"]);
}

#[test]
fn trap_42_functions_start_from_the_template() {
    let (evaluated, _) = evaluate(Input::Path(Path::new("auto")), &VariableInputs::default(), Mode::Inspect);
    assert_eq!(evaluated.expression("fileexists(\"t.pkr.hcl\")").ok().as_deref(), Some("true"));
    assert_eq!(evaluated.expression("path.root").ok().as_deref(), Some("auto"));
}

#[test]
fn trap_45_equal_names_in_different_builds() {
    let text = r#"
source "null" "a" {}
build {
  name    = "one"
  sources = ["null.a"]
}
build {
  name    = "two"
  sources = ["null.a"]
}
"#;
    assert_eq!(names(&plan_of(text, &Filters::default()).0), ["one.null.a", "two.null.a"]);
}

#[test]
fn inspect_quotes_what_console_prints() {
    let text = "locals {\n  a = [1, \"x\"]\n  b = 5\n  c = \"q\"\n}";
    let (evaluated, _) = evaluate(Input::Text { name: "t", text }, &VariableInputs::default(), Mode::Inspect);
    let shown: Vec<String> = evaluated.inspect().locals.into_iter().map(|(_, value)| value).collect();
    assert_eq!(shown, ["\"[\\n  1,\\n  \\\"x\\\",\\n]\"", "\"5\"", "\"q\""]);
}

#[test]
fn precedence_of_variables() {
    let mut inputs = VariableInputs {
        files: vec!["over.pkrvars.hcl".into()],
        undeclared: Undeclared::Warn,
        ..VariableInputs::default()
    };
    let (evaluated, found) = evaluate(Input::Path(Path::new("auto")), &inputs, Mode::Build);
    assert_eq!(evaluated.inspect().variables[0].value, "\"file\"");
    assert_eq!(codes(&found), ["template::undeclared-variable"]);
    inputs.assignments = vec![("v".into(), "first".into()), ("v".into(), "last".into())];
    let (evaluated, _) = evaluate(Input::Path(Path::new("auto")), &inputs, Mode::Build);
    assert_eq!(evaluated.inspect().variables[0].value, "\"last\"");
    inputs.assignments = vec![("w".into(), "x".into())];
    let (_, found) = evaluate(Input::Path(Path::new("auto")), &inputs, Mode::Build);
    assert!(found.iter().any(|d| d.is_error() && d.summary.starts_with("-var sets `w`")));
}

#[test]
fn texts_become_expressions_by_type() {
    let text = r#"
variable "list" { type = list(string) }
variable "text" { type = string }
variable "number" { type = number }
variable "plain" {}
"#;
    let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let inputs = VariableInputs {
        assignments: vec![
            set("list", "[\"a\", \"b\"]"),
            set("text", "[\"a\"]"),
            set("number", "5"),
            set("plain", "[1]"),
        ],
        ..VariableInputs::default()
    };
    let (evaluated, found) = evaluate(Input::Text { name: "t", text }, &inputs, Mode::Build);
    assert_eq!(shown(evaluated.sources(), &found), "");
    let values: Vec<String> = evaluated.inspect().variables.into_iter().map(|v| v.value).collect();
    assert_eq!(values, ["\"[\\n  \\\"a\\\",\\n  \\\"b\\\",\\n]\"", "\"5\"", "\"[1]\"", "\"[\\\"a\\\"]\""]);
}

#[test]
fn marks_reach_the_plan() {
    let text = r#"
variable "s" {
  default   = "hush"
  sensitive = true
}
data "http" "d" { url = "u" }
source "null" "a" {}
build {
  sources = ["null.a"]
  provisioner "shell" { inline = ["x ${var.s}", "y", data.http.d.body, build.Host] }
}
"#;
    let (plan, _) = plan_of(text, &Filters::default());
    let value = &plan.builds[0].provisioners[0].step.first.value;
    let marks = |at: &str| value.at(at).expect("it is there").marks;
    assert!(marks("/inline/0").sensitive && !marks("/inline/1").sensitive);
    assert_eq!(marks("/inline/1").origin, kiln_plan::Origin::User);
    assert_eq!(marks("/inline/2").origin, kiln_plan::Origin::Component);
    assert_eq!(marks("/inline/3").origin, kiln_plan::Origin::Component);
    assert_eq!(plan.sensitive, ["hush"]);
}

#[test]
fn a_pin_outside_of_what_is_compatible_warns() {
    let text = r#"
packer {
  required_plugins {
    old   = { source = "github.com/hashicorp/qemu", version = ">= 1.1.0, < 1.1.2" }
    qemu  = { source = "github.com/hashicorp/QEMU", version = "~> 2.0" }
    other = { source = "github.com/somebody/other", version = "> 9" }
  }
}
packer {
  required_plugins {
    exact = { source = "github.com/hashicorp/qemu", version = "1.2.0" }
  }
}
"#;
    let template = load(Input::Text { name: "t", text }, Arc::new(fixtures())).expect("it is right");
    let known = [Compatible { source: "github.com/hashicorp/qemu", lowest: "1.0.0", highest: "1.1.5" }];
    let found = template.check_plugins(&known, false);
    let summaries: Vec<&str> = found.iter().map(|d| d.summary.as_str()).collect();
    assert_eq!(
        summaries,
        [
            "plugin `qemu` is required at ~> 2.0, this is compatible with 1.0.0 to 1.1.5",
            "plugin `exact` is required at 1.2.0, this is compatible with 1.0.0 to 1.1.5"
        ]
    );
    assert!(found.iter().all(|d| !d.is_error()));
    assert!(template.check_plugins(&known, true).iter().all(Diagnostic::is_error));
}
