use std::time::{Duration, Instant};

use kiln_ssh::{
    CipherPreference, ConnectOptions, Error, ExecOptions, HandshakeState, HostKeyChange, HostKeyPolicy,
    KeyKind, KeyPair, Login, connect,
};

use crate::server::{Server, free_port, user};

async fn run(session: &kiln_ssh::Session, command: &str) -> String {
    let finished =
        session.exec(command, ExecOptions::default()).await.unwrap().collect(1 << 20).await.unwrap();
    assert!(finished.status.success(), "{command}: {finished:?}");
    String::from_utf8(finished.stdout).unwrap()
}

#[tokio::test]
async fn a_silent_listener_is_connected_without_banner() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let mut options = ConnectOptions::new("127.0.0.1", port, Login::password("root", "x"));
    options.timeouts.total = Duration::from_millis(1500);
    let error = connect(options).await.unwrap_err();
    let report = error.report().unwrap();
    assert_eq!(report.state, HandshakeState::ConnectedNoBanner, "{error}");
    assert_eq!((report.dialled, report.banners), (2, 0), "one connection a second: {error}");
}

#[tokio::test]
async fn a_refused_port_is_never_connected_and_tried_often() {
    let mut options = ConnectOptions::new("127.0.0.1", free_port(), Login::password("root", "x"));
    options.timeouts.total = Duration::from_millis(1100);
    let error = connect(options).await.unwrap_err();
    let report = error.report().unwrap();
    assert_eq!(report.state, HandshakeState::NeverConnected);
    assert!((4..=6).contains(&report.dialled), "every 250 ms: {error}");
    assert!(report.last_error.as_deref().unwrap().contains("refused"), "{error}");
}

#[tokio::test]
async fn a_banner_without_end_is_bounded() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                while tokio::io::AsyncWriteExt::write_all(&mut stream, &[b'x'; 4096]).await.is_ok() {}
            });
        }
    });
    let mut options = ConnectOptions::new("127.0.0.1", port, Login::password("root", "x"));
    options.timeouts.total = Duration::from_millis(600);
    let error = connect(options).await.unwrap_err();
    assert!(error.to_string().contains("no SSH banner in what the server sends"), "{error}");
}

#[tokio::test]
async fn a_server_that_starts_late_is_found_within_moments() {
    let mut server = Server::sshd("");
    server.stop();
    let options = server.options();
    let waiting = tokio::spawn(connect(options));
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(!waiting.is_finished());
    let server = tokio::task::spawn_blocking(move || {
        server.start();
        server
    });
    let server = server.await.unwrap();
    let up = Instant::now();
    let session = waiting.await.unwrap().unwrap();
    assert!(up.elapsed() < Duration::from_secs(3), "{:?}", up.elapsed());
    assert_eq!(run(&session, "echo hello").await, "hello\n");
    drop(server);
}

#[tokio::test]
async fn a_wrong_key_fails_soon_and_says_what_the_server_takes() {
    let server = Server::sshd("PasswordAuthentication no\nKbdInteractiveAuthentication no");
    let mut options = server.options();
    options.login = Login::key(user(), KeyPair::generate(KeyKind::Ed25519, "").unwrap().private);
    let start = Instant::now();
    let error = connect(options).await.unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(5));
    assert!(matches!(error, Error::Authentication(_)), "{error}");
    let report = error.report().unwrap();
    assert_eq!(report.refused, 2);
    let HandshakeState::AuthenticationRefused { tried, offered } = &report.state else { panic!("{error}") };
    assert_eq!(tried, &["publickey"]);
    assert_eq!(offered, &["publickey"]);
}

#[tokio::test]
async fn a_wrong_password_fails_soon() {
    let server = Server::sshd("PasswordAuthentication yes");
    let mut options = server.options();
    options.login = Login::password(user(), "certainly not");
    let error = connect(options).await.unwrap_err();
    assert!(matches!(error, Error::Authentication(_)), "{error}");
    assert!(error.to_string().contains("tried: password"), "{error}");
    assert!(!error.to_string().contains("certainly not"));
}

#[tokio::test]
async fn every_kind_of_key_logs_in() {
    for kind in [
        KeyKind::Ed25519,
        KeyKind::Rsa { bits: 2048 },
        KeyKind::Ecdsa { bits: 256 },
        KeyKind::Ecdsa { bits: 384 },
        KeyKind::Ecdsa { bits: 521 },
    ] {
        let server = Server::sshd("");
        let pair =
            tokio::task::spawn_blocking(move || KeyPair::generate(kind, "a comment").unwrap()).await.unwrap();
        assert!(pair.public.ends_with(" a comment"), "{}", pair.public);
        assert_eq!(kiln_ssh::public_of(&pair.private).unwrap(), pair.public);
        std::fs::write(server.path("authorized"), &pair.public).unwrap();
        let mut options = server.options();
        options.login = Login::key(user(), pair.private);
        assert_eq!(run(&connect(options).await.unwrap(), "echo in").await, "in\n", "{kind:?}");
    }
}

