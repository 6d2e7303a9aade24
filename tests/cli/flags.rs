//! Flags, positions, usage, completion, manual pages, environment.

use kiln_tests::{Finished, Project, Running};
use std::process::Command;

const NULL: &str = "source \"null\" \"x\" {\n  communicator = \"none\"\n}\nbuild {\n  sources = [\"source.null.x\"]\n  \
                    provisioner \"shell-local\" {\n    inline = [\"echo run $PACKER_RUN_UUID\"]\n  }\n}\n";

fn with(project: &Project, args: &[&str], variables: &[(&str, &str)]) -> Finished {
    let mut command = project.command(args);
    command.envs(variables.iter().copied());
    Running::start(command).finish()
}

#[test]
fn wrong_words_get_the_right_ones() {
    let project = Project::with(NULL);
    project.kiln(&["bild"]).expect_code(127).expect(&["build", "validate", "cleanup", "Usage:"]);
    project.build(&["-forse"]).expect_code(1).expect(&["--force", "Usage:"]);
    project.build(&["-on-error=explode"]).expect_code(1).expect(&[
        "cleanup",
        "abort",
        "run-cleanup-provisioner",
    ]);
    project.build(&["-parallel-builds=many"]).expect_code(1).expect(&["many"]);
    project.build(&["-color=maybe"]).expect_code(1).expect(&["true or false"]);
    project.build(&["-var", "nothing"]).expect_code(1).expect(&["NAME=VALUE"]);
    project.kiln(&["validate"]).expect_code(1).expect(&["Usage:"]);
    project.kiln(&["validate", "a", "b"]).expect_code(1).expect(&["Usage:"]);
    project.kiln(&["inspect", "a", "b"]).expect_code(1).expect(&["Usage:"]);
    project.kiln(&["plugins"]).expect_code(127).expect(&["installed", "required"]);
    project.kiln(&["completion", "tcsh"]).expect_code(1).expect(&["bash", "zsh", "fish", "powershell"]);
    project.kiln(&["cleanup", "no-such-run"]).expect_code(1).expect(&["no run `no-such-run`"]);
}

#[test]
fn help_of_every_verb_has_examples_and_exit_codes() {
    let project = Project::new();
    for verb in ["build", "validate", "init", "inspect", "fmt", "console", "cleanup", "plugins"] {
        project.kiln(&[verb, "-h"]).expect_code(0).expect(&[
            "Examples:",
            "Exit codes:",
            &format!("kiln {verb}"),
        ]);
    }
}

#[test]
fn every_flag_of_packer_is_taken() {
    let project = Project::with(NULL);
    project
        .build(&[
            "-color=false",
            "-debug=false",
            "-force",
            "-machine-readable=false",
            "-timestamp-ui=false",
            "-on-error=cleanup",
            "-parallel-builds=2",
            "-skip-enforcement",
            "-warn-on-undeclared-var",
            "-ignore-prerelease-plugins",
            "-use-sequential-evaluation",
            "-config-type=hcl2",
        ])
        .expect_code(0);
    project.kiln(&["validate", "-no-warn-undeclared-var", "-evaluate-datasources", "."]).expect_code(0);
    let stamped = project.build(&["-timestamp-ui"]).expect_code(0);
    let line = stamped.out.lines().find(|line| line.contains("null.x: run")).unwrap();
    assert!(line.get(..21).is_some_and(|time| time.ends_with("Z:") && time.contains('T')), "{line}");
    let coloured = project.build(&["-color"]).expect_code(0);
    assert!(coloured.out.starts_with("\x1b[1;32mnull.x: output will be in this color."), "{}", coloured.out);
}

