//! A third-party component makes something outside its build, and the build does not get to undo
//! it: the component itself does, in the end of the build or in `kiln cleanup`.

use kiln_tests::{Project, made};

/// A project whose template uses the test component `undoer` as a third-party builder.
fn project(then: &str) -> Project {
    let project = Project::with(&format!(
        "source \"undoer\" \"x\" {{\n  thing = \"thing\"\n  then = \"{then}\"\n}}\nbuild {{\n  sources = [\"source.undoer.x\"]\n}}\n"
    ));
    let program = made("programs/undoer.wasm", "cargo xtask guests");
    project.write(
        "kiln.toml",
        &format!("[[component]]\nkind = \"builder\"\nname = \"undoer\"\npath = \"{}\"\n", program.display()),
    );
    project.kiln(&["init", "--approve-full-trust", "template.pkr.hcl"]).expect_code(0);
    project
}

#[test]
fn bad_day_trap_leaves_nothing_elsewhere() {
    let project = project("trap");
    project.build(&[]).expect_code(1);
    assert!(!project.path("thing").exists(), "{:?}", project.files());
}

#[test]
fn bad_day_sigkill_leaves_nothing_elsewhere() {
    let project = project("wait");
    let running = project.start(&["build", "template.pkr.hcl"]);
    kiln_tests::wait_until("the thing", || project.path("thing").exists(), String::new);
    running.signal("KILL");
    running.finish();
    // Another component under that name is not asked.
    let config = project.read("kiln.toml");
    project.write("kiln.toml", "");
    project.kiln(&["cleanup"]).expect_code(1).expect(&["the thing thing", "undoer"]);
    assert!(project.path("thing").exists());
    project.write("kiln.toml", &config);
    project.kiln(&["cleanup"]).expect_code(0).expect(&["removed the thing thing"]);
    assert!(!project.path("thing").exists(), "{:?}", project.files());
    project.kiln(&["cleanup"]).expect_code(0).expect(&["Nothing is left"]);
}
