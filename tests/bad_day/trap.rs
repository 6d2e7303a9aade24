//! Components that break. A trap ends the step with an error and not kiln; what the host made for
//! the build is undone.

use kiln_tests::{Project, made};

/// A project whose template uses the test component `trapper` as a third-party builder.
fn project(when: &str) -> Project {
    let project = Project::with(&format!(
        "source \"trapper\" \"x\" {{\n  when = \"{when}\"\n  output = \"made\"\n}}\nbuild {{\n  sources = [\"source.trapper.x\"]\n}}\n"
    ));
    let program = made("programs/trapper.wasm", "cargo xtask guests");
    project.write(
        "kiln.toml",
        &format!("[[component]]\nkind = \"builder\"\nname = \"trapper\"\npath = \"{}\"\n", program.display()),
    );
    project
}

fn check(when: &str) {
    let project = project(when);
    project.kiln(&["init", "--approve", "template.pkr.hcl"]).expect_code(0);
    let seen = project.build(&[]).expect_code(1);
    seen.expect(&["trap", "trapper", "template.pkr.hcl:1"]);
    assert!(!project.path("made").exists(), "the output is left: {:?}", project.files());
}

#[test]
fn bad_day_trap_in_prepare() {
    check("prepare");
}

#[test]
fn bad_day_trap_in_finish() {
    check("finish");
}
