use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use kiln_ssh::{Error, ExecOptions, ExitStatus, HostKeyChange, Input, Output, Session, Signal};

use crate::server::Server;

async fn status(session: &Session, command: &str) -> ExitStatus {
    session.exec(command, ExecOptions::default()).await.unwrap().wait().await.unwrap()
}

#[tokio::test]
async fn exit_codes_and_signals() {
    let server = Server::sshd("");
    let session = server.session().await;
    for code in [0, 1, 3, 127, 255] {
        assert_eq!(status(&session, &format!("exit {code}")).await, ExitStatus::Code(code));
    }
    assert_eq!(status(&session, "kill -TERM $$").await, ExitStatus::Signal("TERM".into()));
    assert_eq!(status(&session, "kill -KILL $$").await, ExitStatus::Signal("KILL".into()));
}

#[tokio::test]
async fn output_comes_in_order_and_while_the_command_runs() {
    let server = Server::sshd("");
    let session = server.session().await;
    let command =
        "for i in 1 2 3; do echo out$i; sleep 0.05; echo err$i >&2; sleep 0.05; done; read line; echo $line";
    let options = ExecOptions { stdin: Input::Manual, ..ExecOptions::default() };
    let mut process = session.exec(command, options).await.unwrap();
    let mut seen = Vec::new();
    while seen.len() < 6 {
        seen.push(match process.next_output().await.unwrap().unwrap() {
            Output::Stdout(data) => String::from_utf8(data.to_vec()).unwrap(),
            Output::Stderr(data) => format!("!{}", String::from_utf8(data.to_vec()).unwrap()),
        });
    }
    assert_eq!(seen, ["out1\n", "!err1\n", "out2\n", "!err2\n", "out3\n", "!err3\n"]);
    process.stdin().write(Bytes::from_static(b"typed\n")).await.unwrap();
    assert_eq!(process.next_output().await.unwrap(), Some(Output::Stdout(Bytes::from_static(b"typed\n"))));
    assert_eq!(process.wait().await.unwrap(), ExitStatus::Code(0));
}

#[tokio::test]
async fn stdin_and_env_are_carried_whatever_they_contain() {
    let server = Server::sshd("");
    let session = server.session().await;
    let value = "it's \"a\" $HOME `x`\n\\ new";
    let options = ExecOptions {
        env: vec![("KILN_A".into(), value.into()), ("B".into(), String::new())],
        stdin: Input::Bytes(Bytes::from(vec![7; 3_000_000])),
        ..ExecOptions::default()
    };
    let command = "printf '%s|%s|' \"$KILN_A\" \"$B\"; wc -c | tr -d ' \\n'";
    let finished = session.exec(command, options).await.unwrap().collect(1000).await.unwrap();
    assert_eq!(String::from_utf8(finished.stdout).unwrap(), format!("{value}||3000000"));
    let bad = ExecOptions { env: vec![("A;rm".into(), String::new())], ..ExecOptions::default() };
    assert!(matches!(session.exec("true", bad).await.err().unwrap(), Error::Option { option: "env", .. }));
}

#[tokio::test]
async fn a_command_that_does_not_read_does_not_block_its_writer() {
    let server = Server::sshd("");
    let session = server.session().await;
    let endless = Box::new(tokio::io::repeat(b'x'));
    let options = ExecOptions { stdin: Input::Reader(endless), ..ExecOptions::default() };
    let mut process = session.exec("sleep 0.2; exit 4", options).await.unwrap();
    assert_eq!(process.wait().await.unwrap(), ExitStatus::Code(4));
}

#[tokio::test]
async fn a_terminal_only_when_asked_for() {
    let server = Server::sshd("");
    let session = server.session().await;
    assert_eq!(status(&session, "test -t 1").await, ExitStatus::Code(1));
    let options = || ExecOptions { pty: Some(true), ..ExecOptions::default() };
    let finished = session
        .exec("test -t 1 && stty size && echo $TERM", options())
        .await
        .unwrap()
        .collect(100)
        .await
        .unwrap();
    assert_eq!(String::from_utf8(finished.stdout).unwrap(), "40 80\r\nxterm\r\n");
}

