//! A server made here, for what a real one does not do: known passwords and lies.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use kiln_ssh::{ConnectOptions, Error, Login, Method, Session, connect};
use russh::keys::PrivateKey;
use russh::server::{self, Auth, ChannelOpenHandle, Msg, Response};
use russh::{Channel, ChannelId};

use crate::files::by;

#[derive(Clone, Copy)]
enum Kind {
    /// Takes the password `secret`.
    Password,
    /// Asks for `secret` twice.
    Interactive,
    /// Answers every command with these bytes and code 0.
    Says(&'static [u8]),
}

struct Crooked(Kind);

impl server::Handler for Crooked {
    type Error = russh::Error;

    async fn auth_password(&mut self, _user: &str, password: &str) -> Result<Auth, Self::Error> {
        let fine = !matches!(self.0, Kind::Interactive) && password == "secret";
        Ok(if fine { Auth::Accept } else { Auth::reject() })
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        _user: &str,
        _submethods: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, Self::Error> {
        let ask = Auth::Partial {
            name: Cow::Borrowed(""),
            instructions: Cow::Borrowed(""),
            prompts: Cow::Borrowed(&[
                (Cow::Borrowed("Password: "), false),
                (Cow::Borrowed("Again: "), false),
            ]),
        };
        match (self.0, response) {
            (Kind::Interactive, None) => Ok(ask),
            (Kind::Interactive, Some(answers)) => {
                let answers: Vec<Vec<u8>> = answers.map(|answer| answer.to_vec()).collect();
                Ok(if answers == [b"secret", b"secret"] { Auth::Accept } else { Auth::reject() })
            }
            _ => Ok(Auth::reject()),
        }
    }

    async fn channel_open_session(
        &mut self,
        _channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut server::Session,
    ) -> Result<(), Self::Error> {
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        _command: &[u8],
        session: &mut server::Session,
    ) -> Result<(), Self::Error> {
        session.channel_success(channel)?;
        if let Kind::Says(bytes) = self.0 {
            session.data(channel, bytes::Bytes::from_static(bytes))?;
        }
        session.exit_status_request(channel, 0)?;
        session.eof(channel)?;
        session.close(channel)
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        _name: &str,
        session: &mut server::Session,
    ) -> Result<(), Self::Error> {
        session.channel_success(channel)?;
        if let Kind::Says(bytes) = self.0 {
            session.data(channel, bytes::Bytes::from_static(bytes))?;
        }
        Ok(())
    }
}

async fn serve(kind: Kind) -> ConnectOptions {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let pair = kiln_ssh::KeyPair::generate(kiln_ssh::KeyKind::Ed25519, "").unwrap();
    let config = Arc::new(server::Config {
        keys: vec![PrivateKey::from_openssh(pair.private).unwrap()],
        auth_rejection_time: Duration::from_millis(10),
        ..server::Config::default()
    });
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let config = Arc::clone(&config);
            tokio::spawn(async move {
                if let Ok(session) = server::run_stream(config, stream, Crooked(kind)).await {
                    let _ = session.await;
                }
            });
        }
    });
    let mut options = ConnectOptions::new("127.0.0.1", port, Login::password("root", "secret"));
    options.timeouts.total = Duration::from_secs(10);
    options.timeouts.auth_retry = Duration::from_millis(20);
    options
}

#[tokio::test]
async fn passwords_are_taken_and_refusals_counted() {
    let mut options = serve(Kind::Password).await;
    connect(options.clone()).await.unwrap();
    options.login.password = Some("wrong".into());
    options.handshake_attempts = 3;
    let error = connect(options).await.unwrap_err();
    assert!(matches!(error, Error::Authentication(_)), "{error}");
    assert_eq!(error.report().unwrap().refused, 3);
}

#[tokio::test]
async fn the_password_answers_keyboard_interactive() {
    let mut options = serve(Kind::Interactive).await;
    connect(options.clone()).await.unwrap();
    options.login.password = Some("wrong".into());
    let error = connect(options).await.unwrap_err();
    assert!(error.to_string().contains("tried: password, keyboard-interactive"), "{error}");
}

async fn download(says: &'static [u8], method: Method) -> (Result<(), Error>, tempfile::TempDir) {
    let session: Session = connect(serve(Kind::Says(says)).await).await.unwrap();
    let outer = tempfile::tempdir().unwrap();
    std::fs::create_dir(outer.path().join("in")).unwrap();
    let into = Dir::open_ambient_dir(outer.path().join("in"), ambient_authority()).unwrap();
    let result = session.download_directory("x", into, &by(method)).await.map(|_| ());
    (result, outer)
}

