//! Verbs and exit codes.

use kiln_tests::Project;

const HELLO: &str = r#"variable "who" {
  type    = string
  default = "world"
}

source "file" "greeting" {
  content = "hello ${var.who}\n"
  target  = "hello.txt"
}

source "null" "here" {
  communicator = "none"
}

build {
  sources = ["source.file.greeting", "source.null.here"]

  provisioner "shell-local" {
    only   = ["null.here"]
    inline = ["echo hello from $PACKER_BUILD_NAME"]
  }
}
"#;

#[test]
fn no_command_is_127_and_help_is_0() {
    let project = Project::new();
    project.kiln(&[]).expect_code(127).expect(&["build", "validate"]);
    project.kiln(&["bild"]).expect_code(127);
    project.kiln(&["--help"]).expect_code(0).expect(&["build", "validate", "cleanup"]);
    project.kiln(&["build", "-no-such-flag", "x"]).expect_code(1);
    project.kiln(&["build"]).expect_code(1);
    for verb in ["build", "validate", "init", "inspect", "fmt", "console", "cleanup", "version"] {
        project.kiln(&[verb, "--help"]).expect_code(0);
    }
}

#[test]
fn version_is_said() {
    let project = Project::new();
    project.kiln(&["version"]).expect_code(0).expect(&[env!("CARGO_PKG_VERSION")]);
}

#[test]
fn validate_says_so() {
    let project = Project::with(HELLO);
    project.kiln(&["validate", "template.pkr.hcl"]).expect_code(0).expect(&["The configuration is valid."]);
    project.kiln(&["validate", "."]).expect_code(0);
    project
        .kiln(&["validate", "-syntax-only", "template.pkr.hcl"])
        .expect_code(0)
        .expect(&["Syntax-only check passed. Everything looks okay."]);
    project.kiln(&["validate", "absent.pkr.hcl"]).expect_code(1).expect(&["absent.pkr.hcl"]);
}

#[test]
fn build_makes_the_file() {
    let project = Project::with(HELLO);
    project.build(&["-var", "who=kiln"]).expect_code(0).expect(&[
        "==> null.here: hello from here",
        "--> file.greeting: Stored file: hello.txt",
        "Builds finished",
    ]);
    assert_eq!(project.read("hello.txt"), "hello kiln\n");
}

#[test]
fn only_and_except_choose_builds() {
    let project = Project::with(HELLO);
    project.build(&["-only=null.*"]).expect_code(0).expect_not("file.greeting:");
    assert!(!project.path("hello.txt").exists());
    project.build(&["-only=nothing"]).expect_code(1);
    project.build(&["-except=null.here"]).expect_code(0).expect_not("null.here");
}

#[test]
fn variables_in_order_of_precedence() {
    let project = Project::with(HELLO);
    project.write("a.pkrvars.hcl", "who = \"file\"\n");
    let who = |args: &[&str], from_env: bool| {
        let _ = std::fs::remove_file(project.path("hello.txt"));
        let mut command =
            project.command(&[&["build", "-only=file.greeting"], args, &["template.pkr.hcl"]].concat());
        if from_env {
            command.env("PKR_VAR_who", "env");
        }
        kiln_tests::Running::start(command).finish().expect_code(0);
        project.read("hello.txt")
    };
    assert_eq!(who(&[], false), "hello world\n");
    assert_eq!(who(&[], true), "hello env\n");
    assert_eq!(who(&["-var-file=a.pkrvars.hcl"], true), "hello file\n");
    assert_eq!(who(&["-var-file=a.pkrvars.hcl", "-var", "who=flag"], true), "hello flag\n");
}

#[test]
fn fmt_rewrites_and_checks() {
    let project = Project::new();
    project.write("ugly.pkr.hcl", "source \"null\" \"x\" {\na=1\n  bcd = 2\n}\n");
    project.kiln(&["fmt", "-check", "."]).expect_code(3);
    project.kiln(&["fmt", "."]).expect_code(0).expect(&["ugly.pkr.hcl"]);
    assert_eq!(project.read("ugly.pkr.hcl"), "source \"null\" \"x\" {\n  a   = 1\n  bcd = 2\n}\n");
    project.kiln(&["fmt", "-check", "."]).expect_code(0);
}

/// Files with mistakes, and where `fmt` shows them.
const BROKEN: [(&str, &str, &[&str]); 5] = [
    (
        "values.pkr.hcl",
        "locals {\na =\n  b = 'x'\n  c = [1 2]\n}\n",
        &["values.pkr.hcl:2:3", "values.pkr.hcl:3:7", "values.pkr.hcl:4:8"],
    ),
    (
        "blocks.pkr.hcl",
        "source \"null\" \"x\" {\n  a: 1\n}\nbuild {\nsources = [\"null.x\"\n}\nlocals {\n  b = 1 +\n}\n",
        &["blocks.pkr.hcl:2:4", "blocks.pkr.hcl:5:11", "blocks.pkr.hcl:8:10"],
    ),
    (
        "texts.pkr.hcl",
        "locals {\n  a = \"x\nb = 2\n}\nvariable \"v\" {\n  default = `1`\n}\n",
        &["texts.pkr.hcl:2:7", "texts.pkr.hcl:6:13"],
    ),
    ("v.pkrvars.hcl", "a: 1\nb=2\nc = = 3\n", &["v.pkrvars.hcl:1:2", "v.pkrvars.hcl:3:5"]),
    (
        "brackets.pkr.hcl",
        "locals {\n  a = 1]\n}\n}\nbuild {\n",
        &["brackets.pkr.hcl:2:8", "brackets.pkr.hcl:4:1", "brackets.pkr.hcl:5:7"],
    ),
];

