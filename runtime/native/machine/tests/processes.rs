//! Children that end with kiln. This binary is three programs: the tests, a parent that will be killed
//! (`parent DIRECTORY`), and the supervisor (`supervise`).
#![expect(clippy::disallowed_methods, reason = "tests start and inspect processes")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use kiln_machine::*;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio_util::sync::CancellationToken;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["supervise"] => supervise(std::io::stdin()),
        ["parent", directory] => parent(Path::new(directory)),
        filter => return tests(filter.iter().find(|word| !word.starts_with('-')).copied().unwrap_or("")),
    }
    ExitCode::SUCCESS
}

fn tests(filter: &str) -> ExitCode {
    let list: &[(&str, fn())] = &[
        ("output_status_and_environment", output_status_and_environment),
        ("timeout_and_cancel_kill_grandchildren", timeout_and_cancel_kill_grandchildren),
        ("errors_name_the_program", errors_name_the_program),
        ("output_is_bounded", output_is_bounded),
        ("a_daemon_that_keeps_the_pipe_does_not_hang_us", a_daemon_that_keeps_the_pipe_does_not_hang_us),
        ("children_outlive_the_thread_that_asked", children_outlive_the_thread_that_asked),
        ("dropping_kills", dropping_kills),
        ("a_reused_pid_is_left_alone", a_reused_pid_is_left_alone),
        ("kill_9_of_the_parent_leaves_nobody", kill_9_of_the_parent_leaves_nobody),
    ];
    let mut failed = 0;
    for (name, test) in list.iter().filter(|(name, _)| name.contains(filter)) {
        let start = Instant::now();
        let ok = std::panic::catch_unwind(test).is_ok();
        println!("{name} ... {} ({:?})", if ok { "ok" } else { "FAILED" }, start.elapsed());
        failed += usize::from(!ok);
    }
    println!("{failed} failed");
    ExitCode::from(u8::from(failed > 0))
}

fn block<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn shell(script: &str) -> Program {
    let mut program = Program::new("sh", ["-c", script]);
    program.env = vec![("PATH".into(), std::env::var_os("PATH").unwrap())];
    program
}

fn spawner() -> Spawner {
    let exe = std::env::current_exe().unwrap();
    Spawner::start(Some((&exe, &["supervise"]))).unwrap()
}

fn alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit_once(')').unwrap().1.trim_start().starts_with(['Z', 'X']))
}

