//! kiln on a terminal: lanes, questions, the console, Ctrl-C.

use kiln_tests::{Project, Running, Terminal, replayed};

/// Builds of the null builder, each with one provisioner.
fn builds(names: &[&str], provisioner: &str) -> Project {
    let sources: String = names
        .iter()
        .map(|n| format!("source \"null\" \"{n}\" {{\n  communicator = \"none\"\n}}\n"))
        .collect();
    let list: Vec<String> = names.iter().map(|n| format!("\"source.null.{n}\"")).collect();
    let list = list.join(", ");
    Project::with(&format!("{sources}build {{\n  sources = [{list}]\n  {provisioner}\n}}\n"))
}

fn shell_local(script: &str) -> String {
    format!("provisioner \"shell-local\" {{\n    inline = [\"{script}\"]\n  }}")
}

/// The lines of a window that are lanes: a spinner, a build, a clock.
fn lanes(window: &str) -> Vec<String> {
    let clock = |line: &str| line.split("  ").any(|part| part.len() >= 4 && part.contains(":0"));
    let braille = |line: &str| line.starts_with(|c: char| ('\u{2800}'..='\u{28ff}').contains(&c));
    window.lines().filter(|line| braille(line) && clock(line)).map(str::to_owned).collect()
}

#[test]
fn lanes_show_each_build_and_vanish() {
    let project = builds(&["one", "two"], &shell_local("echo said; sleep 3"));
    let terminal = Terminal::start(&project, &["build", "template.pkr.hcl"], &[]);
    terminal.wait_to_show("two lanes", |window| {
        lanes(window).len() == 2 && window.contains("==> null.one: said")
    });
    let window = terminal.window();
    let lane = |name: &str| lanes(&window).into_iter().find(|lane| lane.contains(name));
    assert!(lane("null.one").is_some_and(|lane| lane.contains("provision shell-local")), "{window}");
    // A narrower window: each lane still has one line, and nothing is drawn twice.
    terminal.resize(12, 30);
    std::thread::sleep(std::time::Duration::from_millis(700));
    let window = terminal.window();
    assert_eq!(lanes(&window).len(), 2, "{window}");
    terminal.resize(24, 100);
    let sent = terminal.output().len();
    std::thread::sleep(std::time::Duration::from_secs(1));
    let rate = terminal.output().len() - sent;
    assert!(rate < 4000, "{rate} bytes in a second are a flicker");
    let shown = terminal.finish().expect_code(0);
    let after = replayed(&shown.out, 24, 100);
    assert_eq!(lanes(&after), Vec::<String>::new());
    assert!(after.contains("==> Builds finished"), "{after}");
}

