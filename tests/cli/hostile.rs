//! Files that want to take all memory or all time, given to kiln as a process: it may use 200 MB
//! of data, which the system enforces, and a minute.

use kiln_tests::{Finished, Project, Running, made};
use std::process::Command;

/// kiln within its bounds; ended by a signal, it has no code.
fn bounded(project: &Project, args: &[&str]) -> Finished {
    let mut command = Command::new("timeout");
    project.prepare(&mut command);
    let script = "ulimit -d 200000; exec \"$0\" \"$@\"";
    command.args(["60", "sh", "-c", script]).arg(made("release/kiln", "cargo xtask build")).args(args);
    Running::start(command).finish()
}

#[test]
fn a_line_of_100_megabytes() {
    let project = Project::new();
    let long = format!("a = \"{}\"\n", "x".repeat(100_000_000));
    project.write("long.pkr.hcl", &format!("locals {{ {long} }}"));
    project.write("long.json", &format!("{{\"a\": \"{long}\"}}"));
    project.write("long.pkrvars.hcl", &long);
    project.write("small.pkr.hcl", "variable \"a\" { default = 1 }\n");
    for args in [
        &["validate", "long.pkr.hcl"][..],
        &["inspect", "long.pkr.hcl"],
        &["fmt", "-check", "long.pkr.hcl"],
        &["fix", "long.json"],
        &["validate", "-var-file=long.pkrvars.hcl", "small.pkr.hcl"],
    ] {
        bounded(&project, args).expect_code(1).expect(&["large"]);
    }
}

#[test]
fn links_in_circles_and_files_without_end() {
    let project = Project::new();
    std::fs::create_dir(project.path("loop")).unwrap();
    for (target, name) in [
        (".", "loop/loop"),
        ("a.pkr.hcl", "loop/a.pkr.hcl"),
        ("/dev/zero", "zero.pkr.hcl"),
        ("/dev/zero", "zero.json"),
        ("/dev/zero", "zero.pkrvars.hcl"),
    ] {
        std::os::unix::fs::symlink(target, project.path(name)).unwrap();
    }
    project.write("small.pkr.hcl", "locals { a = file(\"/dev/zero\") }\n");
    for args in [
        &["validate", "loop"][..],
        &["inspect", "loop/a.pkr.hcl"],
        &["fmt", "-check", "-recursive", "loop"],
        &["validate", "zero.pkr.hcl"],
        &["fix", "zero.json"],
        &["validate", "-var-file=zero.pkrvars.hcl", "small.pkr.hcl"],
        &["validate", "small.pkr.hcl"],
    ] {
        bounded(&project, args).expect_code(1);
    }
}

#[test]
fn bytes_that_are_no_text() {
    let project = Project::new();
    for (name, bytes) in [
        ("latin.pkr.hcl", &b"locals { a = \"\xe9\" }"[..]),
        ("wide.pkr.hcl", b"\xff\xfel\0o\0c\0"),
        ("nul.pkr.hcl", b"locals {\0 a = 1 }"),
        ("noise.pkr.json", b"\0\x01\x02\x80{"),
    ] {
        std::fs::write(project.path(name), bytes).unwrap();
        bounded(&project, &["validate", name]).expect_code(1).expect(&[name]);
    }
}
