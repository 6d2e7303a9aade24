//! Downloads against a real server that breaks off, lies, changes its mind, or drips.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test opens what it made and stops at what it did not expect"
)]

#[path = "support/server.rs"]
mod server;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{Response, StatusCode};
use http_body_util::Full;
use kiln_content::digest::{Algorithm, Checksum, ChecksumError, hash_reader};
use kiln_content::download::{DownloadError, Downloader, Fetch, Fetched, Origin, Pace};
use kiln_content::no_progress;
use server::{egress, names, plain, ranged, raw, redirect, serve, serve_raw};
use tokio_util::sync::CancellationToken;

fn data(size: usize) -> Vec<u8> {
    (0..size as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

fn sum(data: &[u8]) -> Checksum {
    let found = hash_reader(&mut &*data, &[Algorithm::Sha256], &|_| (), &CancellationToken::new()).unwrap();
    Checksum::Digest(found[0].clone())
}

fn wanted(urls: &[String], checksum: Checksum, cache: &Path) -> Fetch {
    Fetch {
        base: cache.to_owned(),
        extension: Some("iso".into()),
        ..Fetch::new(urls.to_vec(), checksum, cache.join("cache"))
    }
}

async fn fetch(wanted: &Fetch) -> Result<Fetched, DownloadError> {
    Downloader::new(egress()).fetch(wanted, no_progress(), CancellationToken::new()).await
}

fn content(fetched: &mut Fetched) -> Vec<u8> {
    let mut out = Vec::new();
    std::io::Read::read_to_end(&mut fetched.file, &mut out).unwrap();
    out
}

/// The one failure of a fetch with one URL.
fn only(error: DownloadError) -> DownloadError {
    match error {
        DownloadError::All(mut failures) if failures.len() == 1 => failures.remove(0).error,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_file_is_fetched_once_and_then_found() {
    let dir = tempfile::tempdir().unwrap();
    let body = data(300_000);
    let served = body.clone();
    let (address, asked) = serve(move |r| ranged(r, &served, "\"v1\"")).await;
    let wanted = wanted(&[format!("http://{address}/pool/a.iso")], sum(&body), dir.path());
    let mut first = fetch(&wanted).await.unwrap();
    assert!(content(&mut first) == body);
    assert_eq!((first.origin, first.size), (Origin::Fetched, 300_000));
    let name = first.path.file_name().unwrap().to_str().unwrap();
    assert!(name.len() == 44 && name.ends_with(".iso"), "{name}");
    let mut second = fetch(&wanted).await.unwrap();
    assert_eq!(second.origin, Origin::Cached);
    assert!(content(&mut second) == body);
    assert_eq!(asked.lock().unwrap().len(), 1);
    assert!(!names(&dir.path().join("cache")).iter().any(|n| n.contains(".part")));
}

#[tokio::test]
async fn a_changed_cache_file_is_noticed_and_fetched_again() {
    let dir = tempfile::tempdir().unwrap();
    let body = data(5000);
    let served = body.clone();
    let (address, asked) = serve(move |r| ranged(r, &served, "\"v1\"")).await;
    let wanted = wanted(&[format!("http://{address}/a")], sum(&body), dir.path());
    let path = fetch(&wanted).await.unwrap().path;
    // Same size, times set back: only the change time tells.
    let before = std::fs::metadata(&path).unwrap().modified().unwrap();
    let mut evil = body.clone();
    evil[17] ^= 1;
    std::fs::write(&path, evil).unwrap();
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(before).unwrap();
    let mut again = fetch(&wanted).await.unwrap();
    assert!(content(&mut again) == body);
    assert_eq!((again.origin, asked.lock().unwrap().len()), (Origin::Fetched, 2));
}

#[tokio::test]
async fn an_unchanged_file_is_hashed_again_only_when_asked() {
    let dir = tempfile::tempdir().unwrap();
    let body = data(2_000_000);
    std::fs::write(dir.path().join("a.iso"), &body).unwrap();
    let mut wanted = wanted(&["a.iso".into()], sum(&body), dir.path());
    for (rehash, hashes) in [(false, true), (false, false), (true, true), (false, false)] {
        wanted.rehash = rehash;
        let calls = Arc::new(AtomicUsize::new(0));
        let counter = calls.clone();
        let progress: kiln_content::Progress = Arc::new(move |_, _| {
            counter.fetch_add(1, Ordering::Relaxed);
        });
        let mut found =
            Downloader::new(egress()).fetch(&wanted, progress, CancellationToken::new()).await.unwrap();
        assert_eq!((found.origin, &found.path), (Origin::InPlace, &dir.path().join("a.iso")));
        assert!(content(&mut found) == body);
        assert_eq!(calls.load(Ordering::Relaxed) > 0, hashes, "rehash {rehash}");
    }
}

#[tokio::test]
async fn a_broken_transfer_is_resumed_where_it_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let body = data(100_000);
    let (address, asked) = serve_raw(vec![
        raw("HTTP/1.1 200 OK\ncontent-length: 100000\netag: \"v1\"", &body[..40_000]),
        raw("HTTP/1.1 206 Partial Content\ncontent-length: 60000\netag: \"v1\"\ncontent-range: bytes 40000-99999/100000", &body[40_000..70_000]),
        raw("HTTP/1.1 206 Partial Content\ncontent-length: 30000\ncontent-range: bytes 70000-99999/100000", &body[70_000..]),
    ])
    .await;
    let mut got = fetch(&wanted(&[format!("http://{address}/a")], sum(&body), dir.path())).await.unwrap();
    assert!(content(&mut got) == body);
    let asked = asked.lock().unwrap();
    assert!(!asked[0].contains("range:"));
    assert!(
        asked[1].contains("\r\nrange: bytes=40000-\r\n") && asked[1].contains("\r\nif-range: \"v1\"\r\n"),
        "{}",
        asked[1]
    );
    assert!(asked[2].contains("\r\nrange: bytes=70000-\r\n"), "{}", asked[2]);
}

#[tokio::test]
async fn a_server_without_ranges_or_with_a_new_version_starts_over() {
    let body = data(90_000);
    let new = data(80_000).into_iter().rev().collect::<Vec<u8>>();
    let cut = || raw("HTTP/1.1 200 OK\ncontent-length: 90000\netag: \"v1\"", &body[..30_000]);
    for (second, third, expected) in [
        (raw("HTTP/1.1 200 OK\ncontent-length: 90000", &body), None, &body),
        // If-Range did not hold: the whole of the new version.
        (raw("HTTP/1.1 200 OK\ncontent-length: 80000\netag: \"v2\"", &new), None, &new),
        // A 206 of another version, another start, and 416: never appended.
        (
            raw(
                "HTTP/1.1 206 Partial Content\ncontent-length: 50000\netag: \"v2\"\ncontent-range: bytes 30000-79999/80000",
                &new[30_000..],
            ),
            Some(raw("HTTP/1.1 200 OK\ncontent-length: 80000", &new)),
            &new,
        ),
        (
            raw(
                "HTTP/1.1 206 Partial Content\ncontent-length: 89999\netag: \"v1\"\ncontent-range: bytes 1-89999/90000",
                &body[1..],
            ),
            Some(raw("HTTP/1.1 200 OK\ncontent-length: 90000", &body)),
            &body,
        ),
        (
            raw("HTTP/1.1 416 Range Not Satisfiable\ncontent-length: 0\ncontent-range: bytes */20000", b""),
            Some(raw("HTTP/1.1 200 OK\ncontent-length: 90000", &body)),
            &body,
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let (address, _) =
            serve_raw([Some(cut()), Some(second), third].into_iter().flatten().collect()).await;
        for checksum in [sum(expected)] {
            let mut got =
                fetch(&wanted(&[format!("http://{address}/a")], checksum, dir.path())).await.unwrap();
            assert!(content(&mut got) == *expected);
        }
    }
}

#[tokio::test]
async fn a_transfer_that_was_killed_is_resumed_by_the_next_run() {
    let dir = tempfile::tempdir().unwrap();
    let body = data(50_000);
    let served = body.clone();
    let (address, asked) = serve(move |r| ranged(r, &served, "\"v1\"")).await;
    let wanted = wanted(&[format!("http://{address}/a")], sum(&body), dir.path());
    let path = fetch(&wanted).await.unwrap().path;
    // As a killed process leaves it: a part, its note, and a lock file that nobody holds.
    std::fs::remove_file(&path).unwrap();
    let part = path.with_extension("iso.part");
    std::fs::write(&part, &body[..20_000]).unwrap();
    std::fs::write(path.with_extension("iso.part.meta"), format!("http://{address}/a\n\"v1\"\n")).unwrap();
    assert!(content(&mut fetch(&wanted).await.unwrap()) == body);
    assert_eq!(asked.lock().unwrap()[1].1["range"], "bytes=20000-");
    // A part that is whole, and one that is spoilt: the checksum finds it, and it starts again.
    for left in [body.clone(), [&body[..10], &[0; 30_000][..]].concat()] {
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&part, left).unwrap();
        std::fs::write(path.with_extension("iso.part.meta"), format!("http://{address}/a\n\"v1\"\n"))
            .unwrap();
        assert!(content(&mut fetch(&wanted).await.unwrap()) == body);
    }
}

#[tokio::test]
async fn a_wrong_checksum_removes_the_file_and_the_next_url_is_tried() {
    let dir = tempfile::tempdir().unwrap();
    let good = data(1000);
    let served = good.clone();
    let (address, _) = serve(move |r| match r.uri().path() {
        "/good" => plain(served.clone()),
        "/gone" => Response::builder().status(StatusCode::NOT_FOUND).body(Full::default()).unwrap(),
        _ => plain("evil"),
    })
    .await;
    let urls = ["bad", "gone", "good"].map(|n| format!("http://{address}/{n}"));
    let mut got = fetch(&wanted(&urls, sum(&good), dir.path())).await.unwrap();
    assert!(content(&mut got) == good);
    assert!(got.url.ends_with("/good"));

    let other = tempfile::tempdir().unwrap();
    let error = fetch(&wanted(&urls[..2], sum(&good), other.path())).await.unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("none of the URLs gave the file:\n"), "{text}");
    assert!(
        text.contains("/bad: checksum mismatch: expected sha256:")
            && text.contains("/gone: the server answered 404 Not Found"),
        "{text}"
    );
    assert!(
        names(&other.path().join("cache")).iter().all(|n| n.ends_with(".lock")),
        "{:?}",
        names(&other.path().join("cache"))
    );
}

#[tokio::test]
async fn every_form_of_checksum_works_end_to_end() {
    let body = data(777);
    let Checksum::Digest(digest) = sum(&body) else { unreachable!() };
    let (served, hex) = (body.clone(), digest.hex());
    let listing = format!("{}  other.iso\nSHA256 (a.iso) = {hex}\n", "0".repeat(64));
    let (address, _) =
        serve(
            move |r| if r.uri().path() == "/SUMS" { plain(listing.clone()) } else { plain(served.clone()) },
        )
        .await;
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("sums.txt"), format!("{} *a.iso\n", digest.hex())).unwrap();
    let url = format!("http://{address}/a.iso");
    for (url, text) in [
        (url.clone(), digest.hex()),
        (url.clone(), format!("file:http://{address}/SUMS")),
        (url.clone(), "file:sums.txt".into()),
        (url.clone(), format!("file:file://{}", dir.path().join("sums.txt").display())),
        (format!("{url}?checksum=sha256:{}", digest.hex()), "none".into()),
        (format!("{url}?checksum=file:sums.txt"), "md5:00000000000000000000000000000000".into()),
    ] {
        let cache = tempfile::tempdir().unwrap();
        let wanted = Fetch {
            cache: cache.path().into(),
            ..wanted(&[url], Checksum::parse(&text).unwrap(), dir.path())
        };
        let got = fetch(&wanted).await.unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(got.digest, Some(digest.clone()), "{text}");
        let resolved =
            Downloader::new(egress()).resolve_checksum(&wanted, CancellationToken::new()).await.unwrap();
        assert_eq!(resolved, Checksum::Digest(digest.clone()));
    }
    let missing = Checksum::parse(&format!("file:http://{address}/SUMS")).unwrap();
    let error =
        only(fetch(&wanted(&[format!("http://{address}/b.iso")], missing, dir.path())).await.unwrap_err());
    assert!(
        matches!(&error, DownloadError::Checksum(ChecksumError::NotListed(name)) if name == "b.iso"),
        "{error}"
    );
}

#[tokio::test]
async fn without_a_checksum_the_cached_copy_is_revalidated() {
    let dir = tempfile::tempdir().unwrap();
    let version = Arc::new(AtomicUsize::new(1));
    let current = version.clone();
    let (address, asked) = serve(move |r| {
        let v = current.load(Ordering::Relaxed);
        ranged(r, format!("version {v}").as_bytes(), &format!("\"v{v}\""))
    })
    .await;
    let wanted = wanted(&[format!("http://{address}/a")], Checksum::None, dir.path());
    for (v, text, origin) in [
        (1, "version 1", Origin::Fetched),
        (1, "version 1", Origin::Cached),
        (2, "version 2", Origin::Fetched),
        (2, "version 2", Origin::Cached),
    ] {
        version.store(v, Ordering::Relaxed);
        let mut got = fetch(&wanted).await.unwrap();
        assert_eq!((String::from_utf8(content(&mut got)).unwrap(), got.origin), (text.to_owned(), origin));
    }
    assert_eq!(asked.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn redirects_to_files_and_private_addresses_are_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let (address, asked) = serve(|r| match r.uri().path() {
        "/file" => redirect("file:///etc/passwd"),
        "/private" => redirect("http://10.1.2.3/a"),
        "/metadata" => redirect("http://169.254.169.254/latest/meta-data/"),
        "/decimal" => redirect("http://2852039166/latest/"),
        "/userinfo" => redirect("http://a:b@127.0.0.1/"),
        "/loop" => redirect("/loop"),
        "/relative" => redirect("end?x=1"),
        _ => plain("end"),
    })
    .await;
    for (path, part) in [
        ("file", "only http and https are followed"),
        ("private", "10.1.2.3 stands for 10.1.2.3:80, a private address"),
        ("metadata", "a cloud metadata address"),
        ("decimal", "169.254.169.254 stands for 169.254.169.254:80, a cloud metadata address"),
        ("userinfo", "it carries a user name"),
        ("loop", "more than 10 times"),
    ] {
        let error = fetch(&wanted(&[format!("http://{address}/{path}")], Checksum::None, dir.path()))
            .await
            .unwrap_err();
        assert!(error.to_string().contains(part), "{path}: {error}");
    }
    assert_eq!(asked.lock().unwrap().iter().filter(|(line, _)| line == "GET /loop").count(), 11);
    let mut got =
        fetch(&wanted(&[format!("http://{address}/relative")], Checksum::None, dir.path())).await.unwrap();
    assert_eq!(content(&mut got), b"end");
}

#[tokio::test]
async fn slow_servers_end_in_time() {
    let dir = tempfile::tempdir().unwrap();
    // Silent before the head, silent in the body.
    for (bytes, part) in
        [(&b""[..], "to answer"), (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc", "to send more")]
    {
        let answers = (0..8).map(|_| server::Raw { bytes: bytes.to_vec(), stay_open: true }).collect();
        let (address, _) = serve_raw(answers).await;
        let started = std::time::Instant::now();
        let error =
            fetch(&wanted(&[format!("http://{address}/a")], Checksum::None, dir.path())).await.unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
        assert!(started.elapsed() < Duration::from_secs(8));
    }
    // Dripping: each byte in time, the whole never.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let (mut stream, _) = listener.accept().await.unwrap();
        assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n").await.unwrap();
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let slow = Fetch {
        pace: Pace { window: Duration::from_millis(600), bytes: 1000 },
        ..wanted(&[format!("http://{address}/a")], Checksum::None, dir.path())
    };
    let error = only(fetch(&slow).await.unwrap_err());
    assert!(matches!(error, DownloadError::TooSlow { .. }), "{error}");
}

#[tokio::test]
async fn the_size_is_bounded_whether_announced_or_not() {
    let dir = tempfile::tempdir().unwrap();
    let body = data(1001);
    for limit in [1000, 1001, 1002] {
        let (address, _) = serve_raw(vec![
            raw("HTTP/1.1 200 OK\ncontent-length: 1001", &body),
            raw("HTTP/1.1 200 OK\nconnection: close", &body),
        ])
        .await;
        for path in ["announced", "not"] {
            let wanted = Fetch {
                max_bytes: Some(limit),
                ..wanted(&[format!("http://{address}/{path}")], Checksum::None, dir.path())
            };
            match fetch(&wanted).await {
                Ok(got) => assert!(limit >= 1001 && got.size == 1001),
                Err(error) => {
                    assert!(limit == 1000 && matches!(only(error), DownloadError::TooLarge { limit: 1000 }))
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_that_want_one_file_fetch_it_once() {
    let dir = tempfile::tempdir().unwrap();
    let body = data(400_000);
    let served = body.clone();
    let (address, asked) = serve(move |_| plain(served.clone())).await;
    let wanted = wanted(&[format!("http://{address}/a")], sum(&body), dir.path());
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let wanted = wanted.clone();
        tasks.spawn(async move { content(&mut fetch(&wanted).await.unwrap()) });
    }
    while let Some(got) = tasks.join_next().await {
        assert!(got.unwrap() == body);
    }
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn another_process_that_holds_the_lock_is_waited_for_and_its_death_frees_it() {
    let dir = tempfile::tempdir().unwrap();
    let (address, _) = serve(|_| plain("x")).await;
    let wanted = wanted(&[format!("http://{address}/a")], sum(b"x"), dir.path());
    let path = fetch(&wanted).await.unwrap().path;
    let lock = path.with_extension("iso.lock");
    let mut holder = std::process::Command::new("flock")
        .arg(&lock)
        .args(["sleep", "600"])
        .spawn()
        .expect("flock is missing: apt-get install util-linux");
    // Until the other one has it.
    while std::fs::File::open(&lock).unwrap().try_lock().is_ok() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let cancel = CancellationToken::new();
    let waiting = tokio::spawn({
        let (wanted, cancel) = (wanted.clone(), cancel.clone());
        async move { Downloader::new(egress()).fetch(&wanted, no_progress(), cancel).await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!waiting.is_finished());
    cancel.cancel();
    assert!(matches!(waiting.await.unwrap(), Err(DownloadError::Cancelled)));
    // flock's child inherits the lock; killing only the parent would leave it held.
    let children = std::process::Command::new("ps")
        .args(["-o", "pid=", "--ppid", &holder.id().to_string()])
        .output()
        .unwrap();
    for child in String::from_utf8(children.stdout).unwrap().split_whitespace() {
        std::process::Command::new("kill").args(["-9", child]).status().unwrap();
    }
    let _ = holder.kill();
    holder.wait().unwrap();
    fetch(&wanted).await.unwrap();
}

#[tokio::test]
async fn cancel_keeps_the_part_for_the_next_run() {
    let dir = tempfile::tempdir().unwrap();
    let (address, _) = serve_raw(vec![server::Raw {
        bytes: [&b"HTTP/1.1 200 OK\r\netag: \"v\"\r\ncontent-length: 50000\r\n\r\n"[..], &data(30_000)]
            .concat(),
        stay_open: true,
    }])
    .await;
    let wanted = wanted(&[format!("http://{address}/a")], sum(&data(50_000)), dir.path());
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    let progress: kiln_content::Progress = Arc::new(move |done, total| {
        assert_eq!(total, Some(50_000));
        if done == 30_000 {
            stop.cancel()
        }
    });
    let result = Downloader::new(egress()).fetch(&wanted, progress, cancel).await;
    assert!(matches!(result, Err(DownloadError::Cancelled)));
    let part = names(&dir.path().join("cache")).into_iter().find(|n| n.ends_with(".part")).unwrap();
    let written = || std::fs::metadata(dir.path().join("cache").join(&part)).unwrap().len();
    for _ in 0..100 {
        if written() == 30_000 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(written(), 30_000);
}

#[tokio::test]
async fn local_files_are_used_in_place_or_copied_to_a_target() {
    let dir = tempfile::tempdir().unwrap();
    let body = data(4000);
    std::fs::write(dir.path().join("a b.iso"), &body).unwrap();
    let url = format!("file://{}/a%20b.iso", dir.path().display());
    let mut want = wanted(&[url], sum(&body), dir.path());
    assert_eq!(fetch(&want).await.unwrap().path, dir.path().join("a b.iso"));
    want.target = Some("images/copy.iso".into());
    for origin in [Origin::Fetched, Origin::Cached] {
        let mut copy = fetch(&want).await.unwrap();
        assert_eq!((copy.origin, &copy.path), (origin, &dir.path().join("images/copy.iso")));
        assert!(content(&mut copy) == body);
    }
    want.target = Some("images".into());
    let name = fetch(&want).await.unwrap().path;
    assert!(name.parent().unwrap().ends_with("images") && name.extension().unwrap() == "iso");
    want.checksum = sum(b"other");
    want.target = Some("images/bad.iso".into());
    assert!(matches!(only(fetch(&want).await.unwrap_err()), DownloadError::Checksum(_)));
    assert_eq!(
        names(&dir.path().join("images")).iter().filter(|n| n.contains("bad")).collect::<Vec<_>>(),
        ["bad.iso.lock"]
    );
    want.allow_local = false;
    assert!(matches!(only(fetch(&want).await.unwrap_err()), DownloadError::LocalRefused));
    for path in ["missing.iso", "."] {
        assert!(fetch(&wanted(&[path.into()], Checksum::None, dir.path())).await.is_err());
    }
}

#[tokio::test]
async fn credentials_go_to_their_own_origin_and_into_no_message() {
    let dir = tempfile::tempdir().unwrap();
    let (other, seen_by_other) = serve(|_| plain("x")).await;
    let (address, asked) = serve(move |r| {
        if r.uri().path() == "/a" {
            redirect("/b")
        } else {
            redirect(&format!("http://localhost:{}/c", other.port()))
        }
    })
    .await;
    let wanted = wanted(&[format!("http://user:hidden@{address}/a")], sum(b"y"), dir.path());
    let error = fetch(&wanted).await.unwrap_err();
    assert!(!error.to_string().contains("hidden"), "{error}");
    assert!(
        asked.lock().unwrap().iter().all(|(_, headers)| headers["authorization"] == "Basic dXNlcjpoaWRkZW4=")
    );
    let seen = seen_by_other.lock().unwrap();
    assert!(!seen.is_empty() && seen.iter().all(|(_, headers)| !headers.contains_key("authorization")));
}
