//! The compatibility traps that show on the command line, one test each. Those of the language are
//! in runtime/template/tests, those of components and machines beside them or in tests/e2e.
//! Where kiln differs from Packer on purpose the test says so.

use kiln_tests::{Finished, Project, Running, Sshd};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// A null build with `body` in its build block.
fn null(body: &str) -> Project {
    Project::with(&format!(
        "source \"null\" \"a\" {{\n  communicator = \"none\"\n}}\nbuild {{\n  sources = [\"null.a\"]\n{body}\n}}\n"
    ))
}

/// A build of a file `o.txt` with `body` in its build block.
fn file(body: &str) -> Project {
    Project::with(&format!(
        "source \"file\" \"f\" {{\n  target  = \"o.txt\"\n  content = \"hello\"\n}}\nbuild {{\n  \
         sources = [\"file.f\"]\n{body}\n}}\n"
    ))
}

fn with_stdin(project: &Project, args: &[&str], text: &str) -> Finished {
    let name = project.write("stdin.txt", text);
    let mut command = project.command(args);
    command.stdin(std::fs::File::open(name).unwrap());
    Running::start(command).finish()
}

/// Every file of tests, as text.
fn sources(dir: &Path, found: &mut String) {
    for entry in std::fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            if !path.ends_with("target") {
                sources(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

/// Traps of legacy JSON templates; their tests come with the reader of those.
const LEGACY: [u32; 3] = [35, 43, 44];

#[test]
fn every_trap_has_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut text = String::new();
    for folder in ["runtime", "components", "tests"] {
        sources(&root.join(folder), &mut text);
    }
    let missing: Vec<String> = (1..=45)
        .filter(|number| !LEGACY.contains(number))
        .map(|number| format!("trap_{number:02}"))
        .filter(|name| !text.contains(&format!("fn {name}_")))
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn trap_06_timeout_counts_although_there_is_a_pause() {
    // Packer ignores `timeout` beside `pause_before`; kiln does not.
    let project = null(
        "  provisioner \"shell-local\" {\n    pause_before = \"10ms\"\n    timeout      = \"300ms\"\n    \
         inline       = [\"sleep 60\"]\n  }",
    );
    let begun = std::time::Instant::now();
    project.build(&[]).expect_code(1);
    assert!(begun.elapsed().as_secs() < 30);
}

#[test]
fn trap_07_the_first_error_of_all_tries_is_told() {
    let project = null(
        "  provisioner \"shell-local\" {\n    max_retries = 2\n    \
         inline      = [\"echo x >> tries; exit $(wc -l < tries)\"]\n  }",
    );
    let seen = project.build(&[]).expect_code(1);
    assert_eq!(project.read("tries").lines().count(), 3);
    let last = seen.out.lines().rfind(|line| line.starts_with("--> null.a:")).unwrap();
    assert!(last.contains("exit status: 1."), "{last}");
}

#[test]
fn trap_16_an_empty_inline_list_is_an_error() {
    for kind in ["shell-local", "shell"] {
        let project = null(&format!("  provisioner \"{kind}\" {{\n    inline = []\n  }}"));
        project.kiln(&["validate", "template.pkr.hcl"]).expect_code(1).expect(&["inline"]);
    }
}

#[test]
fn trap_17_a_lost_connection_must_be_expected() {
    let sshd = Sshd::start();
    let with = |more: &str| {
        // Above the shell is the sshd of this one connection.
        let kill = "p=$PPID; until grep -q ^sshd /proc/$p/comm; do p=$(awk '/^PPid/ { print $2 }' /proc/$p/status); done; kill -9 $p";
        let body = format!(
            "  provisioner \"shell\" {{\n    inline = [\"{kill}\", \"sleep 20\"]\n    {more}\n  }}\n  \
             provisioner \"shell\" {{\n    inline = [\"echo went-on\"]\n  }}"
        );
        let source = sshd.source("x");
        let text = format!("{source}\nbuild {{\n  sources = [\"null.x\"]\n{body}\n}}\n");
        Project::with(&text).build(&[])
    };
    with("").expect_code(1).expect(&["expect_disconnect"]).expect_not("x: went-on");
    with("expect_disconnect = true").expect_code(0).expect(&["x: went-on"]);
    with("valid_exit_codes = [0, 2300218]").expect_code(0).expect(&["x: went-on"]);
}

#[test]
fn trap_18_a_slash_at_the_end_means_what_is_in_the_folder() {
    let sshd = Sshd::start();
    let project = Project::new();
    for folder in ["into", "beside"] {
        std::fs::create_dir(project.path(folder)).unwrap();
    }
    project.write("tree/leaf", "x");
    let upload = |source: &str, destination: &str| {
        let to = project.path(destination);
        format!(
            "  provisioner \"file\" {{\n    source = \"{source}\"\n    destination = \"{}\"\n  }}\n",
            to.display()
        )
    };
    let body = upload("tree/", "into") + &upload("tree", "beside");
    let text = format!("{}\nbuild {{\n  sources = [\"null.x\"]\n{body}}}\n", sshd.source("x"));
    project.write("template.pkr.hcl", &text);
    project.build(&[]).expect_code(0);
    assert!(project.path("into/leaf").exists() && project.path("beside/tree/leaf").exists());
}

#[test]
fn trap_21_the_output_directory_must_not_exist() {
    for more in ["", "output_directory = \"output-vm\"\n"] {
        let project = Project::with(&format!(
            "source \"qemu\" \"vm\" {{\n  iso_url      = \"disk.img\"\n  iso_checksum = \"none\"\n  \
             ssh_username = \"x\"\n  ssh_password = \"x\"\n  {more}}}\nbuild {{\n  sources = [\"qemu.vm\"]\n}}\n"
        ));
        project.write("disk.img", "x");
        project.kiln(&["validate", "template.pkr.hcl"]).expect_code(0);
        project.write("output-vm/mine", "precious");
        let seen = project.kiln(&["validate", "template.pkr.hcl"]).expect_code(1);
        seen.expect(&["`output-vm` exists already", "-force"]);
    }
}

#[test]
fn trap_26_force_drops_only_what_another_run_wrote_into_a_manifest() {
    let project = null("  post-processor \"manifest\" {\n    output = \"m.json\"\n  }");
    let builds = |run: &str| {
        let mut command = project.command(&["build", "-force", "template.pkr.hcl"]);
        command.env("PACKER_RUN_UUID", run);
        Running::start(command).finish().expect_code(0);
        let manifest: serde_json::Value = serde_json::from_str(&project.read("m.json")).unwrap();
        assert_eq!(manifest["last_run_uuid"], run);
        manifest["builds"].as_array().unwrap().len()
    };
    assert_eq!([builds("one"), builds("one"), builds("two")], [1, 2, 1]);
}

#[test]
fn trap_27_checksums_are_appended_with_a_tab_and_the_base_name() {
    let project = Project::with(
        "source \"file\" \"f\" {\n  target  = \"deep/o.txt\"\n  content = \"hello\"\n}\nbuild {\n  \
         sources = [\"file.f\"]\n  post-processor \"checksum\" {\n    checksum_types      = [\"md5\", \"sha1\"]\n    \
         output              = \"sums\"\n    keep_input_artifact = true\n  }\n}\n",
    );
    std::fs::create_dir(project.path("deep")).unwrap();
    project.build(&[]).expect_code(0);
    let once = "5d41402abc4b2a76b9719d911017c592\to.txt\naaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d\to.txt\n";
    assert_eq!(project.read("sums"), once);
    project.build(&[]).expect_code(0);
    assert_eq!(project.read("sums"), once.repeat(2));
}

#[test]
fn trap_28_no_files_are_null_in_a_manifest() {
    let project = null("  post-processor \"manifest\" {\n    output = \"m.json\"\n  }");
    project.build(&[]).expect_code(0);
    assert!(project.read("m.json").contains("\"files\": null"));
}

#[test]
fn trap_29_compress_drops_its_input_and_shell_local_keeps_it() {
    let project = file("  post-processor \"compress\" {\n    output = \"o.gz\"\n  }");
    project.build(&[]).expect_code(0);
    assert!(project.path("o.gz").exists() && !project.path("o.txt").exists());
    let keep = "    keep_input_artifact = false\n";
    let project = file(&format!("  post-processor \"shell-local\" {{\n    inline = [\"true\"]\n{keep}  }}"));
    project.build(&[]).expect_code(0);
    assert!(project.path("o.txt").exists(), "shell-local keeps it whatever is asked for");
}

#[test]
fn trap_30_a_failing_post_processor_does_not_cost_the_image() {
    // Packer destroys the builder's artifact here; kiln keeps it and says so.
    let project = file("  post-processor \"shell-local\" {\n    inline = [\"exit 1\"]\n  }");
    project.build(&[]).expect_code(1).expect(&["artifact is kept"]);
    assert_eq!(project.read("o.txt"), "hello");
}

#[test]
fn trap_31_the_other_builds_run_and_the_exit_code_is_1() {
    let project = Project::with(
        "source \"null\" \"good\" {\n  communicator = \"none\"\n}\nsource \"null\" \"bad\" {\n  nothing = 1\n}\n\
         build {\n  sources = [\"null.bad\", \"null.good\"]\n  provisioner \"shell-local\" {\n    \
         inline = [\"echo ran on $PACKER_BUILD_NAME\"]\n  }\n}\n",
    );
    project.build(&[]).expect_code(1).expect(&["null.good: ran on good", "nothing"]);
}

#[test]
fn trap_32_the_build_name_has_no_type() {
    let project =
        null("  provisioner \"shell-local\" {\n    inline = [\"echo name=$PACKER_BUILD_NAME.\"]\n  }");
    project.build(&[]).expect_code(0).expect(&["name=a."]);
}

#[test]
fn trap_33_fmt_touches_two_suffixes_and_check_ends_with_3() {
    let project = Project::new();
    let ugly = "a=1\n";
    for name in ["t.pkr.hcl", "v.pkrvars.hcl", "other.hcl", "t.pkr.json", ".hidden.pkr.hcl"] {
        project.write(name, ugly);
    }
    project.kiln(&["fmt", "-check", "."]).expect_code(3);
    assert_eq!(project.read("t.pkr.hcl"), ugly);
    project.kiln(&["fmt", "."]).expect_code(0).expect(&["t.pkr.hcl", "v.pkrvars.hcl"]);
    for (name, expected) in [
        ("t.pkr.hcl", "a = 1\n"),
        ("v.pkrvars.hcl", "a = 1\n"),
        ("other.hcl", ugly),
        ("t.pkr.json", ugly),
        (".hidden.pkr.hcl", ugly),
    ] {
        assert_eq!(project.read(name), expected, "{name}");
    }
    project.kiln(&["fmt", "-check", "."]).expect_code(0);
    project.kiln(&["fmt", "other.hcl"]).expect_code(1);
}

#[test]
fn trap_34_console_prints_the_last_result_only() {
    let project = null("");
    let seen = with_stdin(&project, &["console", "template.pkr.hcl"], "1 + 1\n2 + 2\n\"last\"\n");
    assert_eq!(seen.expect_code(0).out, "last\n");
}

#[test]
fn trap_38_errors_are_told_on_standard_output() {
    let project = null("  provisioner \"shell-local\" {\n    inlnie = []\n  }");
    for args in [["validate", "template.pkr.hcl"], ["build", "template.pkr.hcl"]] {
        let seen = project.kiln(&args).expect_code(1);
        assert!(seen.out.contains("inlnie"), "{seen:?}");
    }
}

#[test]
fn trap_39_commas_are_escaped_in_machine_readable_lines() {
    let project = null("  provisioner \"shell-local\" {\n    inline = [\"echo one, two\"]\n  }");
    let seen = project.build(&["-machine-readable"]).expect_code(0);
    assert!(seen.out.contains(",,ui,say,==> null.a: one%!(PACKER_COMMA) two\n"), "{}", seen.out);
}

#[test]
fn trap_41_request_headers_of_data_http_are_those_of_the_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let read = stream.read(&mut request).unwrap();
        let answer =
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Answer: yes\r\nContent-Length: 2\r\n\r\nhi";
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8_lossy(&request[..read]).to_lowercase()
    });
    let project = Project::with(&format!(
        "data \"http\" \"x\" {{\n  url = \"http://127.0.0.1:{port}/\"\n  \
         request_headers = {{ X-Question = \"what\" }}\n}}\n\
         source \"file\" \"f\" {{\n  target  = \"o.txt\"\n  \
         content = \"${{data.http.x.body}} ${{data.http.x.request_headers[\"X-Answer\"]}}\"\n}}\n\
         build {{\n  sources = [\"file.f\"]\n}}\n"
    ));
    project.build(&[]).expect_code(0);
    assert_eq!(project.read("o.txt"), "hi yes");
    assert!(server.join().unwrap().contains("x-question: what"));
}

#[test]
fn trap_42_paths_in_options_start_from_the_working_directory() {
    let project = Project::new();
    for (name, text) in [("here.sh", "of the working directory"), ("sub/here.sh", "of the template")] {
        let path = project.write(name, &format!("#!/bin/sh\necho script {text}\n"));
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    project.write("sub/note.txt", "beside the template");
    project.write(
        "sub/template.pkr.hcl",
        "source \"null\" \"a\" {\n  communicator = \"none\"\n}\nbuild {\n  sources = [\"null.a\"]\n  \
         provisioner \"shell-local\" {\n    scripts = [\"here.sh\"]\n  }\n  \
         provisioner \"shell-local\" {\n    inline = [\"echo ${file(\"note.txt\")}\"]\n  }\n}\n",
    );
    let seen = project.kiln(&["build", "sub/template.pkr.hcl"]).expect_code(0);
    seen.expect(&["a: script of the working directory", "a: beside the template"])
        .expect_not("script of the template");
}
