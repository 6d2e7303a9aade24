//! Templates on components and communicators that kiln does not have yet.

use kiln_tests::Project;

const BOTH: &str = r#"packer {
  required_plugins {
    amazon = {
      version = "~> 1"
      source  = "github.com/hashicorp/amazon"
    }
  }
}

source "amazon-ebs" "cloud" {
  region       = "eu-central-1"
  ssh_username = "admin"

  tag {
    key   = "a"
    value = "b"
  }
}

source "null" "here" {
  communicator = "none"
}

build {
  sources = ["source.amazon-ebs.cloud", "source.null.here"]

  provisioner "ansible" {
    only          = ["amazon-ebs.cloud"]
    playbook_file = "site.yml"
  }
  provisioner "shell-local" {
    inline = ["echo done >> done"]
  }
}
"#;

#[test]
fn validate_prints_what_packer_prints() {
    let project = Project::with(BOTH);
    let seen = project.kiln(&["validate", "template.pkr.hcl"]).expect_code(0);
    assert_eq!(seen.out, "The configuration is valid.\n");
    assert_eq!(
        seen.err,
        "note: kiln has no builder `amazon-ebs` yet, so this cannot be built\n\
         note: kiln has no provisioner `ansible` yet, so this cannot be built\n"
    );
    let seen = project.kiln(&["validate", "-only=null.here", "template.pkr.hcl"]).expect_code(0);
    assert_eq!(seen.err, "");
}

#[test]
fn validate_checks_options() {
    let project = Project::with(&BOTH.replace("ssh_username", "ssh_usernam"));
    project.kiln(&["validate", "template.pkr.hcl"]).expect_code(1).expect(&[
        "`ssh_usernam` is not an option here",
        "--> template.pkr.hcl:12:3, in source \"amazon-ebs\" \"cloud\"",
        "did you mean `ssh_username`?",
    ]);
    let project = Project::with(&BOTH.replace("amazon-ebs", "amazon-ebz"));
    project.kiln(&["validate", "template.pkr.hcl"]).expect_code(1).expect(&["did you mean `amazon-ebs`?"]);
}

#[test]
fn build_refuses_before_anything_starts() {
    let project = Project::with(BOTH);
    let seen = project.build(&[]).expect_code(1).expect(&[
        "Error: kiln has no builder `amazon-ebs` yet",
        "Error: kiln has no provisioner `ansible` yet",
        "--> template.pkr.hcl:",
        "a builder can be: file, null, qemu",
        "the other builds can be run: -only=null.here",
    ]);
    assert!(!seen.out.contains("==>"), "{}", seen.out);
    assert!(!project.path("done").exists());
    project.build(&["-only=null.here"]).expect_code(0);
    assert_eq!(project.read("done"), "done\n");
    project.build(&["-only=amazon-ebs.cloud"]).expect_code(1).expect_not("the other builds");
}

#[test]
fn data_sources_are_refused_before_others_are_read() {
    let project = Project::with(
        r#"
data "amazon-ami" "base" {
  most_recent = true
  filters     = { name = "debian-*" }
}
data "http" "first" {
  url = "http://127.0.0.1:1/"
}
source "null" "here" {
  communicator = "none"
}
build {
  sources = ["source.null.here"]
  provisioner "shell-local" {
    inline = ["echo ${data.amazon-ami.base.id} ${data.amazon-ami.base.tags["a"]}"]
  }
}
"#,
    );
    let seen = project.kiln(&["validate", "."]).expect_code(0);
    assert_eq!(seen.err, "note: kiln has no data source `amazon-ami` yet, so this cannot be built\n");
    for args in [&["build", "."][..], &["validate", "-evaluate-datasources", "."]] {
        project
            .kiln(args)
            .expect_code(1)
            .expect(&["Error: kiln has no data source `amazon-ami` yet"])
            .expect_not("127.0.0.1");
    }
    project.kiln(&["inspect", "."]).expect_code(0);
}

#[test]
fn other_verbs_take_them() {
    let project = Project::with(BOTH);
    project.kiln(&["inspect", "template.pkr.hcl"]).expect_code(0).expect(&["amazon-ebs.cloud", "ansible"]);
    project.kiln(&["fmt", "-check", "template.pkr.hcl"]).expect_code(0);
    project.kiln(&["init", "."]).expect_code(0);
}

const WINRM: &str = r#"source "qemu" "vm" {
  iso_url        = "disk.img"
  iso_checksum   = "none"
  communicator   = "winrm"
  winrm_username = "x"
}
source "null" "far" {
  communicator   = "winrm"
  winrm_username = "x"
}
source "null" "here" {
  communicator = "none"
}
build {
  sources = ["qemu.vm", "null.far", "null.here"]
  provisioner "shell-local" {
    inline = ["echo done >> done"]
  }
}
"#;

#[test]
fn winrm_is_valid_and_not_built() {
    let project = Project::with(WINRM);
    let seen = project.kiln(&["validate", "template.pkr.hcl"]).expect_code(0);
    assert_eq!(seen.err, "note: kiln has no communicator `winrm` yet, so this cannot be built\n");
    project.kiln(&["build", "template.pkr.hcl"]).expect_code(1).expect(&[
        "kiln has no communicator `winrm` yet",
        "--> template.pkr.hcl:4:20",
        "a communicator can be: ssh, none",
        "the other builds can be run: -only=null.here",
    ]);
    assert!(!project.path("output-vm").exists() && !project.path("done").exists());
    project.kiln(&["build", "-only=null.here", "template.pkr.hcl"]).expect_code(0);
    assert_eq!(std::fs::read_to_string(project.path("done")).unwrap(), "done\n");
}
