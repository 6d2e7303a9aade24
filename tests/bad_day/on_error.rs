//! `-on-error` with a real machine: what is left, how to get in, and how it is removed.

use kiln_tests::{Finished, Guest, Project, Terminal, replayed};
use std::process::Command;

const FAILING: &str = r#"
  provisioner "shell" {
    inline = ["echo first-try", "exit 7"]
  }
  error-cleanup-provisioner "shell" {
    inline = ["echo the-last-provisioner"]
  }
"#;

fn project(body: &str) -> Project {
    let source = Guest::tiny().source("");
    Project::with(&format!("{source}\nbuild {{\n  sources = [\"source.qemu.vm\"]\n{body}\n}}\n"))
}

/// The rest of the line that contains `start`.
#[track_caller]
fn after(seen: &Finished, start: &str) -> String {
    let rest = seen.out.lines().find_map(|line| line.split_once(start));
    rest.unwrap_or_else(|| panic!("no `{start}` in\n{}", seen.out)).1.trim_end().to_owned()
}

/// Logs in as kiln says, then `kiln cleanup ID` as kiln says, after which nothing is there.
#[track_caller]
fn enter_and_clean_up(project: &Project, seen: &Finished) {
    let machine = || project.processes().into_iter().find(|p| p.contains("qemu-system"));
    assert!(machine().is_some(), "the machine is gone: {}", seen.out);
    // On a terminal a line is filled with blanks up to its width.
    let login = after(seen, "log in with: ");
    let login = login.split("  ").next().unwrap();
    let shell = Command::new("sh").args(["-c", &format!("{login} echo i-am-in")]).output().unwrap();
    let said = String::from_utf8_lossy(&shell.stdout);
    assert_eq!(said.trim(), "i-am-in", "{login}: {}", String::from_utf8_lossy(&shell.stderr));
    let id = after(seen, "kiln cleanup ");
    let id = id.split('`').next().unwrap();
    assert!(project.path("output-vm").exists());
    project.kiln(&["cleanup", id]).expect_code(0).expect(&["virtual machine", "output-vm"]);
    assert!(machine().is_none() && !project.path("output-vm").exists(), "{:?}", project.files());
    let left: Vec<_> = std::fs::read_dir(project.path("tmp")).unwrap().flatten().map(|e| e.path()).collect();
    assert!(left.is_empty(), "temporary files are left: {left:?}");
    project.kiln(&["cleanup", id]).expect_code(1).expect(&["no run"]);
}

#[test]
fn bad_day_abort_leaves_the_machine() {
    let project = project(FAILING);
    let seen = project.build(&["-on-error=abort"]).expect_code(1).expect_not("the-last-provisioner");
    enter_and_clean_up(&project, &seen);
}

#[test]
fn bad_day_run_cleanup_provisioner_leaves_the_machine() {
    let project = project(FAILING);
    let seen = project.build(&["-on-error=run-cleanup-provisioner"]).expect_code(1);
    let seen = seen.expect(&["qemu.vm: the-last-provisioner"]);
    enter_and_clean_up(&project, &seen);
}

#[test]
fn bad_day_cleanup_runs_the_error_cleanup_provisioner() {
    let project = project(FAILING);
    project.build(&[]).expect_code(1).expect(&["qemu.vm: the-last-provisioner"]).expect_not("log in with");
    assert_eq!(project.processes(), Vec::<String>::new());
    assert!(!project.path("output-vm").exists());
}

#[test]
fn bad_day_ask_retries_and_then_aborts() {
    let project = project(
        "  provisioner \"shell\" {\n    inline = [\"echo tried >> /tmp/tries; test $(wc -l < /tmp/tries) = 2\"]\n  }\n  \
         provisioner \"shell\" {\n    inline = [\"echo the-second-one\", \"exit 4\"]\n  }",
    );
    let mut terminal = Terminal::start(&project, &["build", "-on-error=ask", "template.pkr.hcl"], &[]);
    terminal.wait_for("What now?");
    terminal.send("r\r");
    terminal.wait_for("the-second-one");
    terminal.wait_to_show("the second question", |window| window.matches("What now?").count() == 2);
    terminal.send("a\r");
    let seen = terminal.finish().expect_code(1);
    let plain = replayed(&seen.out, 500, 500);
    enter_and_clean_up(&project, &Finished { out: plain, ..seen });
}
