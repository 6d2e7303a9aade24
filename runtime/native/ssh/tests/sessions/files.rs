use std::io::{Read, Seek};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kiln_ssh::{Content, Error, FileSource, Method, Session, TransferOptions};

use crate::server::Server;

pub(crate) fn by(method: Method) -> TransferOptions {
    TransferOptions { method, ..TransferOptions::default() }
}

/// Names that shells, option parsers and protocols stumble over.
pub(crate) const NAMES: [&str; 8] = [
    "plain",
    "with space",
    "it's \"quoted\"",
    "-rf",
    "$(touch pwned)",
    "back\\slash",
    "ünïcode",
    "semi;colon & more",
];

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|i| u8::try_from((i * 7 + i / 251) % 256).unwrap()).collect()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

async fn download(session: &Session, remote: &str, method: Method) -> Result<(Vec<u8>, Option<u32>), Error> {
    let mut file = tempfile::tempfile().unwrap();
    let done = session.download(remote, file.try_clone().unwrap(), &by(method)).await?;
    file.rewind().unwrap();
    let mut content = Vec::new();
    file.read_to_end(&mut content).unwrap();
    assert_eq!(content.len() as u64, done.bytes);
    Ok((content, done.mode))
}

async fn there_and_back(server: &Server, methods: &[(Method, &'static str)]) {
    let session = server.session().await;
    for (method, name) in methods {
        for (number, file) in NAMES.iter().enumerate() {
            let path = server.path(file);
            let remote = path.to_str().unwrap();
            let content =
                bytes([0, 1, 1000, 32 * 1024, 255 * 1024, 255 * 1024 + 1, 700_000, 3_000_000][number]);
            let source = FileSource::bytes(content.clone(), [0o600, 0o755, 0o644, 0o400][number % 4]);
            let wanted = source.mode;
            let done = session.upload(source, remote, &by(*method)).await.unwrap();
            assert_eq!((done.method, done.bytes), (*name, content.len() as u64), "{file}");
            assert!(std::fs::read(&path).unwrap() == content, "{name} {file}");
            assert_eq!(mode(&path), wanted, "{name} {file}");
            let (back, mode) = download(&session, remote, *method).await.unwrap();
            assert!(back == content, "{name} {file}");
            assert!(mode.is_none_or(|mode| mode == wanted), "{name} {file} {mode:?}");
            std::fs::remove_file(&path).unwrap();
        }
        assert!(!server.path("pwned").exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_by_every_method_with_openssh() {
    let methods =
        [(Method::Auto, "sftp"), (Method::Sftp, "sftp"), (Method::Scp, "scp"), (Method::Stream, "cat")];
    there_and_back(&Server::sshd(""), &methods).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_without_sftp() {
    let server = Server::dropbear();
    there_and_back(&server, &[(Method::Auto, "scp"), (Method::Sftp, "scp"), (Method::Stream, "cat")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn relative_names_start_at_home_and_line_breaks_are_carried() {
    let server = Server::sshd("");
    let session = server.session().await;
    let path = server.path("two\nlines");
    for method in [Method::Sftp, Method::Scp, Method::Stream] {
        let done =
            session.upload(FileSource::bytes("x", 0o644), path.to_str().unwrap(), &by(method)).await.unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"x", "{done:?}");
        std::fs::remove_file(&path).unwrap();
    }
    let home = session.exec("pwd", Default::default()).await.unwrap().collect(999).await.unwrap().stdout;
    let home = std::path::PathBuf::from(String::from_utf8(home).unwrap().trim());
    let name = format!("kiln-ssh-test-{}", std::process::id());
    for method in [Method::Sftp, Method::Scp, Method::Stream] {
        let source = FileSource::bytes("y", 0o600);
        session.upload(source, &format!("~/{name}"), &by(method)).await.unwrap();
        assert_eq!(download(&session, &name, method).await.unwrap().0, b"y");
        std::fs::remove_file(home.join(&name)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn large_files_arrive_whole_and_tell_their_progress() {
    let server = Server::sshd("");
    let session = server.session().await;
    let content = bytes(40_000_000);
    for (method, name) in
        [(Method::Sftp, "sftp"), (Method::Scp, "scp"), (Method::Stream, "cat"), (Method::Auto, "cat")]
    {
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, &content).unwrap();
        let last = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&last);
        let options = TransferOptions {
            method,
            progress: Some(Arc::new(move |now| {
                assert!(seen.swap(now, Ordering::SeqCst) < now);
            })),
            ..TransferOptions::default()
        };
        let path = server.path("large");
        let done =
            session.upload(FileSource::file(file).unwrap(), path.to_str().unwrap(), &options).await.unwrap();
        assert_eq!((done.bytes, last.load(Ordering::SeqCst)), (40_000_000, 40_000_000));
        assert_eq!(done.method, name);
        assert!(std::fs::read(&path).unwrap() == content, "{method:?}");
        assert!(download(&session, path.to_str().unwrap(), method).await.unwrap().0 == content, "{method:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_and_lies_about_sizes() {
    let server = Server::sshd("");
    let session = server.session().await;
    let remote = server.path("short");
    let remote = remote.to_str().unwrap();
    for method in [Method::Sftp, Method::Scp, Method::Stream] {
        let source = |size| FileSource {
            content: Content::Reader(Box::new(std::io::Cursor::new(bytes(100_000)))),
            size,
            mode: 0o644,
        };
        session.upload(source(100_000), remote, &by(method)).await.unwrap();
        assert_eq!(std::fs::metadata(remote).unwrap().len(), 100_000);
        session.upload(source(99_999), remote, &by(method)).await.unwrap();
        assert_eq!(std::fs::metadata(remote).unwrap().len(), 99_999);
        let error = session.upload(source(100_001), remote, &by(method)).await.unwrap_err();
        assert!(error.to_string().contains("shorter than it said"), "{method:?} {error}");
    }
    assert!(session.exec("true", Default::default()).await.unwrap().wait().await.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_machine_s_reasons_are_told() {
    let server = Server::sshd("");
    let session = server.session().await;
    for method in [Method::Sftp, Method::Scp, Method::Stream] {
        let missing = server.path("no/such/directory");
        let missing = missing.to_str().unwrap();
        let up = session.upload(FileSource::bytes("x", 0o644), missing, &by(method)).await.unwrap_err();
        let down = download(&session, missing, method).await.unwrap_err();
        for error in [up, down] {
            assert!(matches!(error, Error::Remote { .. }), "{method:?} {error}");
            let text = error.to_string().to_lowercase();
            assert!(text.contains("no such file") || text.contains("nonexistent"), "{method:?} {text}");
        }
        let directory = session.upload(FileSource::bytes("x", 0o644), "/", &by(method)).await;
        assert!(directory.is_err(), "{method:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn downloads_are_bounded() {
    let server = Server::sshd("");
    let session = server.session().await;
    let path = server.path("big");
    std::fs::write(&path, bytes(100_001)).unwrap();
    for method in [Method::Sftp, Method::Scp, Method::Stream] {
        for (limit, fits) in [(100_000, false), (100_001, true), (100_002, true)] {
            let options = TransferOptions { max_bytes: limit, ..by(method) };
            let sink = tempfile::tempfile().unwrap();
            let result = session.download(path.to_str().unwrap(), sink, &options).await;
            assert_eq!(result.is_ok(), fits, "{method:?} {limit} {result:?}");
            assert!(fits || matches!(result, Err(Error::TooLarge { .. })));
        }
    }
    let endless = TransferOptions { max_bytes: 1_000_000, ..by(Method::Stream) };
    let error = session.download("/dev/zero", tempfile::tempfile().unwrap(), &endless).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_in_an_upload_is_an_error_and_the_next_one_works() {
    let server = Server::sshd("");
    let session = server.session().await;
    let pid = session.exec("echo $PPID", Default::default()).await.unwrap().collect(99).await.unwrap().stdout;
    let pid = String::from_utf8(pid).unwrap().trim().to_owned();
    session
        .upload(FileSource::bytes("x", 0o644), server.path("x").to_str().unwrap(), &by(Method::Sftp))
        .await
        .unwrap();
    let source =
        FileSource { content: Content::Reader(Box::new(tokio::io::repeat(1))), size: 1 << 40, mode: 0o600 };
    let remote = server.path("endless");
    let (again, target) = (session.clone(), remote.to_str().unwrap().to_owned());
    let uploading = tokio::spawn(async move { again.upload(source, &target, &by(Method::Sftp)).await });
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert!(std::process::Command::new("kill").args(["-9", &pid]).status().unwrap().success());
    let error = uploading.await.unwrap().unwrap_err();
    assert!(error.is_disconnect(), "{error}");
    std::fs::remove_file(&remote).unwrap();
    let done = session
        .upload(FileSource::bytes("y", 0o644), remote.to_str().unwrap(), &by(Method::Auto))
        .await
        .unwrap();
    assert_eq!(done.method, "sftp");
}