#[tokio::test]
async fn an_encrypted_key_is_refused_with_the_way_out() {
    let server = Server::sshd("");
    let path = server.path("encrypted");
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "secret", "-f"])
        .arg(&path)
        .status()
        .unwrap();
    assert!(made.success());
    let mut options = server.options();
    options.login = Login::key(user(), std::fs::read_to_string(path).unwrap());
    let error = connect(options).await.unwrap_err();
    assert!(matches!(error, Error::EncryptedKey), "{error}");
    assert!(error.to_string().contains("agent"));
}

#[tokio::test]
async fn a_certificate_logs_in() {
    let server = Server::sshd("");
    let ca = server.path("ca");
    let keygen = |args: &[&str]| {
        let status = std::process::Command::new("ssh-keygen").arg("-q").args(args).status().unwrap();
        assert!(status.success());
    };
    keygen(&["-t", "ed25519", "-N", "", "-f", ca.to_str().unwrap()]);
    let pair = KeyPair::generate(KeyKind::Ed25519, "").unwrap();
    let public = server.path("id.pub");
    std::fs::write(&public, &pair.public).unwrap();
    keygen(&["-s", ca.to_str().unwrap(), "-I", "test", "-n", &user(), public.to_str().unwrap()]);
    let authority = std::fs::read_to_string(server.path("ca.pub")).unwrap();
    std::fs::write(server.path("authorized"), format!("cert-authority {authority}")).unwrap();
    let mut options = server.options();
    options.login = Login::key(user(), pair.private);
    assert!(connect(options.clone()).await.is_err(), "the bare key is not authorized");
    options.login.certificate = Some(std::fs::read_to_string(server.path("id-cert.pub")).unwrap());
    assert_eq!(run(&connect(options).await.unwrap(), "echo in").await, "in\n");
}

#[tokio::test]
async fn a_pinned_key_is_the_only_one() {
    let server = Server::sshd("");
    let session = server.session().await;
    let mut options = server.options();
    options.host_key = HostKeyPolicy::Pinned(session.host_key().unwrap());
    connect(options.clone()).await.unwrap();
    options.host_key = HostKeyPolicy::Pinned(KeyPair::generate(KeyKind::Ed25519, "").unwrap().public);
    let error = connect(options).await.unwrap_err();
    assert!(matches!(error, Error::HostKey { .. }), "{error}");
}

#[tokio::test]
async fn a_new_host_key_after_a_reboot_is_refused_unless_asked_for() {
    let mut server = Server::sshd("");
    let session = server.session().await;
    let before = session.host_key().unwrap();
    server.stop();
    server.new_host_key();
    server.start();
    let error = session.reconnect(Duration::from_secs(5), HostKeyChange::Refuse).await.unwrap_err();
    assert!(matches!(error, Error::HostKey { .. }), "{error}");
    session.reconnect(Duration::from_secs(5), HostKeyChange::Accept).await.unwrap();
    assert_ne!(session.host_key().unwrap(), before);
    assert_eq!(run(&session, "echo again").await, "again\n");
}

#[tokio::test]
async fn algorithms_are_as_asked_for() {
    let server = Server::sshd("Ciphers chacha20-poly1305@openssh.com\nKexAlgorithms curve25519-sha256");
    let mut options = server.options();
    options.cipher_preference = CipherPreference::Emulated;
    connect(options.clone()).await.unwrap();
    options.ciphers = vec!["aes256-ctr".into()];
    let error = connect(options.clone()).await.unwrap_err();
    assert!(matches!(error, Error::Handshake { .. }), "{error}");
    assert!(error.to_string().contains("chacha20-poly1305@openssh.com"), "{error}");
    options.ciphers = vec!["rot13".into()];
    assert!(matches!(connect(options.clone()).await, Err(Error::Option { option: "ciphers", .. })));
    options.ciphers = vec!["none".into()];
    assert!(matches!(connect(options).await, Err(Error::Option { option: "ciphers", .. })));
}

#[tokio::test]
async fn cancelling_ends_the_waiting() {
    let mut options = ConnectOptions::new("127.0.0.1", free_port(), Login::password("root", "x"));
    options.timeouts.total = Duration::from_secs(60);
    let cancel = options.cancel.clone();
    let waiting = tokio::spawn(connect(options));
    tokio::time::sleep(Duration::from_millis(100)).await;
    cancel.cancel();
    assert!(matches!(waiting.await.unwrap(), Err(Error::Cancelled)));
}

#[tokio::test]
async fn a_dialler_that_forbids_the_address_is_believed_at_once() {
    let mut options = ConnectOptions::new("127.0.0.1", 22, Login::password("root", "x"));
    options.dialer = std::sync::Arc::new(|_: &str, _: u16| -> kiln_ssh::Dialling {
        Box::pin(async { Err(std::io::Error::new(std::io::ErrorKind::PermissionDenied, "not granted: ssh")) })
    });
    let error = connect(options).await.unwrap_err();
    assert!(error.to_string().contains("not granted: ssh"), "{error}");
}

#[tokio::test]
async fn a_closed_session_stays_closed() {
    let server = Server::sshd("");
    let session = server.session().await;
    session.close().await;
    let error = session.exec("true", ExecOptions::default()).await.err().unwrap();
    assert!(matches!(error, Error::Closed), "{error}");
}
