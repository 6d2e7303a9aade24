use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use kiln_ssh::{Error, Method, TransferOptions, directory_target};

use crate::files::{NAMES, by};
use crate::server::Server;

fn open(path: &Path) -> Dir {
    Dir::open_ambient_dir(path, ambient_authority()).unwrap()
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Path to mode and content; directories have none.
type Tree = BTreeMap<String, (u32, Option<Vec<u8>>)>;

fn tree(root: &Path) -> Tree {
    fn below(root: &Path, at: &Path, tree: &mut Tree) {
        for entry in std::fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            let metadata = std::fs::symlink_metadata(&path).unwrap();
            let content = metadata.is_file().then(|| std::fs::read(&path).unwrap());
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            tree.insert(name, (metadata.permissions().mode() & 0o7777, content));
            if metadata.is_dir() {
                below(root, &path, tree);
            }
        }
    }
    let mut found = Tree::new();
    below(root, root, &mut found);
    found
}

fn plant(root: &Path, line_breaks: bool) {
    std::fs::create_dir_all(root.join("a dir/-deep/er")).unwrap();
    std::fs::create_dir(root.join("empty")).unwrap();
    std::fs::create_dir(root.join("locked")).unwrap();
    for (number, name) in NAMES.iter().enumerate() {
        for dir in ["", "a dir/-deep/er"] {
            let path = root.join(dir).join(name);
            std::fs::write(&path, format!("{name}{number}").repeat(number * 2000)).unwrap();
            set_mode(&path, [0o644, 0o755, 0o600, 0o444][number % 4]);
        }
    }
    if line_breaks {
        std::fs::write(root.join("two\nlines"), "x").unwrap();
        std::fs::write(root.join("n".repeat(200)), "long").unwrap();
    }
    set_mode(&root.join("empty"), 0o700);
    set_mode(&root.join("locked"), 0o555);
    set_mode(&root.join("a dir"), 0o750);
}