#[test]
fn the_environment_is_heard() {
    let project = Project::with(NULL);
    let run = |variables: &[(&str, &str)]| with(&project, &["build", "template.pkr.hcl"], variables);
    run(&[("PACKER_RUN_UUID", "my-run")]).expect_code(0).expect(&["null.x: run my-run"]);
    run(&[("PACKER_RUN_UUID", "../up")]).expect_code(1).expect(&["PACKER_RUN_UUID"]);
    let logged = run(&[("PACKER_LOG", "1")]).expect_code(0);
    assert!(logged.err.contains("null.x"), "{}", logged.err);
    assert_eq!(run(&[("PACKER_LOG", "0")]).expect_code(0).err, "");
    assert_eq!(run(&[("PACKER_LOG", "1"), ("PACKER_LOG_PATH", "log.txt")]).expect_code(0).err, "");
    assert!(project.read("log.txt").contains("null.x"));
    run(&[("PACKER_LOG", "1"), ("PACKER_LOG_PATH", "absent/log")])
        .expect_code(1)
        .expect(&["PACKER_LOG_PATH"]);
    run(&[("PACKER_CACHE_DIR", "cached")]).expect_code(0);
    assert!(project.path("cached").is_dir());
    for ignored in ["CHECKPOINT_DISABLE", "PACKER_CONFIG", "PACKER_CONFIG_DIR", "PACKER_PLUGIN_PATH"] {
        run(&[(ignored, "/nowhere")]).expect_code(0);
    }
    // Temporary files are made where it says, and are gone afterwards.
    let file = project.write("a-file", "");
    run(&[("TMPDIR", file.to_str().unwrap())]).expect_code(1).expect(&["a file cannot be given"]);
}

