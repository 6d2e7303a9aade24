//! Mistakes in the template.

use kiln_tests::Project;

const NONE: &str = "source \"null\" \"x\" {\n  communicator = \"none\"\n}\n";

/// A build of the null source with one provisioner.
fn with(provisioner: &str) -> Project {
    Project::with(&format!("{NONE}build {{\n  sources = [\"source.null.x\"]\n{provisioner}\n}}\n"))
}

#[test]
fn bad_day_unknown_attribute() {
    let project = with("  provisioner \"shell-local\" {\n    inlnie = [\"true\"]\n  }");
    let seen = project.kiln(&["validate", "template.pkr.hcl"]).expect_code(1);
    seen.expect(&["inlnie", "template.pkr.hcl:7", "did you mean", "inline"]);
}

#[test]
fn bad_day_wrong_type() {
    let project = with("  provisioner \"shell-local\" {\n    inline = { a = 1 }\n  }");
    let seen = project.kiln(&["validate", "template.pkr.hcl"]).expect_code(1);
    seen.expect(&["inline", "template.pkr.hcl:7", "list"]);
}

#[test]
fn bad_day_missing_required_option() {
    let project = with("  provisioner \"file\" {\n    content = \"x\"\n  }");
    let seen = project.kiln(&["validate", "template.pkr.hcl"]).expect_code(1);
    seen.expect(&["destination", "template.pkr.hcl:6"]);
}

#[test]
fn bad_day_unknown_component() {
    let project = with("  provisioner \"shel-local\" {\n    inline = [\"true\"]\n  }");
    let seen = project.kiln(&["validate", "template.pkr.hcl"]).expect_code(1);
    seen.expect(&["shel-local", "template.pkr.hcl:6", "did you mean", "shell-local"]);
}

#[test]
fn bad_day_all_problems_in_one_run() {
    let project = with(
        "  provisioner \"shell-local\" {\n    inlnie = [\"true\"]\n  }\n  provisioner \"sleep\" {\n    duraton = \"1s\"\n  }",
    );
    let seen = project.kiln(&["validate", "template.pkr.hcl"]).expect_code(1);
    seen.expect(&["template.pkr.hcl:7", "template.pkr.hcl:10"]);
}

#[test]
fn bad_day_unreadable_script() {
    let project = with("  provisioner \"shell\" {\n    script = \"missing.sh\"\n  }");
    let seen = project.kiln(&["validate", "template.pkr.hcl"]).expect_code(1);
    seen.expect(&["missing.sh", "template.pkr.hcl:7"]);
    // A directory is not a script either.
    std::fs::create_dir(project.path("missing.sh")).unwrap();
    project.build(&[]).expect_code(1).expect(&["missing.sh", "template.pkr.hcl:7"]);
}

#[test]
fn bad_day_syntax_error() {
    let project = Project::with("source \"null\" \"x\" {\n  communicator = \n}\n");
    project.kiln(&["validate", "template.pkr.hcl"]).expect_code(1).expect(&["template.pkr.hcl:2"]);
}

#[test]
fn bad_day_hostile_nesting_ends_in_an_error() {
    let deep = format!("locals {{\n  x = {}1{}\n}}\n", "(".repeat(50_000), ")".repeat(50_000));
    let project = Project::with(&deep);
    let seen = project.kiln(&["validate", "template.pkr.hcl"]).expect_code(1);
    seen.expect(&["template.pkr.hcl", "nest"]);
}
