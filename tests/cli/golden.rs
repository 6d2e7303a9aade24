//! kiln invoked as `packer`: the same text as Packer 1.16 would print, but for times, durations
//! and names of temporary files.

use kiln_tests::{Finished, Project, Running};

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
    Running::start(project.packer(args)).finish()
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

/// Everything that inspect shows, in one template.
const INSPECTED: &str = r#"variable "who" {
  type    = string
  default = "wor\"ld\n"
}
variable "count" {
  type    = number
  default = 3
}
variable "needed" {
  type = string
}
variable "secret" {
  type      = string
  default   = "hush"
  sensitive = true
}
variable "list" {
  type    = list(string)
  default = ["a", "b"]
}
locals {
  greeting = "hello ${var.who}"
  next     = var.count + 1
}
source "null" "x" {
  communicator = "none"
}
source "file" "y" {
  target  = "out.txt"
  content = "hello"
}
build {
  name        = "first"
  description = "Two sources."
  sources     = ["source.null.x", "source.file.y"]
  provisioner "shell-local" {
    name   = "greet"
    inline = ["echo one, two"]
  }
  provisioner "breakpoint" {
  }
  post-processor "manifest" {
    output = "m.json"
  }
  post-processors {
    post-processor "checksum" {
      name = "sums"
    }
    post-processor "compress" {
    }
  }
}
build {
  sources = ["source.null.x"]
}
build {
}
"#;

#[test]
fn inspect_equals_the_golden() {
    let project = Project::with(INSPECTED);
    let seen = packer(&project, &["inspect", "template.pkr.hcl"]).expect_code(0);
    assert_eq!(seen.out, include_str!("golden/inspect.txt"));
    let rows = packer(&project, &["inspect", "-machine-readable", "template.pkr.hcl"]).expect_code(0);
    assert_eq!(normal(&rows.out), include_str!("golden/inspect-machine-readable.txt"));
}

#[test]
fn versions_equal_the_golden() {
    let project = Project::new();
    let rows = "0,,version,1.16.0\n0,,version-prelease,\n0,,version-commit,\n0,,ui,say,Packer v1.16.0\n";
    for args in [
        &["version", "-machine-readable"][..],
        &["-machine-readable", "version"],
        &["-v", "-machine-readable"],
    ] {
        assert_eq!(normal(&packer(&project, args).expect_code(0).out), rows);
    }
    assert_eq!(packer(&project, &["version"]).expect_code(0).out, "Packer v1.16.0\n");
    project.kiln(&["version"]).expect_code(0).expect(&["kiln v"]).expect_not("Packer");
}

#[test]
fn a_failed_build_equals_the_golden() {
    let project = Project::with(
        "source \"null\" \"x\" {\n  communicator = \"none\"\n}\nbuild {\n  sources = [\"source.null.x\"]\n  \
         provisioner \"shell-local\" {\n    inline = [\"exit 3\"]\n  }\n}\n",
    );
    let rows = packer(&project, &["build", "-machine-readable", "template.pkr.hcl"]).expect_code(1);
    let kinds: Vec<String> = rows
        .out
        .lines()
        .map(|line| line.splitn(4, ',').skip(1).take(2).collect::<Vec<_>>().join(","))
        .collect();
    let expected = [",ui", ",ui", ",ui", ",ui", ",error-count", ",ui", "null.x,error", ",ui", ",ui"];
    assert_eq!(kinds, expected, "{}", rows.out);
    assert!(rows.out.contains(",error-count,1\n"), "{}", rows.out);
}