fn untouched(outer: &tempfile::TempDir) {
    let names: Vec<_> = std::fs::read_dir(outer.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["in"]);
    assert!(!std::path::Path::new("/tmp/kiln-evil").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn scp_names_that_leave_the_target_are_refused() {
    for says in [
        &b"D0755 0 x\nC0644 4 ../evil\nevil\0E\n"[..],
        b"D0755 0 x\nC0644 4 /tmp/kiln-evil\nevil\0E\n",
        b"D0755 0 x\nD0755 0 ..\nC0644 4 evil\nevil\0E\nE\n",
        b"D0755 0 x\nD0755 0 .\nC0644 4 evil\nevil\0E\nE\n",
        b"D0755 0 x\nC0644 4 \nevil\0E\n",
        b"D0755 0 x\nE\nD0755 0 y\nC0644 4 evil\nevil\0E\n",
        b"C0644 4 evil\nevil\0",
        b"E\nE\nE\n",
        b"garbage\n",
    ] {
        let (result, outer) = download(says, Method::Scp).await;
        let error = result.unwrap_err();
        assert!(matches!(error, Error::Protocol { .. }), "{error}");
        untouched(&outer);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_scp_file_is_one_file_of_the_announced_size() {
    for says in
        [&b"C0644 4 a\nevil\0C0644 4 b\nevil\0"[..], b"D0755 0 x\n", b"C0644 99999999999999999999 a\n"]
    {
        let session = connect(serve(Kind::Says(says)).await).await.unwrap();
        let sink = tempfile::tempfile().unwrap();
        let error = session.download("x", sink, &by(Method::Scp)).await.unwrap_err();
        assert!(matches!(error, Error::Protocol { .. }), "{error}");
    }
}

/// One tar header of the ustar kind, with its content padded.
fn tar(name: &str, kind: u8, link: &str, content: &[u8]) -> Vec<u8> {
    let mut block = vec![0_u8; 512];
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[100..107].copy_from_slice(b"0000644");
    block[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
    block[156] = kind;
    block[157..157 + link.len()].copy_from_slice(link.as_bytes());
    block[257..263].copy_from_slice(b"ustar\0");
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    block.extend(content);
    block.resize(512 + content.len().div_ceil(512) * 512, 0);
    block
}

#[tokio::test(flavor = "multi_thread")]
async fn tar_names_that_leave_the_target_are_refused() {
    let cases = [
        tar("../evil", b'0', "", b"evil"),
        tar("/tmp/kiln-evil", b'0', "", b"evil"),
        tar("a/../../evil", b'0', "", b"evil"),
        [tar("link", b'2', "..", b""), tar("hard", b'1', "../../../etc/passwd", b"")].concat(),
        tar("dir/../../evil", b'5', "", b""),
    ];
    for mut archive in cases {
        archive.resize(archive.len() + 1024, 0);
        let says: &'static [u8] = Box::leak([&b"kiln-tar-ready\n"[..], &archive].concat().into_boxed_slice());
        let (result, outer) = download(says, Method::Stream).await;
        let error = result.unwrap_err();
        assert!(matches!(error, Error::Protocol { .. }), "{error}");
        untouched(&outer);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tar_link_is_skipped_and_not_written_through() {
    let archive = [tar("link", b'2', "..", b""), tar("link/evil", b'0', "", b"evil"), vec![0; 1024]].concat();
    let says: &'static [u8] = Box::leak([&b"kiln-tar-ready\n"[..], &archive].concat().into_boxed_slice());
    let (result, outer) = download(says, Method::Stream).await;
    result.unwrap();
    untouched(&outer);
    assert!(outer.path().join("in/link/evil").is_file());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_sftp_server_is_an_error_and_not_a_wait() {
    for says in [&b"\xff\xff\xff\xff\x02"[..], b"\0\0\0\x05\x63\0\0\0\x03", b"\0\0\0\0", b"\0\0\0\x02\x02\0"]
    {
        let (result, outer) = download(says, Method::Sftp).await;
        let error = result.unwrap_err();
        assert!(matches!(error, Error::Protocol { .. }), "{error}");
        untouched(&outer);
    }
}