#[tokio::test]
async fn time_limits_end_commands() {
    let server = Server::sshd("");
    let session = server.session().await;
    let start = Instant::now();
    let options = ExecOptions { timeout: Some(Duration::from_millis(300)), ..ExecOptions::default() };
    let mut process = session.exec("sleep 30", options).await.unwrap();
    assert!(matches!(process.wait().await, Err(Error::Elapsed { .. })));
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_commands_at_once_take_turns() {
    let server = Server::sshd("");
    let session = server.session().await;
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..1000_u32 {
        let (session, running, most) = (session.clone(), Arc::clone(&running), Arc::clone(&most));
        tasks.spawn(async move {
            let process = session.exec(&format!("echo {number}"), ExecOptions::default()).await.unwrap();
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            let finished = process.collect(100).await.unwrap();
            running.fetch_sub(1, Ordering::SeqCst);
            assert_eq!(finished.stdout, format!("{number}\n").into_bytes());
            assert!(finished.status.success());
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    assert!(most.load(Ordering::SeqCst) <= 10, "{most:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn unread_output_is_held_back_and_not_lost() {
    let server = Server::sshd("");
    let session = server.session().await;
    let mut process =
        session.exec("head -c 50000000 /dev/zero; echo done >&2", ExecOptions::default()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (mut bytes, mut last) = (0, None);
    while let Some(output) = process.next_output().await.unwrap() {
        match output {
            Output::Stdout(data) => bytes += data.len(),
            Output::Stderr(data) => last = Some(data),
        }
    }
    assert_eq!(bytes, 50_000_000);
    assert_eq!(last.unwrap(), Bytes::from_static(b"done\n"));
    assert!(process.wait().await.unwrap().success());
}

#[tokio::test]
async fn collecting_is_bounded() {
    let server = Server::sshd("");
    let session = server.session().await;
    let process = session.exec("head -c 5000000 /dev/zero", ExecOptions::default()).await.unwrap();
    let finished = process.collect(1000).await.unwrap();
    assert_eq!((finished.stdout.len(), finished.truncated), (1000, true));
    assert!(finished.status.success());
}

/// The sshd process that serves the session, as the parent of its shell.
const KILL_SSHD: &str = "kill -9 $PPID; sleep 5; exit 0";

#[tokio::test]
async fn a_killed_sshd_is_a_disconnection_and_the_next_command_reconnects() {
    let server = Server::sshd("");
    let session = server.session().await;
    let mut process =
        session.exec(&format!("echo begun; sleep 0.3; {KILL_SSHD}"), ExecOptions::default()).await.unwrap();
    assert_eq!(process.next_output().await.unwrap(), Some(Output::Stdout(Bytes::from_static(b"begun\n"))));
    assert_eq!(process.wait().await.unwrap(), ExitStatus::Disconnected);
    assert_eq!(status(&session, "exit 5").await, ExitStatus::Code(5));
}

#[tokio::test]
async fn a_restarted_server_is_found_again() {
    let mut server = Server::sshd("");
    let session = server.session().await;
    let mut process = session.exec(KILL_SSHD, ExecOptions::default()).await.unwrap();
    server.stop();
    assert_eq!(process.wait().await.unwrap(), ExitStatus::Disconnected);
    let again = session.clone();
    let waiting = tokio::spawn(async move { status(&again, "exit 6").await });
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert!(!waiting.is_finished());
    let server = tokio::task::spawn_blocking(move || {
        server.start();
        server
    });
    assert_eq!(waiting.await.unwrap(), ExitStatus::Code(6));
    session.reconnect(Duration::from_secs(5), HostKeyChange::Refuse).await.unwrap();
    assert_eq!(status(&session, "exit 7").await, ExitStatus::Code(7));
    drop(server.await);
}

#[tokio::test]
async fn cancelling_reaches_every_waiting_call() {
    let server = Server::sshd("");
    let options = server.options();
    let cancel = options.cancel.clone();
    let session = kiln_ssh::connect(options).await.unwrap();
    let mut process = session.exec("sleep 30", ExecOptions::default()).await.unwrap();
    let waiting = tokio::spawn(async move { process.wait().await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    cancel.cancel();
    assert!(matches!(waiting.await.unwrap(), Err(Error::Cancelled)));
    assert!(matches!(session.exec("true", ExecOptions::default()).await, Err(Error::Cancelled)));
}

#[tokio::test]
async fn a_process_group_that_is_dropped_frees_its_slot() {
    let server = Server::sshd("");
    let session = server.session().await;
    for _ in 0..30 {
        drop(
            session
                .exec("cat", ExecOptions { stdin: Input::Manual, ..ExecOptions::default() })
                .await
                .unwrap(),
        );
    }
    assert_eq!(status(&session, "exit 0").await, ExitStatus::Code(0));
}

/// OpenSSH passes no signals on to a login as root, dropbear does.
#[tokio::test]
async fn signals_reach_commands() {
    let server = Server::dropbear();
    let session = server.session().await;
    let mut process = session.exec("exec sleep 30", ExecOptions::default()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    process.signal(Signal::Terminate).await.unwrap();
    assert_eq!(process.wait().await.unwrap(), ExitStatus::Signal("TERM".into()));
}
