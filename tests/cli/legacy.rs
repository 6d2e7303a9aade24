//! Legacy JSON templates: every verb that takes a template takes one.

use kiln_tests::{Finished, Project, Running};
use std::io::Write as _;
use std::process::Stdio;

const HELLO: &str = r#"{
  "_comment": "a template of old",
  "description": "Says hello.",
  "variables": { "who": "world", "target": null, "token": "s3cret-token" },
  "sensitive-variables": ["token"],
  "builders": [
    { "type": "null", "communicator": "none", "name": "here" },
    { "type": "file", "target": "{{user `target`}}", "content": "hello {{upper `x`}} {{user `who`}}" }
  ],
  "provisioners": [{
    "type": "shell-local",
    "only": ["here"],
    "inline": ["echo $PACKER_BUILD_NAME {{build_name}} {{build_type}} {{user `token`}}"],
    "override": { "here": { "environment_vars": ["A={{user `who`}}"] } }
  }],
  "post-processors": [
    [{ "type": "manifest", "output": "{{build_name}}.json", "custom_data": { "who": "{{user `who`}}" } }]
  ]
}
"#;

fn project() -> Project {
    let project = Project::new();
    project.write("hello.json", HELLO);
    project
}

fn fed(project: &Project, args: &[&str], text: &str) -> Finished {
    let mut command = project.command(args);
    project.write("stdin", text);
    command.stdin(Stdio::from(std::fs::File::open(project.path("stdin")).unwrap()));
    Running::start(command).finish()
}

