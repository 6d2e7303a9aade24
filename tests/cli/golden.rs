//! kiln invoked as `packer`: the same text as Packer 1.16 would print, but for times, durations
//! and names of temporary files.

use kiln_tests::{Finished, Project, Running};
use std::os::unix::fs::symlink;

const TEMPLATE: &str = r#"source "null" "x" {
  communicator = "none"
}
source "file" "y" {
  target  = "out.txt"
  content = "hello"
}
build {
  sources = ["source.null.x", "source.file.y"]
  provisioner "shell-local" {
    inline = ["echo one, two", "sleep 0.3", "echo err >&2"]
  }
  post-processor "manifest" {
    output = "m.json"
  }
  post-processor "checksum" {
    checksum_types = ["sha256"]
    output         = "sum.{{.ChecksumType}}"
  }
}
"#;

fn packer(project: &Project, args: &[&str]) -> Finished {
    let mut command = project.command(&[]);
    let link = project.path("packer");
    if !link.exists() {
        symlink(command.get_program(), &link).unwrap();
    }
    let mut renamed = std::process::Command::new(&link);
    project.prepare(&mut renamed);
    renamed.args(args);
    command = renamed;
    Running::start(command).finish()
}

/// Times become 0, durations D, and what follows `local shell script` is cut.
fn normal(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let line = match line.split_once(',') {
            Some((time, rest)) if time.len() == 10 && time.bytes().all(|b| b.is_ascii_digit()) => {
                format!("0,{rest}")
            }
            _ => line.to_owned(),
        };
        let line = match line.split_once(" after ") {
            Some((start, _)) => format!("{start} after D"),
            None => line,
        };
        let line = match line.split_once("local shell script") {
            Some((start, _)) => format!("{start}local shell script"),
            None => line,
        };
        lines.push(line);
    }
    lines.join("\n") + "\n"
}

#[test]
fn validate_equals_the_golden() {
    let project = Project::with(TEMPLATE);
    let seen = packer(&project, &["validate", "template.pkr.hcl"]).expect_code(0);
    assert_eq!(seen.out, "The configuration is valid.\n");
}

#[test]
fn machine_readable_build_equals_the_golden() {
    let project = Project::with(TEMPLATE);
    let seen = packer(&project, &["build", "-machine-readable", "-parallel-builds=1", "template.pkr.hcl"])
        .expect_code(0);
    assert_eq!(normal(&seen.out), include_str!("golden/machine-readable.txt"), "{}", seen.err);
}

#[test]
fn plain_build_equals_the_golden() {
    let project = Project::with(TEMPLATE);
    let seen =
        packer(&project, &["build", "-color=false", "-parallel-builds=1", "template.pkr.hcl"]).expect_code(0);
    assert_eq!(normal(&seen.out), include_str!("golden/plain.txt"), "{}", seen.err);
    let manifest: serde_json::Value = serde_json::from_str(&project.read("m.json")).unwrap();
    assert_eq!(manifest["builds"][0]["files"], serde_json::Value::Null);
    assert_eq!(manifest["builds"][1]["files"], serde_json::json!([{"name": "out.txt", "size": 5}]));
    let digest = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    assert_eq!(project.read("sum.sha256"), format!("{digest}\tout.txt\n"));
}