/// The places of findings, in their order.
fn places(out: &str) -> Vec<&str> {
    out.lines().filter_map(|line| line.trim_start().strip_prefix("--> ")).collect()
}

#[test]
fn fmt_shows_all_mistakes_and_leaves_the_file() {
    let project = Project::new();
    project.write("neat.pkr.hcl", "locals {\na=1\n}\n");
    for (name, text, expected) in BROKEN {
        project.write(name, text);
        let shown = project.kiln(&["fmt", name]).expect_code(1);
        assert_eq!(places(&shown.out), expected);
        assert_eq!(project.read(name), text);
        project.kiln(&["fmt", "-check", name]).expect_code(1);
    }
    // The others are formatted all the same.
    project.kiln(&["fmt", "."]).expect_code(1).expect(&[
        "neat.pkr.hcl",
        "values.pkr.hcl:3:7",
        "v.pkrvars.hcl:3:5",
    ]);
    assert_eq!(project.read("neat.pkr.hcl"), "locals {\n  a = 1\n}\n");
    for (name, text, _) in BROKEN {
        assert_eq!(project.read(name), text);
    }
}

#[test]
fn inspect_shows_what_is_there() {
    let project = Project::with(HELLO);
    project.kiln(&["inspect", "template.pkr.hcl"]).expect_code(0).expect(&[
        "Packer Inspect: HCL2 mode",
        "> input-variables:",
        "var.who: \"world\"",
        "file.greeting",
        "shell-local",
    ]);
}

#[test]
fn console_prints_the_last_result() {
    use std::io::Write;
    let project = Project::with(HELLO);
    let mut child = project
        .command(&["console", "template.pkr.hcl"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"1 + 1\nupper(var.who)\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "WORLD");
}

#[test]
fn one_failing_build_does_not_stop_others() {
    let project = Project::with(
        "source \"null\" \"a\" {\n  communicator = \"none\"\n}\nsource \"null\" \"b\" {\n  communicator = \"none\"\n}\n\
         build {\n  sources = [\"source.null.a\", \"source.null.b\"]\n  provisioner \"shell-local\" {\n    \
         inline = [\"test $PACKER_BUILD_NAME = b && echo b-is-fine\"]\n  }\n}\n",
    );
    project.build(&[]).expect_code(1).expect(&["==> null.b: b-is-fine", "--> null.a:", "--> null.b:"]);
}

#[test]
fn retries_and_timeouts() {
    let project = Project::with(
        "source \"null\" \"a\" {\n  communicator = \"none\"\n}\nbuild {\n  sources = [\"source.null.a\"]\n  \
         provisioner \"shell-local\" {\n    max_retries = 2\n    inline = [\"echo try >> tries; test $(wc -l < tries) = 3\"]\n  }\n  \
         provisioner \"shell-local\" {\n    timeout = \"500ms\"\n    pause_before = \"10ms\"\n    inline = [\"sleep 30\"]\n  }\n}\n",
    );
    let begun = std::time::Instant::now();
    project.build(&[]).expect_code(1).expect(&["template.pkr.hcl"]);
    assert_eq!(project.read("tries"), "try\ntry\ntry\n");
    assert!(begun.elapsed().as_secs() < 20);
    assert_eq!(project.processes(), Vec::<String>::new());
}

#[test]
fn guest_text_cannot_command_the_terminal_or_ci() {
    let project = Project::with(
        "source \"null\" \"a\" {\n  communicator = \"none\"\n}\nbuild {\n  sources = [\"source.null.a\"]\n  \
         provisioner \"shell-local\" {\n    inline = [\"printf '\\\\033]0;title\\\\007\\\\033[2Jx\\\\n::set-output name=a::b\\\\n##vso[task.x]y\\\\n'\"]\n  }\n}\n",
    );
    let seen = project.build(&["-color=false"]).expect_code(0);
    assert!(!seen.out.contains('\x1b'), "{:?}", seen.out);
    let commands =
        seen.out.lines().filter(|line| line.starts_with("::") || line.starts_with("##vso")).count();
    assert_eq!(commands, 0, "{}", seen.out);
}

#[test]
fn json_log_is_objects() {
    let project = Project::with(HELLO);
    let seen = project.build(&["--log-format=json"]).expect_code(0);
    let events: Vec<serde_json::Value> = seen
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect();
    let of = |name: &str| events.iter().filter(|event| event["event"] == name).count();
    assert_eq!((of("run-started"), of("build-finished"), of("run-finished")), (1, 2, 1));
}

#[test]
fn an_iso_that_is_not_there_yet_is_found_at_the_build() {
    let project = Project::with(
        "source \"qemu\" \"vm\" {\n  iso_urls     = [\"none.img\", \"nor.img\"]\n  iso_checksum = \"none\"\n  \
         ssh_username = \"x\"\n  ssh_password = \"x\"\n}\nbuild {\n  sources = [\"qemu.vm\"]\n}\n",
    );
    project.kiln(&["validate", "template.pkr.hcl"]).expect_code(0);
    let seen = project.kiln(&["build", "template.pkr.hcl"]).expect_code(1);
    seen.expect(&["none.img", "nor.img"]);
    assert!(!project.path("output-vm").exists());
}
