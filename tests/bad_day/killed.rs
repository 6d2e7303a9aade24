//! kiln ended by a signal in each phase of a build. SIGINT and SIGTERM cancel and clean up; after
//! SIGKILL the output is marked incomplete and `kiln cleanup` removes what is left.

use kiln_tests::{Finished, Guest, Project, wait_until};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;

/// A phase of a build: what the output says when it began, and a template that dwells in it.
struct Phase {
    said: &'static str,
    /// Options of the source that replace those of [`Guest::source`] or come on top.
    options: &'static [(&'static str, &'static str)],
    body: &'static str,
    /// How much of the machine's output there is: none yet, a part, or an image that stays.
    output: Output,
}

#[derive(Clone, Copy, PartialEq)]
enum Output {
    None,
    Part,
    Image,
}

/// From the first host call to the last post-processor.
const PHASES: [Phase; 8] = [
    Phase {
        said: "Retrieving ISO",
        options: &[("iso_url", "http://SERVER/disk.qcow2")],
        body: "",
        output: Output::None,
    },
    Phase { said: "Starting VM", options: &[], body: "", output: Output::Part },
    // The machine boots; nothing answers yet.
    Phase { said: "Waiting for SSH", options: &[], body: "", output: Output::Part },
    Phase {
        said: "in-the-provisioner",
        options: &[],
        body: "provisioner \"shell\" {\n inline = [\"echo in-the-provisioner\", \"sleep 60\"]\n }",
        output: Output::Part,
    },
    Phase {
        said: "in-shell-local",
        options: &[],
        body: "provisioner \"shell-local\" {\n inline = [\"echo in-shell-local; sleep 60\"]\n }",
        output: Output::Part,
    },
    Phase {
        said: "Gracefully halting",
        options: &[("shutdown_command", "sleep 60")],
        body: "",
        output: Output::Part,
    },
    Phase {
        said: "Converting hard drive",
        options: &[("disk_compression", "true"), ("skip_compaction", "false")],
        body: "",
        output: Output::Part,
    },
    Phase {
        said: "in-the-post-processor",
        options: &[],
        body: "post-processor \"shell-local\" {\n inline = [\"echo in-the-post-processor; sleep 60\"]\n }",
        output: Output::Image,
    },
];

fn project(phase: &Phase, server: u16) -> Project {
    let mut source: Vec<String> = Guest::tiny().source("").trim_end().lines().map(str::to_owned).collect();
    source.retain(|line| !phase.options.iter().any(|(name, _)| line.trim_start().starts_with(name)));
    let end = source.len() - 1;
    for (name, value) in phase.options {
        let value = value.replace("SERVER", &format!("127.0.0.1:{server}"));
        source.insert(end, format!("  {name} = \"{value}\""));
    }
    let source = source.join("\n");
    Project::with(&format!("{source}\nbuild {{\n  sources = [\"source.qemu.vm\"]\n  {}\n}}\n", phase.body))
}

/// A build that was sent `signal` in a phase, and ended.
fn ended(signal: &str, phase: &Phase) -> (Project, Finished) {
    let server = Staller::start();
    let project = project(phase, server.port);
    let running = project.start(&["build", "template.pkr.hcl"]);
    running.wait_for(phase.said);
    if phase.output == Output::None {
        server.wait_until_asked();
    }
    running.signal(signal);
    let seen = running.finish();
    (project, seen)
}

fn cancelled(signal: &str, phase: usize) {
    let phase = &PHASES[phase];
    let (project, seen) = ended(signal, phase);
    assert_eq!(seen.code, Some(1), "{seen:?}");
    assert!(!project.path("output-vm/.kiln-incomplete").exists());
    // A finished image is kept when only a post-processor was cancelled.
    assert_eq!(project.path("output-vm").exists(), phase.output == Output::Image, "{:?}", project.files());
    nothing_is_left(&project);
}

fn killed(phase: usize) {
    let phase = &PHASES[phase];
    let (project, _) = ended("KILL", phase);
    wait_until("end of the children", || project.processes().is_empty(), || project.processes().join("\n"));
    let marked = project.path("output-vm/.kiln-incomplete").exists();
    assert_eq!(marked, phase.output == Output::Part, "marked: {:?}", project.files());
    project.kiln(&["cleanup"]).expect_code(0);
    assert_eq!(project.path("output-vm").exists(), phase.output == Output::Image, "{:?}", project.files());
    nothing_is_left(&project);
}