#[test]
fn bash_completes_verbs_and_flags_with_either_dash() {
    let project = Project::new();
    let script = project.kiln(&["completion", "bash"]).expect_code(0).out;
    project.write("complete", &script);
    let replies = |words: &str| {
        let index = words.split(' ').count() - 1;
        let last = words.rsplit(' ').next().unwrap();
        let line = format!(
            "source ./complete; COMP_WORDS=({words}); COMP_CWORD={index}; _kiln kiln '{last}' ''; echo \"${{COMPREPLY[@]}}\""
        );
        let mut bash = Command::new("bash");
        project.prepare(&mut bash);
        let output = bash.args(["-c", &line]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(replies("kiln va"), "validate");
    assert!(replies("kiln build -on-").contains("-on-error"));
    assert!(replies("kiln build --on-").contains("--on-error"));
    assert!(replies("kiln plugins in").contains("installed"));
}

#[test]
fn completion_is_installed_and_removed() {
    let project = Project::new();
    project.kiln(&["-autocomplete-install"]).expect_code(0).expect(&["completions/kiln", "_kiln"]);
    let fish = project.read("home/.config/fish/completions/kiln.fish");
    assert!(fish.contains("-o on-error") && fish.contains("-l on-error"));
    project.kiln(&["-autocomplete-uninstall"]).expect_code(0).expect(&["Removed"]);
    assert!(!project.path("home/.config/fish/completions/kiln.fish").exists());
    for shell in ["bash", "zsh", "fish", "powershell"] {
        project.kiln(&["completion", shell]).expect_code(0).expect(&["on-error"]);
    }
}

#[test]
fn manual_pages_are_written() {
    let project = Project::new();
    project.kiln(&["man", "pages"]).expect_code(0);
    assert!(project.read("pages/kiln.1").contains(".TH"));
    assert!(project.read("pages/kiln-build.1").contains("on\\-error"));
    project.write("file", "");
    project.kiln(&["man", "file/below"]).expect_code(1).expect(&["file/below"]);
}

#[test]
fn fmt_does_all_it_promises() {
    const UGLY: &str = "a {\nb=1\n}\n";
    const NEAT: &str = "a {\n  b = 1\n}\n";
    let project = Project::new();
    for name in
        ["x.pkr.hcl", "v.pkrvars.hcl", "deep/y.pkr.hcl", ".hidden.pkr.hcl", "other.hcl", "back.pkr.hcl~"]
    {
        project.write(name, if name.contains("vars") { "b=1\n" } else { UGLY });
    }
    let listed = project.kiln(&["fmt", "-check", "-recursive"]).expect_code(3);
    assert_eq!(listed.out, "deep/y.pkr.hcl\nv.pkrvars.hcl\nx.pkr.hcl\n");
    assert_eq!(project.read("x.pkr.hcl"), UGLY);
    let differing = project.kiln(&["fmt", "-diff", "-write=false", "x.pkr.hcl"]).expect_code(0);
    differing.expect(&["--- old/x.pkr.hcl", "+++ new/x.pkr.hcl", "-b=1", "+  b = 1"]);
    assert_eq!(project.read("x.pkr.hcl"), UGLY);
    project.write("gap.pkr.hcl", "b=1\nc = 1\nd = 1\n\ne = 1\n");
    let gap = project.kiln(&["fmt", "-diff", "-write=false", "gap.pkr.hcl"]).expect_code(0);
    // Three lines of context follow a change, also if the last of them is empty.
    let gap = gap.expect(&["@@ -1,4 +1,4 @@"]);
    assert!(gap.out.ends_with(" d = 1\n \n"), "{:?}", gap.out);
    std::fs::remove_file(project.path("gap.pkr.hcl")).unwrap();
    assert_eq!(project.kiln(&["fmt"]).expect_code(0).out, "v.pkrvars.hcl\nx.pkr.hcl\n");
    assert_eq!((project.read("x.pkr.hcl"), project.read("deep/y.pkr.hcl")), (NEAT.into(), UGLY.into()));
    project.kiln(&["fmt", "other.hcl"]).expect_code(1).expect(&["other.hcl"]);
    project.kiln(&["fmt", "absent.pkr.hcl"]).expect_code(1).expect(&["absent.pkr.hcl"]);
    project.write("bad.pkr.hcl", "a {\n");
    project.kiln(&["fmt", "bad.pkr.hcl"]).expect_code(1).expect(&["bad.pkr.hcl:"]);
    let piped = |args: &[&str], text: &str| {
        project.write("in", text);
        let mut command = project.command(&[&["fmt"], args, &["-"]].concat());
        command.stdin(std::fs::File::open(project.path("in")).unwrap());
        Running::start(command).finish()
    };
    assert_eq!(piped(&[], UGLY).expect_code(0).out, NEAT);
    piped(&["-check"], UGLY).expect_code(3);
    piped(&["-check"], NEAT).expect_code(0);
    piped(&[], "a {").expect_code(1).expect(&["<stdin>"]);
}

#[test]
fn piped_consoles_print_the_last_result() {
    let project = Project::with(
        "variable \"who\" {\n  default = \"world\"\n}\nvariable \"unset\" {\n  type = string\n}\n",
    );
    let piped = |args: &[&str], lines: &str| {
        project.write("in", lines);
        let mut command = project.command(&[&["console"], args].concat());
        command.stdin(std::fs::File::open(project.path("in")).unwrap());
        Running::start(command).finish()
    };
    let template = &["template.pkr.hcl"][..];
    assert_eq!(piped(template, "1 + 1\nupper(var.who)\n").expect_code(0).out, "WORLD\n");
    assert_eq!(piped(template, "var.unset\n").expect_code(0).out, "<unknown>\n");
    assert_eq!(piped(template, "1 + 1\nexit\n3\n").expect_code(0).out, "2\n");
    assert_eq!(piped(template, "").expect_code(0).out, "");
    piped(template, "variables\n").expect_code(0).expect(&["var.who: \"world\""]);
    piped(template, "help\n").expect_code(0).expect(&["exit"]);
    piped(template, "nonsense(\n").expect_code(1);
    assert_eq!(
        piped(&["-config-type=hcl2"], "cidrhost(\"10.0.0.0/8\", 5)\n").expect_code(0).out,
        "10.0.0.5\n"
    );
    assert_eq!(piped(&["-var", "who=me", "template.pkr.hcl"], "var.who\n").expect_code(0).out, "me\n");
}

#[test]
fn required_options_are_required() {
    let validated = |block: &str| {
        Project::with(&format!(
            "source \"null\" \"x\" {{\n  communicator = \"none\"\n}}\nbuild {{\n  sources = [\"source.null.x\"]\n  {block}\n}}\n"
        ))
        .kiln(&["validate", "template.pkr.hcl"])
        .expect_code(1)
    };
    validated("provisioner \"sleep\" {\n  }").expect(&["duration", "template.pkr.hcl:6"]);
    validated("provisioner \"sleep\" {\n    duration = \"\"\n  }").expect(&["`duration` must not be empty"]);
    validated("provisioner \"file\" {\n    content = \"x\"\n    destination = \"\"\n  }")
        .expect(&["`destination`"]);
    validated("provisioner \"shell-local\" {\n  }").expect(&["inline"]);
    validated("provisioner \"shell\" {\n  }").expect(&["inline"]);
    validated("post-processor \"artifice\" {\n  }").expect(&["files"]);
}
