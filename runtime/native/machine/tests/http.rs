//! The file server, asked over real sockets.
#![expect(clippy::disallowed_methods, reason = "tests speak to the server")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use kiln_machine::*;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

fn options() -> HttpServerOptions {
    HttpServerOptions { bind: Ipv4Addr::LOCALHOST.into(), ports: 8000..=9000 }
}

fn ask(server: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(server).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    write!(stream, "{request}\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = Vec::new();
    stream.read_to_end(&mut text).unwrap();
    String::from_utf8_lossy(&text).into_owned()
}

fn get(server: SocketAddr, path: &str) -> (u16, String) {
    let answer = ask(server, &format!("GET {path} HTTP/1.1"));
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_is_served_and_nothing_outside() {
    let outer = tempfile::tempdir().unwrap();
    let root = outer.path().join("http");
    std::fs::create_dir_all(root.join("sub dir")).unwrap();
    std::fs::write(outer.path().join("secret"), "secret").unwrap();
    std::fs::write(root.join("preseed.cfg"), "0123456789").unwrap();
    std::fs::write(root.join("sub dir/<x>"), "x").unwrap();
    std::os::unix::fs::symlink("../secret", root.join("out")).unwrap();
    std::os::unix::fs::symlink("preseed.cfg", root.join("in")).unwrap();
    let big = vec![7_u8; 3_000_000];
    std::fs::write(root.join("big"), &big).unwrap();
    let directory = cap_std::fs::Dir::open_ambient_dir(&root, cap_std::ambient_authority()).unwrap();
    let server = HttpServer::start(&options(), HttpContent::Directory(Arc::new(directory))).await.unwrap();
    let at = server.address();
    assert!((8000..=9000).contains(&at.port()));
    assert_eq!(get(at, "/preseed.cfg"), (200, "0123456789".into()));
    assert_eq!(get(at, "/preseed.cfg?query"), (200, "0123456789".into()));
    assert_eq!(get(at, "/in"), (200, "0123456789".into()));
    for outside in [
        "/out",
        "/../secret",
        "/sub%20dir/%2e%2e/%2e%2e/secret",
        "/sub%20dir/..%2f..%2fsecret",
        "//etc/passwd",
    ] {
        assert_eq!(get(at, outside).0, 404, "{outside}");
    }
    let (status, listing) = get(at, "/");
    assert_eq!(status, 200);
    assert!(
        listing.contains("<a href=\"preseed.cfg\">preseed.cfg</a>\n<a href=\"sub%20dir/\">sub dir/</a>"),
        "{listing}"
    );
    assert!(get(at, "/sub%20dir/").1.contains("<a href=\"%3Cx%3E\">&lt;x&gt;</a>"));
    let redirect = ask(at, "GET /sub%20dir HTTP/1.1");
    assert!(
        redirect.starts_with("HTTP/1.1 301") && redirect.contains("location: sub%20dir/\r\n"),
        "{redirect}"
    );
    std::fs::write(root.join("sub dir/index.html"), "index").unwrap();
    assert_eq!(get(at, "/sub%20dir/"), (200, "index".into()));
    assert_eq!(get(at, "/big").1.len(), big.len());
    let part = ask(at, "GET /preseed.cfg HTTP/1.1\r\nRange: bytes=2-4");
    assert!(part.starts_with("HTTP/1.1 206") && part.contains("content-range: bytes 2-4/10\r\n"), "{part}");
    assert!(part.ends_with("\r\n\r\n234"), "{part}");
    let head = ask(at, "HEAD /preseed.cfg HTTP/1.1");
    assert!(head.contains("content-length: 10\r\n") && head.ends_with("\r\n\r\n"), "{head}");
    assert!(ask(at, "POST /preseed.cfg HTTP/1.1\r\nContent-Length: 0").starts_with("HTTP/1.1 405"));
    let last = server.requests().pop().unwrap();
    assert_eq!((last.method.as_str(), last.path.as_str(), last.status), ("POST", "/preseed.cfg", 405));
    server.stop().await;
    assert!(TcpStream::connect(at).is_err(), "the port is still open");
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_are_served_and_the_log_is_bounded() {
    let texts: BTreeMap<String, Vec<u8>> =
        [("/a/b".to_owned(), b"hello".to_vec()), ("c".to_owned(), b"rel".to_vec())].into();
    let server = HttpServer::start(&options(), HttpContent::Texts(Arc::new(texts))).await.unwrap();
    let mut count = server.count();
    assert_eq!(get(server.address(), "/a/b"), (200, "hello".into()));
    assert_eq!(get(server.address(), "/c"), (200, "rel".into()));
    tokio::time::timeout(Duration::from_secs(5), count.wait_for(|count| *count == 2)).await.unwrap().unwrap();
    assert_eq!(get(server.address(), "/a").0, 404);
    for n in 0..120 {
        get(server.address(), &format!("/{n}"));
    }
    let log = server.requests();
    assert_eq!((log.len(), log[99].path.as_str(), log[99].status), (100, "/119", 404));
    let at = server.address();
    drop(server);
    tokio::time::timeout(Duration::from_secs(5), async {
        while TcpStream::connect(at).is_ok() {
            tokio::task::yield_now().await
        }
    })
    .await
    .expect("the port is still open");
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_clients_do_not_stop_the_others() {
    let texts: BTreeMap<String, Vec<u8>> = [("/a".to_owned(), b"hello".to_vec())].into();
    let server = HttpServer::start(&options(), HttpContent::Texts(Arc::new(texts))).await.unwrap();
    let idle: Vec<TcpStream> = (0..50).map(|_| TcpStream::connect(server.address()).unwrap()).collect();
    let long = ask(server.address(), &format!("GET /{} HTTP/1.1", "x".repeat(12_000)));
    assert!(long.starts_with("HTTP/1.1 4"), "{long}");
    assert!(ask(server.address(), "nonsense").starts_with("HTTP/1.1 400"));
    assert_eq!(get(server.address(), "/a"), (200, "hello".into()));
    drop(idle);
    let port = server.address().port();
    let full = HttpServerOptions { ports: port..=port, ..options() };
    let error = HttpServer::start(&full, HttpContent::Texts(Arc::default())).await.unwrap_err();
    assert!(matches!(error, HttpServerError::NoFreePort { .. }), "{error}");
    server.stop().await;
}
