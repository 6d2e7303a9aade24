//! kiln ended by a signal in each phase of a build. SIGINT and SIGTERM cancel and clean up; after
//! SIGKILL the output is marked incomplete and `kiln cleanup` removes what is left.

use kiln_tests::{Guest, Project, wait_until};

/// Where in the build the signal comes: what is waited for in the output, and the template's body.
const PHASES: [(&str, &str); 4] = [
    // The machine boots; nothing answers yet.
    ("Waiting for SSH", ""),
    (
        "in-the-provisioner",
        "provisioner \"shell\" {\n inline = [\"echo in-the-provisioner\", \"sleep 60\"]\n }",
    ),
    ("in-shell-local", "provisioner \"shell-local\" {\n inline = [\"echo in-shell-local; sleep 60\"]\n }"),
    (
        "in-the-post-processor",
        "post-processor \"shell-local\" {\n inline = [\"echo in-the-post-processor; sleep 60\"]\n }",
    ),
];

fn project(body: &str) -> Project {
    let source = Guest::tiny().source("");
    Project::with(&format!("{source}\nbuild {{\n  sources = [\"source.qemu.vm\"]\n  {body}\n}}\n"))
}

fn cancelled(signal: &str, phase: usize) {
    let (text, body) = PHASES[phase];
    let project = project(body);
    let running = project.start(&["build", "template.pkr.hcl"]);
    running.wait_for(text);
    running.signal(signal);
    let seen = running.finish();
    assert_eq!(seen.code, Some(1), "{seen:?}");
    assert!(!project.path("output-vm/.kiln-incomplete").exists());
    // A finished image is kept when only a post-processor was cancelled.
    assert_eq!(project.path("output-vm").exists(), phase == 3, "{:?}", project.files());
    assert_eq!(project.processes(), Vec::<String>::new());
}

fn killed(phase: usize) {
    let (text, body) = PHASES[phase];
    let project = project(body);
    let running = project.start(&["build", "template.pkr.hcl"]);
    running.wait_for(text);
    running.signal("KILL");
    running.finish();
    wait_until("end of the children", || project.processes().is_empty(), || project.processes().join("\n"));
    if phase < 3 {
        assert!(project.path("output-vm/.kiln-incomplete").exists(), "not marked: {:?}", project.files());
    }
    project.kiln(&["cleanup"]).expect_code(0);
    assert_eq!(project.path("output-vm").exists(), phase == 3, "{:?}", project.files());
    let left: Vec<_> = std::fs::read_dir(project.path("tmp")).unwrap().flatten().map(|e| e.path()).collect();
    assert!(left.is_empty(), "temporary files are left: {left:?}");
    let again = project.kiln(&["cleanup"]).expect_code(0);
    assert!(!again.out.contains("removed"), "not idempotent: {}", again.out);
}

/// A builder whose output is a single file has no directory that could be marked.
fn killed_with_a_file(body: &str, kept: bool) {
    let project = Project::with(&format!(
        "source \"file\" \"y\" {{\n  content = \"made\"\n  target = \"made/file.txt\"\n}}\nbuild {{\n  \
         sources = [\"source.file.y\"]\n  {body} {{\n    inline = [\"echo it-runs; sleep 60\"]\n  }}\n}}\n"
    ));
    let running = project.start(&["build", "template.pkr.hcl"]);
    running.wait_for("it-runs");
    running.signal("KILL");
    running.finish();
    project.kiln(&["cleanup"]).expect_code(0);
    assert_eq!(project.path("made/file.txt").exists(), kept, "{:?}", project.files());
}

#[test]
fn bad_day_sigkill_removes_an_unfinished_file() {
    killed_with_a_file("provisioner \"shell-local\"", false);
}

#[test]
fn bad_day_sigkill_keeps_a_finished_file() {
    killed_with_a_file("post-processor \"shell-local\"", true);
}

macro_rules! phases {
    ($($name:ident: $body:expr;)*) => { $( #[test] fn $name() { $body } )* };
}

phases! {
    bad_day_sigint_while_booting: cancelled("INT", 0);
    bad_day_sigint_while_provisioning: cancelled("INT", 1);
    bad_day_sigint_in_shell_local: cancelled("INT", 2);
    bad_day_sigint_while_post_processing: cancelled("INT", 3);
    bad_day_sigterm_while_booting: cancelled("TERM", 0);
    bad_day_sigterm_while_provisioning: cancelled("TERM", 1);
    bad_day_sigterm_in_shell_local: cancelled("TERM", 2);
    bad_day_sigterm_while_post_processing: cancelled("TERM", 3);
    bad_day_sigkill_while_booting: killed(0);
    bad_day_sigkill_while_provisioning: killed(1);
    bad_day_sigkill_in_shell_local: killed(2);
    bad_day_sigkill_while_post_processing: killed(3);
}
