//! Real QEMU, a real guest: each way to make an image, and the image looked at from outside.

use kiln_tests::{Finished, Guest, Project};
use std::path::PathBuf;
use std::process::Command;

fn examples() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../examples").canonicalize().unwrap()
}

fn project(guest: &Guest, more: &str, body: &str) -> Project {
    let source = guest.source(more);
    Project::with(&format!("{source}\nbuild {{\n  sources = [\"source.qemu.vm\"]\n{body}\n}}\n"))
}

fn image_info(project: &Project, image: &str) -> serde_json::Value {
    let output = Command::new("qemu-img")
        .args(["info", "--output=json"])
        .arg(project.path(image))
        .output()
        .expect("qemu-img is missing; run `apt-get install qemu-utils`");
    assert!(output.status.success(), "{image}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What `path` holds in the image, read from outside through the serial-less way: the partition is
/// cut out and debugfs reads it.
fn file_in_image(project: &Project, image: &str, path: &str) -> String {
    let raw = project.path("looked-at.raw");
    let done =
        Command::new("qemu-img").args(["convert", "-O", "raw"]).arg(project.path(image)).arg(&raw).status();
    assert!(done.unwrap().success());
    let table =
        Command::new("/usr/sbin/sfdisk").arg("-J").arg(&raw).output().expect("sfdisk is missing (fdisk)");
    let table: serde_json::Value = serde_json::from_slice(&table.stdout).unwrap();
    let partitions = table["partitiontable"]["partitions"].as_array().unwrap();
    let root = partitions.iter().max_by_key(|p| p["size"].as_u64()).unwrap();
    let offset = root["start"].as_u64().unwrap() * 512;
    let output = Command::new("/usr/sbin/debugfs")
        .args(["-R", &format!("cat {path}")])
        .arg(format!("{}?offset={offset}", raw.display()))
        .output()
        .expect("debugfs is missing (e2fsprogs)");
    std::fs::remove_file(raw).unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn kiln(project: &Project, args: &[&str]) -> Finished {
    project.kiln(args).expect_code(0)
}

#[test]
fn raw_compressed_and_overlaid_images() {
    let guest = Guest::tiny();
    let mark = "  provisioner \"shell\" {\n    inline = [\"echo was-here | sudo tee /etc/mark\"]\n  }";
    for (more, name, format, backing) in [
        (
            "vm_name = \"a\"\n  skip_compaction = false\n  disk_compression = true",
            "output-vm/a",
            "qcow2",
            false,
        ),
        ("vm_name = \"b\"\n  use_backing_file = true", "output-vm/b", "qcow2", true),
    ] {
        let project = project(&guest, more, mark);
        kiln(&project, &["build", "template.pkr.hcl"]);
        let info = image_info(&project, name);
        assert_eq!(info["format"], format);
        assert_eq!(info.get("backing-filename").is_some(), backing, "{info}");
        assert_eq!(file_in_image(&project, name, "/etc/mark").trim(), "was-here");
        assert!(!project.path("output-vm/.kiln-incomplete").exists());
    }
}

#[test]
fn seeds_by_cd_and_directories_by_ssh() {
    let guest = Guest::tiny();
    let project = project(
        &guest,
        "cd_content = {\n    \"meta-data\" = \"instance-id: test\\nlocal-hostname: seeded\\n\"\n    \"user-data\" = \"#cloud-config\\n\"\n  }\n  cd_label = \"cidata\"",
        "  provisioner \"shell\" {\n    inline = [\"hostname\", \"mkdir -p /tmp/in\"]\n  }\n  \
         provisioner \"file\" {\n    source = \"tree/\"\n    destination = \"/tmp/in\"\n  }\n  \
         provisioner \"shell\" {\n    inline = [\"find /tmp/in -type f -exec sha256sum {} + | tee /tmp/sums\"]\n  }\n  \
         provisioner \"file\" {\n    direction = \"download\"\n    source = \"/tmp/sums\"\n    destination = \"back/sums\"\n  }",
    );
    project.write("tree/one file", "1");
    project.write("tree/deep/er/two", &"2".repeat(100_000));
    std::fs::create_dir(project.path("tree/empty")).unwrap();
    kiln(&project, &["build", "template.pkr.hcl"]).expect(&["seeded"]);
    let sums = project.read("back/sums");
    assert_eq!(sums.lines().count(), 2, "{sums}");
    assert!(sums.contains("/tmp/in/one file") && sums.contains("/tmp/in/deep/er/two"), "{sums}");
}

#[test]
fn an_installation_by_boot_command() {
    let guest = Guest::tiny();
    let project = Project::new();
    let iso = format!("iso={}", guest.iso.display());
    let examples = examples().join("iso");
    kiln(&project, &["build", "-var", &iso, examples.to_str().unwrap()]);
    assert_eq!(image_info(&project, "output-iso/installed.qcow2")["format"], "qcow2");
    assert!(file_in_image(&project, "output-iso/installed.qcow2", "/etc/hostname").contains("installed"));
}

#[test]
fn trap_24_without_a_communicator_the_machine_ends_itself() {
    let guest = Guest::tiny();
    let source = guest
        .source("cd_content = {\n    \"meta-data\" = \"instance-id: off\\n\"\n    \"user-data\" = \"#!/bin/sh\\necho by-seed > /etc/mark\\n(sleep 1; poweroff) &\\n\"\n  }\n  cd_label = \"cidata\"\n  communicator = \"none\"\n  shutdown_timeout = \"2m\"")
        .lines()
        .filter(|line| !line.trim_start().starts_with("ssh_") && !line.contains("shutdown_command"))
        .collect::<Vec<_>>()
        .join("\n");
    let project = Project::with(&format!("{source}\nbuild {{\n  sources = [\"source.qemu.vm\"]\n}}\n"));
    kiln(&project, &["build", "template.pkr.hcl"]);
    assert_eq!(file_in_image(&project, "output-vm/packer-vm", "/etc/mark").trim(), "by-seed");
}

#[test]
fn three_kinds_of_build_at_once() {
    let guest = Guest::tiny();
    let project = Project::new();
    let template = examples().join("parallel.pkr.hcl");
    let image = format!("image={}", guest.disk.display());
    let key = format!("key={}", guest.key.display());
    let seen = kiln(&project, &["build", "-var", &image, "-var", &key, template.to_str().unwrap()]);
    seen.expect(&["--> qemu.machine:", "--> null.local:", "--> file.note:"]);
    assert_eq!(project.read("output-parallel/note.txt"), "made beside a machine\n");
}

#[test]
fn trap_22_the_image_has_no_extension_and_force_replaces_an_earlier_one() {
    let guest = Guest::tiny();
    let project = project(&guest, "", "");
    kiln(&project, &["build", "template.pkr.hcl"]);
    project.build(&[]).expect_code(1).expect(&["output-vm", "-force"]);
    kiln(&project, &["build", "-force", "template.pkr.hcl"]);
    assert!(project.path("output-vm/packer-vm").exists());
}

#[test]
fn trap_25_a_machine_that_does_not_stop_in_time_is_an_error() {
    let guest = Guest::tiny();
    let source = guest.source("shutdown_timeout = \"2s\"").replace("sudo poweroff", "true");
    let project = Project::with(&format!("{source}\nbuild {{\n  sources = [\"source.qemu.vm\"]\n}}\n"));
    project.build(&[]).expect_code(1).expect(&["shutdown_timeout"]);
    assert!(!project.path("output-vm/packer-vm").exists());
    assert_eq!(project.processes(), Vec::<String>::new());
}