#[track_caller]
fn eventually(what: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !what() {
        assert!(Instant::now() < end, "it did not happen within 10 s");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn pid_in(path: &Path) -> u32 {
    eventually(|| std::fs::read_to_string(path).is_ok_and(|text| text.ends_with('\n')));
    std::fs::read_to_string(path).unwrap().trim().parse().unwrap()
}

fn output_status_and_environment() {
    block(async {
        let spawner = spawner();
        let mut program = shell("cat; pwd; echo $GIVEN-$HOME-$USER; echo bad >&2; exit 3");
        program.stdin = Stdin::Bytes(b"input\n".to_vec());
        program.env.push(("GIVEN".into(), OsString::from("yes")));
        program.cwd = Some("/".into());
        let finished = spawner.run(program, RunLimits::default(), &CancellationToken::new()).await.unwrap();
        assert_eq!(finished.exit, Exit::Code(3));
        assert_eq!(String::from_utf8(finished.stdout).unwrap(), "input\n/\nyes--\n");
        assert_eq!(finished.stderr, b"bad\n");
        let killed = shell("kill -TERM $$");
        let finished = spawner.run(killed, RunLimits::default(), &CancellationToken::new()).await.unwrap();
        assert_eq!(finished.exit, Exit::Signal(15));
        // No input is the end of file, not the terminal; a child that ignores a big input is no trouble.
        let mut deaf = shell("exit 0");
        deaf.stdin = Stdin::Bytes(vec![0; 1 << 20]);
        assert!(
            spawner.run(deaf, RunLimits::default(), &CancellationToken::new()).await.unwrap().exit.success()
        );
        let mut talking = shell("read line; echo got $line; cat");
        talking.stdin = Stdin::Written;
        talking.output = Output::Piped;
        let mut process = spawner.spawn(talking).await.unwrap();
        let (mut input, mut output) = (process.take_input().unwrap(), process.take_output().unwrap());
        assert!(process.take_input().is_none());
        input.write_all(b"one\n").await.unwrap();
        assert_eq!(output.recv().await, Some(Chunk::Stdout(b"got one\n".to_vec())));
        input.write_all(b"two").await.unwrap();
        assert_eq!(output.recv().await, Some(Chunk::Stdout(b"two".to_vec())));
        drop(input);
        assert!(process.wait().await.success());
        let empty = spawner.run(shell("cat"), RunLimits::default(), &CancellationToken::new()).await.unwrap();
        assert!(empty.exit.success() && empty.stdout.is_empty());
    });
}

fn timeout_and_cancel_kill_grandchildren() {
    block(async {
        let directory = tempfile::tempdir().unwrap();
        let spawner = spawner();
        let script = |name: &str| {
            let file = directory.path().join(name);
            // The grandchild ignores the polite signal.
            (shell(&format!("(trap '' TERM; sleep 1000) & echo $! > {}; wait", file.display())), file)
        };
        let (program, file) = script("a");
        let limits = RunLimits { timeout: Some(Duration::from_millis(300)), ..RunLimits::default() };
        let error = spawner.run(program, limits, &CancellationToken::new()).await.unwrap_err();
        assert!(matches!(error, ProcessError::TimedOut { .. }), "{error}");
        assert!(!alive(pid_in(&file)));
        let (program, file) = script("b");
        let cancel = CancellationToken::new();
        let canceller = cancel.clone();
        let running = tokio::spawn(async move { spawner.run(program, RunLimits::default(), &cancel).await });
        let pid = tokio::task::spawn_blocking(move || pid_in(&file)).await.unwrap();
        canceller.cancel();
        assert!(matches!(running.await.unwrap(), Err(ProcessError::Cancelled)));
        assert!(!alive(pid));
    });
}

fn errors_name_the_program() {
    block(async {
        let spawner = Spawner::start(None).unwrap();
        let error = spawner.spawn(Program::new("no-such-program", [""; 0])).await.unwrap_err();
        assert!(matches!(&error, ProcessError::NotFound(name) if name == "no-such-program"), "{error}");
        let error = spawner.spawn(Program::new("/", [""; 0])).await.unwrap_err();
        assert!(matches!(&error, ProcessError::Start { program, .. } if program == "/"), "{error}");
        let mut program = shell("true");
        program.cwd = Some("/no/such".into());
        let error = spawner.spawn(program).await.unwrap_err();
        assert!(error.to_string().contains("working directory /no/such does not exist"), "{error}");
        let mut program = shell("true");
        program.output = Output::Log("/no/such/log".into());
        assert!(matches!(spawner.spawn(program).await, Err(ProcessError::Log { .. })));
        let missing = PathBuf::from("/no/such/supervisor");
        assert!(matches!(Spawner::start(Some((&missing, &[]))), Err(ProcessError::NotFound(_))));
    });
}

fn output_is_bounded() {
    block(async {
        let limits = RunLimits { timeout: None, keep: 1000 };
        let program = shell("head -c 3000000 /dev/zero; head -c 500 /dev/zero >&2");
        let finished = spawner().run(program, limits, &CancellationToken::new()).await.unwrap();
        assert_eq!((finished.stdout.len(), finished.stderr.len(), finished.truncated), (1000, 500, true));
    });
}

fn a_daemon_that_keeps_the_pipe_does_not_hang_us() {
    block(async {
        let start = Instant::now();
        let spawner = spawner();
        let program = shell("sleep 1000 & echo $!");
        let finished = spawner.run(program, RunLimits::default(), &CancellationToken::new()).await.unwrap();
        assert!(start.elapsed() < Duration::from_secs(5));
        let daemon: u32 = String::from_utf8(finished.stdout).unwrap().trim().parse().unwrap();
        assert!(alive(daemon), "a program may leave something running, as long as kiln runs");
        drop(spawner);
        // The supervisor's pipe closes with the last Spawner.
        eventually(|| !alive(daemon));
    });
}

fn children_outlive_the_thread_that_asked() {
    let spawner = Spawner::start(None).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let handle = runtime.handle().clone();
    let process = std::thread::scope(|scope| {
        let asked = scope.spawn(|| {
            let _inside = handle.enter();
            runtime.block_on(spawner.spawn(shell("sleep 1000"))).unwrap()
        });
        asked.join().unwrap()
    });
    std::thread::sleep(Duration::from_millis(300));
    assert!(alive(process.pid()), "the child died with the thread that asked for it");
    runtime.block_on(process.kill_group(Duration::ZERO));
    assert_eq!(process.exited(), Some(Exit::Signal(9)));
}

fn dropping_kills() {
    block(async {
        let process = Spawner::start(None).unwrap().spawn(shell("sleep 1000")).await.unwrap();
        let pid = process.pid();
        assert!(alive(pid) && process.start_time() > 0);
        drop(process);
        eventually(|| !alive(pid));
    });
}

fn a_reused_pid_is_left_alone() {
    block(async {
        let process = Spawner::start(None).unwrap().spawn(shell("sleep 1000")).await.unwrap();
        assert!(!kill_recorded(process.pid(), process.start_time() + 1).await);
        assert!(!kill_recorded(process.pid(), process.start_time() - 1).await);
        assert!(alive(process.pid()));
        assert!(kill_recorded(process.pid(), process.start_time()).await);
        assert_eq!(process.wait().await, Exit::Signal(9));
    });
}

/// Starts four kinds of children and waits to be killed.
fn parent(directory: &Path) {
    block(async {
        let spawner = spawner();
        let script = |name: &str, body: &str| {
            let at = |kind: &str| directory.join(format!("{name}.{kind}")).display().to_string();
            shell(&format!(
                "echo $$ > {}; {} sleep 1000 & echo $! > {}; wait",
                at("child"),
                body,
                at("grandchild")
            ))
        };
        let _plain = spawner.spawn(script("plain", "")).await.unwrap();
        let _stubborn = spawner.spawn(script("stubborn", "trap '' TERM HUP INT;")).await.unwrap();
        let mut releasable = script("releasable", "");
        releasable.releasable = true;
        let _releasable = spawner.spawn(releasable).await.unwrap();
        let mut released = script("released", "");
        released.releasable = true;
        let released = spawner.spawn(released).await.unwrap();
        pid_in(&directory.join("released.grandchild"));
        released.release();
        std::fs::write(directory.join("ready"), format!("{} {}\n", released.pid(), released.start_time()))
            .unwrap();
        std::future::pending::<()>().await;
    });
}

fn kill_9_of_the_parent_leaves_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let mut parent = Command::new(std::env::current_exe().unwrap())
        .arg("parent")
        .arg(directory.path())
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let pid = |name: &str| pid_in(&directory.path().join(name));
    let names = ["plain", "stubborn", "releasable"]
        .iter()
        .flat_map(|it| [format!("{it}.child"), format!("{it}.grandchild")]);
    let pids: Vec<(String, u32)> = names.map(|name| (name.clone(), pid(&name))).collect();
    eventually(|| directory.path().join("ready").exists());
    assert!(pids.iter().all(|(_, pid)| alive(*pid)));
    parent.kill().unwrap();
    parent.wait().unwrap();
    for (name, pid) in pids {
        eventually(|| !alive(pid));
        println!("  {name} is gone");
    }
    // What was released goes on, until `kiln cleanup` kills what the journal recorded.
    let released = ["released.child", "released.grandchild"].map(pid);
    assert!(released.iter().all(|pid| alive(*pid)), "the released process did not survive");
    let ready = std::fs::read_to_string(directory.path().join("ready")).unwrap();
    let (pid, start) = ready.trim().split_once(' ').unwrap();
    assert!(block(kill_recorded(pid.parse().unwrap(), start.parse().unwrap())));
    eventually(|| released.iter().all(|pid| !alive(*pid)));
}