#[test]
fn more_builds_than_lanes_are_counted() {
    let names: Vec<String> = (0..14).map(|n| format!("b{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let project = builds(&names, &shell_local("sleep 2"));
    let terminal = Terminal::start(&project, &["build", "template.pkr.hcl"], &[]);
    terminal.wait_to_show("the count", |window| lanes(window).len() == 10 && window.contains("… and 4 more"));
    terminal.finish().expect_code(0);
}

#[test]
fn colours_follow_the_environment() {
    let project = builds(&["one"], &shell_local("echo said"));
    let shown = |more: &[(&str, &str)]| {
        Terminal::start(&project, &["build", "template.pkr.hcl"], more).finish().expect_code(0).out
    };
    assert!(shown(&[]).contains("\x1b[1;32m==> null.one: said"));
    for plain in ["NO_COLOR", "PACKER_NO_COLOR"] {
        let shown = shown(&[(plain, "1")]);
        assert!(shown.contains("==> null.one: said") && !shown.contains("\x1b[1;32m"), "{plain}: {shown}");
    }
    // No cursor to move: plain lines, and not one control sequence.
    let dumb = shown(&[("TERM", "dumb")]);
    assert!(dumb.contains("==> null.one: said") && !dumb.contains('\x1b'), "{dumb:?}");
}

#[test]
fn debug_pauses_until_enter() {
    let project = builds(&["one", "two"], &shell_local("echo said"));
    let mut terminal = Terminal::start(&project, &["build", "-debug", "template.pkr.hcl"], &[]);
    for build in ["one", "two"] {
        terminal.wait_for(&format!("null.{build}: pausing before the provisioner `shell-local`"));
        assert!(!terminal.output().contains(&format!("null.{build}: said")));
        assert_eq!(lanes(&terminal.window()), Vec::<String>::new(), "a lane runs over the answer");
        terminal.send("\r");
        terminal.wait_for(&format!("null.{build}: pausing before the cleanup"));
        terminal.send("\r");
    }
    terminal.finish().expect_code(0).expect(&["null.one: said", "null.two: said"]);
}

#[test]
fn questions_without_a_terminal_say_so() {
    let project = builds(&["one"], &shell_local("exit 3"));
    for flags in [&["-on-error=ask"][..], &["-on-error=ask", "-machine-readable"]] {
        project.build(flags).expect_code(1).expect(&["nobody can be asked", "-on-error=ask"]);
    }
    let rows = ["build", "-on-error=ask", "-machine-readable", "template.pkr.hcl"];
    Terminal::start(&project, &rows, &[]).finish().expect_code(1).expect(&["nobody can be asked"]);
    let project = builds(&["one"], &shell_local("echo said"));
    project.build(&["-debug"]).expect_code(0).expect(&["-debug", "nobody", "null.one: said"]);
    let project = builds(&["one"], "provisioner \"breakpoint\" {\n  }");
    project.build(&[]).expect_code(1).expect(&["cannot pause here", "disable = true"]);
}

#[test]
fn a_breakpoint_waits() {
    let project = builds(&["one"], "provisioner \"breakpoint\" {\n    note = \"look\"\n  }");
    let mut terminal = Terminal::start(&project, &["build", "template.pkr.hcl"], &[]);
    terminal.wait_for("Press enter to continue");
    terminal.send("\r");
    terminal.finish().expect_code(0).expect(&["Pausing at breakpoint provisioner with note \"look\"."]);
}

#[test]
fn ask_takes_each_answer() {
    let failing = shell_local("echo try >> tries; test -e good");
    let asked = |answers: &[&str]| {
        let project = builds(&["one"], &failing);
        let mut terminal = Terminal::start(&project, &["build", "-on-error=ask", "template.pkr.hcl"], &[]);
        for (number, answer) in answers.iter().enumerate() {
            let times = |text: &str| text.matches("What now?").count();
            terminal.wait_to_show("a question", |window| times(window) > number);
            if *answer == "r" {
                project.write("good", "");
            }
            terminal.send(&format!("{answer}\r"));
        }
        (terminal.finish(), project)
    };
    let (seen, project) = asked(&["x", "r"]);
    seen.expect_code(0).expect(&["[c] clean up", "[a] abort", "[r] retry", "`x` is none of them"]);
    assert_eq!(project.read("tries"), "try\ntry\n");
    let (seen, _) = asked(&["c"]);
    seen.expect_code(1).expect_not("Left as it is");
    let (seen, _) = asked(&["a"]);
    seen.expect_code(1);
}

#[test]
fn ctrl_c_once_cleans_up() {
    let project = builds(&["one"], &shell_local("echo it-runs; sleep 60"));
    let mut terminal = Terminal::start(&project, &["build", "template.pkr.hcl"], &[]);
    terminal.wait_for("it-runs");
    terminal.send("\x03");
    let seen = terminal.finish().expect_code(1);
    seen.expect(&["Cancelling build after receiving interrupt", "Cleanly cancelled builds"]);
    assert_eq!(project.processes(), Vec::<String>::new());
}

#[test]
fn ctrl_c_twice_says_what_is_left() {
    let project = Project::with(
        "source \"file\" \"y\" {\n  content = \"made\"\n  target = \"made/file.txt\"\n}\nbuild {\n  sources = [\"source.file.y\"]\n  \
         provisioner \"shell-local\" {\n    inline = [\"echo it-runs; sleep 60\"]\n  }\n  \
         error-cleanup-provisioner \"shell-local\" {\n    inline = [\"echo it-cleans-up; sleep 60\"]\n  }\n}\n",
    );
    let mut terminal = Terminal::start(&project, &["build", "template.pkr.hcl"], &[]);
    terminal.wait_for("it-runs");
    terminal.send("\x03");
    terminal.wait_for("it-cleans-up");
    terminal.send("\x03");
    let seen = terminal.finish().expect_code(1);
    let text = seen.out.clone();
    seen.expect(&["kiln ends without cleaning up", "made/file.txt", "kiln cleanup "]);
    let id = text.split("kiln cleanup ").nth(1).and_then(|rest| rest.split('`').next()).unwrap();
    kiln_tests::wait_until(
        "end of children",
        || project.processes().is_empty(),
        || project.processes().join("\n"),
    );
    project.kiln(&["cleanup", id]).expect_code(0).expect(&["made/file.txt"]);
    assert!(!project.path("made/file.txt").exists());
}

#[test]
fn the_console_edits_lines_and_remembers_them() {
    let project = Project::with("variable \"who\" {\n  default = \"world\"\n}\n");
    let mut terminal = Terminal::start(&project, &["console", "template.pkr.hcl"], &[]);
    terminal.wait_for("> ");
    // Typed wrongly, corrected with the arrow keys.
    terminal.send("uper(var.who)\x1b[H\x1b[C\x1b[Cp\r");
    terminal.wait_to_show("the value", |window| window.contains("WORLD"));
    terminal.send("nonsense(\r");
    terminal.wait_to_show("an error", |window| window.contains("Error"));
    terminal.send("\x1b[A\x1b[A\r");
    terminal.wait_to_show("the value again", |window| window.matches("WORLD").count() == 2);
    terminal.send("help\r");
    terminal.wait_to_show("help", |window| window.contains("variables"));
    terminal.send("variables\r");
    terminal.wait_to_show("variables", |window| window.contains("var.who: \"world\""));
    terminal.send("exit\r");
    terminal.finish().expect_code(0);
}

#[test]
fn a_closed_terminal_is_a_cancel() {
    let project = builds(&["one"], &shell_local("echo it-runs; sleep 60"));
    let running = Running::start(project.command(&["build", "template.pkr.hcl"]));
    running.wait_for("it-runs");
    running.signal("HUP");
    running.finish().expect_code(1).expect(&["Cleanly cancelled builds"]);
    assert_eq!(project.processes(), Vec::<String>::new());
}