/// No process, temporary file, key or port; and nothing for another `kiln cleanup` to remove.
fn nothing_is_left(project: &Project) {
    // The supervisor learns of the end a moment after it.
    wait_until("end of the children", || project.processes().is_empty(), || project.processes().join("\n"));
    let left: Vec<_> = std::fs::read_dir(project.path("tmp")).unwrap().flatten().map(|e| e.path()).collect();
    assert!(left.is_empty(), "temporary files are left: {left:?}");
    let runs = project.path("home/state/kiln/runs");
    let open: Vec<_> = std::fs::read_dir(runs).into_iter().flatten().flatten().map(|e| e.path()).collect();
    assert!(open.is_empty(), "the journal is open: {open:?}");
    project.kiln(&["cleanup"]).expect_code(0).expect_not("removed").expect_not("ended");
}

/// A server that begins to answer and never goes on.
struct Staller {
    port: u16,
    asked: mpsc::Receiver<()>,
}

impl Staller {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, asked) = mpsc::channel();
        std::thread::spawn(move || {
            let mut open = Vec::new();
            for mut stream in listener.incoming().flatten() {
                let mut request = [0; 1024];
                let _ = stream.read(&mut request);
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nbegun");
                open.push(stream);
                if tell.send(()).is_err() {
                    return;
                }
            }
        });
        Self { port, asked }
    }

    fn wait_until_asked(&self) {
        self.asked.recv_timeout(std::time::Duration::from_secs(30)).expect("nobody downloads");
    }
}

/// A builder whose output is a single file has no directory that could be marked.
fn killed_with_a_file(body: &str, kept: bool) {
    let project = Project::with(&format!(
        "source \"file\" \"y\" {{\n  content = \"made\"\n  target = \"made/file.txt\"\n}}\nbuild {{\n  \
         sources = [\"source.file.y\"]\n  {body} {{\n    inline = [\"echo it-runs; sleep 60\"]\n  }}\n}}\n"
    ));
    let running = project.start(&["build", "template.pkr.hcl"]);
    running.wait_for("it-runs");
    running.signal("KILL");
    running.finish();
    project.kiln(&["cleanup"]).expect_code(0);
    assert_eq!(project.path("made/file.txt").exists(), kept, "{:?}", project.files());
}

#[test]
fn bad_day_sigkill_removes_an_unfinished_file() {
    killed_with_a_file("provisioner \"shell-local\"", false);
}

#[test]
fn bad_day_sigkill_keeps_a_finished_file() {
    killed_with_a_file("post-processor \"shell-local\"", true);
}

macro_rules! phases {
    ($($name:ident: $body:expr;)*) => {
        $( #[test] fn $name() { $body } )*

        #[test]
        fn every_phase_meets_every_signal() {
            let tested = [$(stringify!($name)),*].len();
            println!("kills: {tested} of {} phases and signals; random moments of them in soak", PHASES.len() * 3);
            assert_eq!(tested, PHASES.len() * 3);
        }
    };
}

phases! {
    bad_day_sigint_while_retrieving: cancelled("INT", 0);
    bad_day_sigint_while_starting: cancelled("INT", 1);
    bad_day_sigint_while_connecting: cancelled("INT", 2);
    bad_day_sigint_while_provisioning: cancelled("INT", 3);
    bad_day_sigint_in_shell_local: cancelled("INT", 4);
    bad_day_sigint_while_shutting_down: cancelled("INT", 5);
    bad_day_sigint_while_converting: cancelled("INT", 6);
    bad_day_sigint_while_post_processing: cancelled("INT", 7);
    bad_day_sigterm_while_retrieving: cancelled("TERM", 0);
    bad_day_sigterm_while_starting: cancelled("TERM", 1);
    bad_day_sigterm_while_connecting: cancelled("TERM", 2);
    bad_day_sigterm_while_provisioning: cancelled("TERM", 3);
    bad_day_sigterm_in_shell_local: cancelled("TERM", 4);
    bad_day_sigterm_while_shutting_down: cancelled("TERM", 5);
    bad_day_sigterm_while_converting: cancelled("TERM", 6);
    bad_day_sigterm_while_post_processing: cancelled("TERM", 7);
    bad_day_sigkill_while_retrieving: killed(0);
    bad_day_sigkill_while_starting: killed(1);
    bad_day_sigkill_while_connecting: killed(2);
    bad_day_sigkill_while_provisioning: killed(3);
    bad_day_sigkill_in_shell_local: killed(4);
    bad_day_sigkill_while_shutting_down: killed(5);
    bad_day_sigkill_while_converting: killed(6);
    bad_day_sigkill_while_post_processing: killed(7);
}