#[test]
fn build_makes_everything() {
    let project = project();
    project.write("vars.json", r#"{ "who": "file", "target": "out.txt" }"#);
    project.kiln(&["build", "-var-file=vars.json", "hello.json"]).expect_code(0).expect(&[
        "==> null.here: here here null <sensitive>",
        "--> file: Stored file: out.txt",
        "--> null.here:",
    ]);
    assert_eq!(project.read("out.txt"), "hello X file");
    let manifest: serde_json::Value = serde_json::from_str(&project.read("here.json")).unwrap();
    assert_eq!(manifest["builds"][0]["name"], "here");
    assert_eq!(manifest["builds"][0]["custom_data"]["who"], "file");
}

#[test]
fn only_takes_the_bare_name() {
    let project = project();
    let build = |only: &str| project.kiln(&["build", "-var=target=o", only, "hello.json"]);
    build("-only=here").expect_code(0).expect(&["null.here"]).expect_not("Stored file");
    build("-only=null.here").expect_code(1).expect(&["no builds to run", "file, here"]);
}

#[test]
fn validate_points_at_the_place() {
    let project = project();
    project
        .kiln(&["validate", "-var=target=o", "hello.json"])
        .expect_code(0)
        .expect(&["The configuration is valid."]);
    project
        .kiln(&["validate", "-syntax-only", "hello.json"])
        .expect_code(0)
        .expect(&["Syntax-only check passed."]);
    project
        .kiln(&["validate", "hello.json"])
        .expect_code(1)
        .expect(&["variable `target` has no value", "hello.json:4:34"]);
    project.write("wrong.json", &HELLO.replace("upper", "uper").replace("\"inline\"", "\"inlin\""));
    project.kiln(&["validate", "-var=target=o", "wrong.json"]).expect_code(1).expect(&[
        "wrong.json:8:74",
        "^^^^^^^^",
        "did you mean `upper`?",
        "did you mean `inline`?",
    ]);
    project.write("t.hcl", "source \"null\" \"x\" {}\n");
    project.kiln(&["validate", "t.hcl"]).expect_code(1).expect(&["t.hcl is not a template", "*.pkr.hcl"]);
}

#[test]
fn inspect_equals_packers() {
    let project = project();
    let expected = "\
Packer Inspect: JSON mode
Description:

Says hello.

Required variables:

  target

Optional variables and their defaults:

  token  = <sensitive>
  who    = world

Builders:

  file
  here (null)

Provisioners:

  shell-local

Note: If your build names contain user variables or template
functions such as 'timestamp', these are processed at build time,
and therefore only show in their raw form here.
";
    assert_eq!(project.kiln(&["inspect", "hello.json"]).expect_code(0).out, expected);
    let rows = project.kiln(&["inspect", "-machine-readable", "hello.json"]).expect_code(0).out;
    let rows: Vec<&str> = rows.lines().filter_map(|row| row.split_once(",,").map(|(_, row)| row)).collect();
    let data: Vec<&&str> = rows.iter().filter(|row| row.starts_with("template-")).collect();
    assert_eq!(
        data,
        [
            &"template-variable,target,,1",
            &"template-variable,token,<sensitive>,0",
            &"template-variable,who,world,0",
            &"template-builder,file,file",
            &"template-builder,here,null",
            &"template-provisioner,shell-local",
        ]
    );
    assert_eq!(rows[0], "ui,say,Packer Inspect: JSON mode");
}

#[test]
fn inspect_of_nothing_says_so() {
    let project = Project::new();
    project.write("empty.json", r#"{ "builders": [] }"#);
    project.kiln(&["inspect", "empty.json"]).expect_code(0).expect(&[
        "  <No variables>",
        "  <No builders>",
        "  <No provisioners>",
    ]);
}

#[test]
fn standard_input_is_legacy_json_unless_said_otherwise() {
    let project = Project::new();
    fed(&project, &["validate", "-var=target=o", "-"], HELLO)
        .expect_code(0)
        .expect(&["The configuration is valid."]);
    fed(&project, &["inspect", "-"], HELLO).expect_code(0).expect(&["JSON mode"]);
    fed(&project, &["build", "-var=target=o", "-only=file", "-"], HELLO).expect_code(0);
    assert_eq!(project.read("o"), "hello X world");
    let hcl = "source \"null\" \"x\" {\n  communicator = \"none\"\n}\nbuild {\n  sources = [\"null.x\"]\n}\n";
    fed(&project, &["validate", "-config-type=hcl2", "-"], hcl).expect_code(0);
    fed(&project, &["validate", "-"], hcl).expect_code(1).expect(&["-config-type=hcl2"]);
}

fn console(project: &Project, args: &[&str], lines: &str) -> (Option<i32>, String) {
    let mut command = project.command(&[&["console"], args].concat());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

#[test]
fn console_renders_templates() {
    let project = project();
    let answer = |lines: &str| console(&project, &["hello.json"], lines);
    assert_eq!(answer("{{user `who`}}\n{{upper (user `who`)}}!\n"), (Some(0), "WORLD!".to_owned()));
    assert_eq!(answer("{{user `token`}}\n"), (Some(0), "<sensitive>".to_owned()));
    assert_eq!(answer("variables\n").1, "target: <unknown>\ntoken: <sensitive>\nwho: world");
    let (code, text) = answer("{{nosuch}}\n");
    assert!(code == Some(1) && text.contains("function \"nosuch\" not defined"), "{text}");
    assert!(answer("help\n").1.contains("{{timestamp}}"));
    assert_eq!(console(&project, &[], "{{upper `x`}} 1 + 1\n").1, "X 1 + 1");
    assert_eq!(console(&project, &["-config-type=hcl2"], "1 + 1\n").1, "2");
}

#[test]
fn secrets_stay_secret_in_rows_and_manifests() {
    let project = project();
    let seen = project.kiln(&["build", "-machine-readable", "-var=target=o", "hello.json"]).expect_code(0);
    seen.expect_not("s3cret-token");
    let seen = project.kiln(&["validate", "--log-format=json", "hello.json"]).expect_code(1);
    seen.expect_not("s3cret-token").expect(&["template::unset-variable"]);
}

#[test]
fn a_value_of_the_build_is_known_when_it_runs() {
    let project = Project::new();
    project.write(
        "t.json",
        r#"{
          "builders": [{ "type": "null", "communicator": "none" }],
          "provisioners": [{ "type": "shell-local", "inline": ["echo id={{build `ID`}} run={{build `PackerRunUUID`}}"] }]
        }"#,
    );
    project.kiln(&["validate", "t.json"]).expect_code(0);
    let seen = project.kiln(&["build", "t.json"]).expect_code(0);
    let line = seen.out.lines().find(|line| line.contains("id=")).unwrap_or_else(|| panic!("{}", seen.out));
    assert!(line.split("run=").nth(1).is_some_and(|uuid| uuid.trim().len() > 8), "{line}");
}

#[test]
fn fields_of_late_options_are_rendered_by_the_component() {
    let project = Project::new();
    project.write(
        "t.json",
        r#"{
          "variables": { "prefix": "A=1 {{.Vars}}" },
          "builders": [{ "type": "null", "communicator": "none" }],
          "provisioners": [{
            "type": "shell-local",
            "environment_vars": ["B=2"],
            "inline": ["echo $A$B"],
            "execute_command": ["/bin/sh", "-c", "{{user `prefix`}} sh {{.Script}}"]
          }]
        }"#,
    );
    project.kiln(&["build", "t.json"]).expect_code(0).expect(&["==> null: 12"]);
}