async fn there_and_back(server: &Server, methods: &[(Method, &'static str)]) {
    let session = server.session().await;
    for (method, name) in methods {
        let source = tempfile::tempdir().unwrap();
        plant(source.path(), *name != "scp");
        let wanted = tree(source.path());
        let remote = server.path(&format!("new/par ents/{name}"));
        let target = remote.to_str().unwrap();
        for round in 0..2 {
            let done = session.upload_directory(open(source.path()), target, &by(*method)).await.unwrap();
            assert_eq!((done.method, done.entries), (*name, wanted.len() as u64), "round {round}");
            assert!(tree(&remote) == wanted, "{name}: {:?}\n{:?}", tree(&remote).keys(), wanted.keys());
        }
        let back = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/etc/passwd", remote.join("a link")).unwrap();
        if *name == "scp" {
            std::fs::remove_file(remote.join("a link")).unwrap();
        }
        let done = session.download_directory(target, open(back.path()), &by(*method)).await.unwrap();
        assert_eq!(done.method, *name);
        assert_eq!(done.skipped.len(), usize::from(*name != "scp"), "{:?}", done.skipped);
        assert!(tree(back.path()) == wanted, "{name}: {:#?}", tree(back.path()).keys());
        assert!(!server.path("pwned").exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn directories_by_every_method_with_openssh() {
    let methods = [(Method::Auto, "tar"), (Method::Sftp, "sftp"), (Method::Scp, "scp")];
    there_and_back(&Server::sshd(""), &methods).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn directories_without_sftp() {
    there_and_back(&Server::dropbear(), &[(Method::Auto, "tar"), (Method::Scp, "scp")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_inside_are_followed_and_links_out_are_errors() {
    let server = Server::sshd("");
    let session = server.session().await;
    let source = tempfile::tempdir().unwrap();
    std::fs::create_dir(source.path().join("real")).unwrap();
    std::fs::write(source.path().join("real/file"), "content").unwrap();
    std::os::unix::fs::symlink("real/file", source.path().join("inside")).unwrap();
    for (number, method) in [Method::Stream, Method::Sftp, Method::Scp].into_iter().enumerate() {
        let remote = server.path(&format!("to{number}"));
        session.upload_directory(open(source.path()), remote.to_str().unwrap(), &by(method)).await.unwrap();
        assert_eq!(std::fs::read(remote.join("inside")).unwrap(), b"content", "{method:?}");
    }
    std::os::unix::fs::symlink("/etc/passwd", source.path().join("outside")).unwrap();
    for method in [Method::Stream, Method::Sftp, Method::Scp] {
        let remote = server.path("out");
        let error = session
            .upload_directory(open(source.path()), remote.to_str().unwrap(), &by(method))
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Local { .. }), "{method:?} {error}");
        assert!(error.to_string().contains("outside"), "{method:?} {error}");
        assert!(!remote.join("outside").exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_to_a_directory_on_the_machine_survives() {
    let server = Server::sshd("");
    let session = server.session().await;
    let source = tempfile::tempdir().unwrap();
    std::fs::create_dir(source.path().join("lib")).unwrap();
    std::fs::write(source.path().join("lib/new"), "new").unwrap();
    for (number, method) in [Method::Stream, Method::Sftp, Method::Scp].into_iter().enumerate() {
        let root = server.path(&format!("root{number}"));
        std::fs::create_dir_all(root.join("usr/lib")).unwrap();
        std::os::unix::fs::symlink("usr/lib", root.join("lib")).unwrap();
        session.upload_directory(open(source.path()), root.to_str().unwrap(), &by(method)).await.unwrap();
        assert!(std::fs::symlink_metadata(root.join("lib")).unwrap().is_symlink(), "{method:?}");
        assert_eq!(std::fs::read(root.join("usr/lib/new")).unwrap(), b"new", "{method:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trees_are_bounded() {
    let server = Server::sshd("");
    let session = server.session().await;
    let remote = server.path("tree");
    std::fs::create_dir(&remote).unwrap();
    for number in 0..10 {
        std::fs::write(remote.join(format!("{number}")), [0; 100]).unwrap();
    }
    for method in [Method::Stream, Method::Sftp, Method::Scp] {
        for (entries, bytes, fits) in [(10, 1000, true), (9, 1000, false), (10, 999, false)] {
            let options = TransferOptions { max_entries: entries, max_bytes: bytes, ..by(method) };
            let into = tempfile::tempdir().unwrap();
            let result =
                session.download_directory(remote.to_str().unwrap(), open(into.path()), &options).await;
            assert_eq!(result.is_ok(), fits, "{method:?} {entries} {bytes} {result:?}");
            assert!(fits || matches!(result, Err(Error::TooLarge { .. })), "{result:?}");
        }
        let options = TransferOptions { max_entries: 9, ..by(method) };
        let to = server.path("copy");
        let result = session.upload_directory(open(&remote), to.to_str().unwrap(), &options).await;
        assert!(matches!(result, Err(Error::TooLarge { .. })), "{method:?} {result:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_machine_s_reasons_are_told() {
    let server = Server::sshd("");
    let session = server.session().await;
    std::fs::write(server.path("file"), "").unwrap();
    for method in [Method::Stream, Method::Sftp, Method::Scp] {
        let source = tempfile::tempdir().unwrap();
        std::fs::write(source.path().join("x"), "x").unwrap();
        let below_file = server.path("file/below");
        let up =
            session.upload_directory(open(source.path()), below_file.to_str().unwrap(), &by(method)).await;
        assert!(matches!(up, Err(Error::Remote { .. })), "{method:?} {up:?}");
        let missing = server.path("missing");
        let into = tempfile::tempdir().unwrap();
        let down =
            session.download_directory(missing.to_str().unwrap(), open(into.path()), &by(method)).await;
        let text = down.unwrap_err().to_string().to_lowercase();
        assert!(text.contains("no such file") || text.contains("can't cd"), "{method:?} {text}");
    }
}

#[test]
fn the_rule_of_the_trailing_slash() {
    assert_eq!(directory_target("src", "/dst"), "/dst/src");
    assert_eq!(directory_target("src", "/dst/"), "/dst/src");
    assert_eq!(directory_target("src/", "/dst"), "/dst");
    assert_eq!(directory_target("a/b", "/dst"), "/dst/b");
    assert_eq!(directory_target(".", "/dst"), "/dst");
}

/// By each way of transfer: a name that is left out is left out at any depth, with all below it.
#[tokio::test(flavor = "multi_thread")]
async fn names_are_left_out() {
    let server = Server::sshd("");
    let session = server.session().await;
    let local = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(local.path().join("sub/.git/objects")).unwrap();
    for name in ["keep", "sub/keep", "sub/skip.tmp", "sub/.git/config", "skip.tmp"] {
        std::fs::write(local.path().join(name), name).unwrap();
    }
    for (number, method) in [Method::Stream, Method::Sftp, Method::Scp].into_iter().enumerate() {
        let mut options = by(method);
        options.excludes = Some(std::sync::Arc::new(|name: &str| name == ".git" || name.ends_with(".tmp")));
        let to = server.path(&format!("copy-{number}"));
        session.upload_directory(open(local.path()), to.to_str().unwrap(), &options).await.unwrap();
        let names: Vec<_> = tree(&to).into_keys().collect();
        assert_eq!(names, ["keep", "sub", "sub/keep"], "{method:?}");
    }
}
