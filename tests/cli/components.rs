//! `init` and `plugins`: which components there are, and who approved them.

use kiln_tests::{Project, made};

/// A project with one third-party provisioner named `greet`, which wants `exec` if `trusted`.
fn project(trusted: bool) -> Project {
    let project = Project::with(
        "source \"null\" \"x\" {\n  communicator = \"none\"\n}\nbuild {\n  sources = [\"source.null.x\"]\n  \
         provisioner \"greet\" {\n    OPTION\n  }\n}\n"
            .replace("OPTION", if trusted { "inline = [\"true\"]" } else { "duration = \"1ms\"" })
            .as_str(),
    );
    let name = if trusted { "shell-local" } else { "sleep" };
    let wasm = made(&format!("components/provisioners/{name}.wasm"), "cargo xtask guests");
    let mut bytes = std::fs::read(wasm).unwrap();
    // A byte more in a custom section: another digest, so nothing bundled vouches for it.
    bytes.extend([0, 5, 4, b'm', b'i', b'n', b'e']);
    std::fs::write(project.path("greet.wasm"), bytes).unwrap();
    project.write(
        "kiln.toml",
        "# mine\n[[component]]\nkind = \"provisioner\"\nname = \"greet\"\npath = \"greet.wasm\"\n",
    );
    project
}

#[test]
fn full_trust_needs_its_own_flag() {
    let project = project(true);
    project
        .kiln(&["init", "-approve", "."])
        .expect_code(1)
        .expect(&["it can do everything you can", "--approve-full-trust"]);
    project.build(&[]).expect_code(1);
    project.kiln(&["init", "-approve-full-trust", "."]).expect_code(0).expect(&["approved"]);
    project.build(&[]).expect_code(0);
    project.kiln(&["init", "."]).expect_code(0).expect(&["already approved by you"]);
}

#[test]
fn other_grants_are_approved_by_the_ordinary_flag() {
    let project = project(false);
    project.build(&[]).expect_code(1).expect(&["kiln init"]);
    project.kiln(&["init", "."]).expect_code(1).expect(&["not approved"]);
    project.kiln(&["init", "-approve", "."]).expect_code(0);
    project.build(&[]).expect_code(0);
    // -force looks again, and nobody is there to agree.
    project.kiln(&["init", "-force", "."]).expect_code(1);
}

#[test]
fn a_policy_approves_only_from_outside_of_the_project() {
    let project = project(true);
    project.kiln(&["init", "."]).expect_code(1);
    let lock = project.read("kiln.lock");
    project.kiln(&["init", "-policy=kiln.lock", "."]).expect_code(1).expect(&["inside of the project"]);
    project.kiln(&["init", "-policy=/nowhere/policy", "."]).expect_code(1).expect(&["/nowhere/policy"]);
    let elsewhere = Project::new();
    let other = elsewhere.write("other", &lock.replace("sha256:", "sha256:0"));
    project.kiln(&["init", &format!("-policy={}", other.display()), "."]).expect_code(1);
    let policy = elsewhere.write("policy", &lock);
    project.kiln(&["init", &format!("-policy={}", policy.display()), "."]).expect_code(0);
    project.build(&[]).expect_code(0);
}

fn requiring(plugins: &str) -> Project {
    Project::with(&format!(
        "packer {{\n  required_plugins {{\n{plugins}\n  }}\n}}\nsource \"null\" \"x\" {{\n  communicator = \"none\"\n}}\n\
         build {{\n  sources = [\"source.null.x\"]\n}}\n"
    ))
}

const QEMU: &str =
    "    qemu = {\n      version = \">= 1.0\"\n      source  = \"github.com/hashicorp/qemu\"\n    }";
const FOREIGN: &str =
    "    foo = {\n      version = \">= 1.0\"\n      source  = \"ghcr.io/acme/kiln-foo\"\n    }";

#[test]
fn init_says_what_there_is_for_each_plugin() {
    requiring(QEMU).kiln(&["init", "template.pkr.hcl"]).expect_code(0).expect(&["bundled: builder `qemu`"]);
    requiring(QEMU).kiln(&["init", "-upgrade", "-force", "."]).expect_code(0);
    let amazon = QEMU.replace("qemu", "amazon");
    let absent = requiring(&amazon).kiln(&["init", "."]).expect_code(0);
    absent.expect(&["not there yet", "builder `amazon-ebs`"]);
    let foreign = requiring(FOREIGN).kiln(&["init", "."]).expect_code(1);
    foreign.expect(&[
        "not fetched from registries yet",
        "kiln plugins install -path FILE ghcr.io/acme/kiln-foo",
    ]);
    let project = Project::with("source \"null\" \"x\" {\n  communicator = \"none\"\n}\n");
    project.kiln(&["init", "template.pkr.hcl"]).expect_code(0).expect(&["Nothing to do", "required_plugins"]);
    project.kiln(&["init", "absent"]).expect_code(1).expect(&["absent"]);
    project.write("legacy.json", "{\"builders\": []}");
    project.kiln(&["init", "legacy.json"]).expect_code(1).expect(&["legacy JSON template"]);
    project.write("broken/x.pkr.hcl", "source {");
    project.kiln(&["init", "broken"]).expect_code(1).expect(&["x.pkr.hcl:1"]);
}

#[test]
fn required_plugins_are_listed() {
    let project = requiring(&format!("{QEMU}\n{FOREIGN}"));
    project.kiln(&["plugins", "required", "."]).expect_code(0).expect(&[
        "qemu github.com/hashicorp/qemu \">= 1.0\"",
        "bundled: builder `qemu`",
        "foo ghcr.io/acme/kiln-foo",
    ]);
    project.kiln(&["plugins", "required"]).expect_code(1).expect(&["Usage:"]);
}

#[test]
fn components_are_installed_and_removed() {
    let project = project(false);
    project.write("kiln.toml", "# my own words\n");
    let install = |more: &[&str]| project.kiln(&[&["plugins", "install"], more].concat());
    install(&["github.com/hashicorp/qemu"]).expect_code(0).expect(&["bundled"]);
    install(&["ghcr.io/acme/kiln-foo"]).expect_code(1).expect(&["registries"]);
    install(&["github.com/acme/foo"]).expect_code(1).expect(&["-path FILE"]);
    install(&["-path", "kiln.toml", "foo"]).expect_code(1).expect(&["not a component"]);
    install(&["-path", "greet.wasm", "sleep"]).expect_code(1).expect(&["bundled"]);
    install(&["-path", "greet.wasm", "example.com/acme/kiln-greet", "1.0.0"]).expect_code(0);
    install(&["-path", "greet.wasm", "greet"]).expect_code(1).expect(&["-force"]);
    install(&["-force", "-path", "greet.wasm", "greet"]).expect_code(0);
    let written = project.read("kiln.toml");
    assert!(
        written.starts_with("# my own words\n") && written.matches("[[component]]").count() == 1,
        "{written}"
    );
    project
        .kiln(&["plugins", "installed"])
        .expect_code(0)
        .expect(&["builder qemu (bundled)", "provisioner greet (greet.wasm)"]);
    project.kiln(&["init", "-approve", "."]).expect_code(0);
    project.build(&[]).expect_code(0);
    project.kiln(&["plugins", "remove", "qemu"]).expect_code(1).expect(&["bundled with kiln"]);
    project.kiln(&["plugins", "remove", "example.com/acme/greet"]).expect_code(0).expect(&["Removed"]);
    project.kiln(&["plugins", "remove", "greet"]).expect_code(1);
    assert!(!project.read("kiln.lock").contains("greet"));
    project.build(&[]).expect_code(1).expect(&["greet"]);
}
