//! Diagnostics as people and editors get them.

use kiln_tests::Project;
use serde_json::Value;

const BROKEN: &str = "variable \"size\" {
  default: 4
}

source \"null\" \"x\" {
  communicator = \"none\"
}

build {
  sources = [\"null.x\"]
  provisioner \"shell-local\" {
    inline = ['true']
  }
}
";

const WRONG: &str = "variable \"secret\" {
  default   = \"hunter2\"
  sensitive = true
}

source \"null\" \"x\" {
  communicator = \"none\"
}

build {
  sources = [\"null.x\"]
  provisioner \"shell-local\" {
    inlnie = [\"true\"]
    inline = [var.secret + 1]
  }
}
";

#[test]
fn all_mistakes_are_shown_with_carets_and_help() {
    let project = Project::with(BROKEN);
    project.kiln(&["validate", "template.pkr.hcl"]).expect_code(1).expect(&[
        "Error: a value is given with `=`, not `:`",
        "--> template.pkr.hcl:2:10",
        " 2 |   default: 4\n   |          ^\n  help: write default = 4\n  more: kiln explain template::missing-equals",
        "--> template.pkr.hcl:12:15",
        "help: write \"true\"",
    ]);
}

#[test]
fn a_wrong_value_does_not_hide_what_is_wrong_with_steps() {
    let project = Project::with(
        "variable \"unset\" {}\ndata \"forge\" \"x\" {}\nsource \"null\" \"x\" {\n  communicator = \"none\"\n}\nbuild {\n  \
         sources = [\"null.x\"]\n  provisioner \"shell-local\" {\n    inlnie = [data.forge.x.id]\n  }\n}\n",
    );
    let seen = project.kiln(&["validate", "template.pkr.hcl"]).expect_code(1).expect(&[
        "template::unset-variable",
        "there is no data source `forge`",
        "`inlnie` is not an option here",
    ]);
    // What is known of the wrong value is told once, and there is no word of builds that it leaves out.
    seen.expect_not("no builds to run");
    project.kiln(&["build", "template.pkr.hcl"]).expect_code(1).expect_not("inlnie");
}

#[test]
fn the_classic_layout_is_packers() {
    let project = Project::with(WRONG);
    let seen = project.kiln(&["validate", "--ui=classic", "template.pkr.hcl"]).expect_code(1).expect(&[
        "\n\n  on template.pkr.hcl line 13, in provisioner \"shell-local\":\n  13:     inlnie = [\"true\"]\n\n",
        "(template::unknown-option)",
    ]);
    assert!(!seen.out.contains("-->") && !seen.out.contains('^'), "{}", seen.out);
}

#[test]
fn editors_get_objects() {
    let project = Project::with(WRONG);
    let seen = project.kiln(&["validate", "--log-format=json", "template.pkr.hcl"]).expect_code(1);
    assert!(!seen.out.contains("hunter2"), "{}", seen.out);
    let objects: Vec<Value> =
        seen.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let of = |code: &str| objects.iter().find(|o| o["code"] == code).expect("the finding is there");
    let unknown = of("template::unknown-option");
    assert_eq!((&unknown["event"], &unknown["severity"]), (&"diagnostic".into(), &"error".into()));
    assert_eq!(unknown["file"], "template.pkr.hcl");
    let start = WRONG.find("inlnie").expect("it is in the text");
    assert_eq!(unknown["range"]["start"], serde_json::json!({"line": 13, "column": 5, "byte": start}));
    assert_eq!(unknown["range"]["end"], serde_json::json!({"line": 13, "column": 11, "byte": start + 6}));
    assert_eq!(unknown["snippet"][0]["text"], "    inlnie = [\"true\"]");
    assert_eq!(unknown["help"], "did you mean `inline`?");
    assert_eq!(unknown["context"], "provisioner \"shell-local\"");
    assert_eq!(of("template::wrong-type")["values"][0]["name"], "var.secret");
}

#[test]
fn codes_are_explained() {
    let project = Project::new();
    project
        .kiln(&["explain", "template::unknown-option"])
        .expect_code(0)
        .expect(&["The component has no option of this name.", "inlnie"]);
    project.kiln(&["explain", "cycle"]).expect_code(0).expect(&["template::cycle"]);
    project.kiln(&["explain"]).expect_code(0).expect(&["template::syntax:", "step::timed-out:"]);
    project
        .kiln(&["explain", "template::sintax"])
        .expect_code(1)
        .expect(&["there is no error code `template::sintax`; did you mean `template::syntax`?"]);
}
