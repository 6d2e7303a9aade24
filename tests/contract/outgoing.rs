//! What leaves by HTTP: `wasi:http`, which is no function of `wit/` but passes the same gate, and the
//! addresses that names may lead to.

use crate::server::Server;
use crate::world::{Answer, Got, KINDS, World};
use kiln_host::{Class, Resolve, Resolver, Resolving, STANDARD, TraceRecord};
use kiln_plan::Kind;
use serde_json::{Value as Json, json};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

const CALL: &str = "wasi:http";
const SECRET: &str = "a-secret-of-the-template";

/// A name server of the component's author: every name leads where the test says.
struct Hostile {
    leads_to: String,
    asked: Mutex<Vec<String>>,
}

impl Hostile {
    fn new(leads_to: &str) -> Arc<Self> {
        Arc::new(Self { leads_to: leads_to.to_owned(), asked: Mutex::default() })
    }
}

impl Resolve for Hostile {
    fn resolve(&self, host: String, port: u16) -> Resolving {
        self.asked.lock().unwrap().push(host);
        let found = self.leads_to.parse().map(|ip| vec![SocketAddr::new(ip, port)]);
        Box::pin(async move { found.map_err(|_| std::io::Error::other("no such name")) })
    }
}

fn world(cache: &Path, grants: &[(&str, &[&str])], resolver: &Arc<Hostile>) -> World {
    let resolver: Arc<dyn Resolve> = resolver.clone();
    World::with(cache, grants, false, |options| options.resolver = Some(Resolver(resolver)))
}

fn to(url: &str) -> Json {
    json!({ "url": url })
}

/// The answer's status and body.
#[track_caller]
fn answer(got: &Got) -> &str {
    match got {
        Got::Error(code, text) if code == "answer" => text,
        other => panic!("no answer: {other:?}"),
    }
}

/// The one record of the call in the trace.
#[track_caller]
fn sent(answer: &Answer) -> &TraceRecord {
    let mut records = answer.records.iter().filter(|r| r.function == "outgoing-handler.handle");
    let (record, more) = (records.next(), records.next());
    assert!(more.is_none(), "{:?}", answer.records);
    record.unwrap_or_else(|| panic!("not traced: {:?}", answer.records))
}

fn is_refused(got: &Got) -> bool {
    matches!(got, Got::Error(code, text) if code == "http" && text.contains("HttpRequestDenied"))
}

/// Every kind of component, with no grant and with one for another origin; the user reads which
/// grant is missing.
#[tokio::test]
async fn requests_need_a_grant_for_their_origin() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::saying("hello");
    let origin = format!("http://127.0.0.1:{}", server.port);
    let others = [
        format!("https://127.0.0.1:{}", server.port),
        "http://127.0.0.1:1".to_owned(),
        format!("http://127.0.0.2:{}", server.port),
        "http://*.wild.example".to_owned(),
    ];
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    for grants in [&[][..], &[("http", &others[..])]] {
        let world = World::new(cache.path(), grants, false);
        for kind in KINDS {
            let got = world.call(kind, CALL, &to(&server.url("x"))).await;
            assert!(is_refused(&got.got), "{kind}: {:?}", got.got);
            let warned = world.warnings().join("\n");
            assert!(warned.contains(&format!("needs the grant `http = [\"{origin}\"]`")), "{warned}");
            let record = sent(&got);
            assert_eq!((record.class, record.error), (Class::Grant, Some("denied")));
        }
    }
    assert!(server.asked().is_empty());
}

/// The one call that reaches out is in the host's table, is traced with what went over the wire, and
/// the log has it.
#[tokio::test]
async fn a_granted_request_is_traced_and_told() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::saying("hello");
    let origin = format!("http://127.0.0.1:{}", server.port);
    let world = World::new(cache.path(), &[("http", &[&origin])], false);
    for kind in KINDS {
        let got = world.call(kind, CALL, &to(&server.url("x?y=1"))).await;
        assert_eq!(answer(&got.got), "200 hello", "{kind}");
        let record = sent(&got);
        let table = STANDARD.iter().find(|i| record.function == format!("{}.{}", i.interface, i.function));
        assert_eq!(table.unwrap().class, record.class);
        assert_eq!((record.error, record.bytes), (None, 5));
        assert_eq!(record.target, format!("GET {}", server.url("x?y=1")));
        // SHA-256 of `hello`.
        assert!(record.digest.as_deref().unwrap().starts_with("2cf24dba5fb0a30e26e83b2ac5b9e29e"));
        assert!(world.log().iter().any(|line| line.contains("200 OK")), "{kind}");
    }
    assert_eq!(server.asked().len(), KINDS.len());
}

/// In `validate` nothing is reached, whatever was granted and designated.
#[tokio::test]
async fn validate_sends_nothing() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::saying("hello");
    let origin = format!("http://127.0.0.1:{}", server.port);
    let world = World::new(cache.path(), &[("http", &[&origin])], false);
    for kind in KINDS {
        let options = json!({ "url": server.url("x"), "fetch": server.url("x") });
        let got = world.validate(kind, CALL, &options).await;
        assert!(is_refused(&got.got), "{kind}: {:?}", got.got);
    }
    assert!(server.asked().is_empty());
}

/// What the template names needs no grant: that origin, and no other.
#[tokio::test]
async fn a_designated_url_is_its_origin() {
    let cache = tempfile::tempdir().unwrap();
    let (server, other) = (Server::saying("hello"), Server::saying("other"));
    let world = World::new(cache.path(), &[], false);
    let options = json!({ "fetch": server.url("some/page"), "url": server.url("another") });
    let got = world.call(Kind::DataSource, CALL, &options).await;
    assert_eq!((answer(&got.got), sent(&got).class), ("200 hello", Class::Designation));
    let options = json!({ "fetch": server.url("some/page"), "url": other.url("") });
    assert!(is_refused(&world.call(Kind::DataSource, CALL, &options).await.got));
    assert!(other.asked().is_empty());
}

/// Granted names that lead where nobody meant: judged is the address that would be dialled.
#[tokio::test]
async fn granted_names_lead_to_public_addresses_only() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::saying("inside");
    let grants: &[(&str, &[&str])] = &[("http", &["http://*.wild.example:*"])];
    for address in [
        "127.0.0.1",
        "127.8.9.1",
        "::1",
        "::ffff:127.0.0.1",
        "10.0.0.1",
        "192.168.1.1",
        "172.16.0.1",
        "100.64.0.1",
        "169.254.1.1",
        "fe80::1",
        "169.254.169.254",
        "fd00:ec2::254",
        "100.100.100.200",
        "fd12::1",
        "0.0.0.0",
        "::",
        "64:ff9b::7f00:1",
    ] {
        let hostile = Hostile::new(address);
        let world = world(cache.path(), grants, &hostile);
        let url = format!("http://evil.wild.example:{}/", server.port);
        for (call, options) in [(CALL, to(&url)), ("download", to(&url))] {
            let got = world.call(Kind::Provisioner, call, &options).await;
            let text = format!("{:?} {:?}", got.got, world.warnings());
            assert!(text.contains("stands for") && text.contains("not allowed"), "{address} {call}: {text}");
        }
        assert_eq!(hostile.asked.lock().unwrap()[0], "evil.wild.example");
        // What is not granted is not even looked up.
        hostile.asked.lock().unwrap().clear();
        assert!(is_refused(&world.call(Kind::Provisioner, CALL, &to("http://evil.test/")).await.got));
        assert!(hostile.asked.lock().unwrap().is_empty());
    }
    assert!(server.asked().is_empty());
}

/// An address written as one is meant, but a cloud's metadata never is; neither by a grant nor by
/// the template.
#[tokio::test]
async fn metadata_is_nobodys() {
    let cache = tempfile::tempdir().unwrap();
    for host in ["169.254.169.254", "[fd00:ec2::254]", "100.100.100.200"] {
        let origin = format!("http://{host}");
        let world = World::new(cache.path(), &[("http", &[&origin])], false);
        let url = format!("{origin}/latest/meta-data");
        let designated = json!({ "fetch": url, "url": url });
        for (call, options) in [
            (CALL, to(&url)),
            (CALL, designated.clone()),
            ("download", to(&url)),
            ("designated download", designated),
        ] {
            let got = world.call(Kind::Provisioner, call, &options).await;
            let text = format!("{:?} {:?}", got.got, world.warnings());
            assert!(text.contains("cloud metadata"), "{call} {host}: {text}");
        }
    }
}

/// The host follows no redirect for wasi:http; one that the guest follows is a call of its own. A
/// download follows them, where its grant leads.
#[tokio::test]
async fn redirects_lead_nowhere_that_was_not_granted() {
    let cache = tempfile::tempdir().unwrap();
    let inside = Server::saying("inside");
    let target = inside.url("");
    let first =
        Server::start(move |_| format!("302 Found\r\nlocation: {target}\r\ncontent-length: 0\r\n\r\n"));
    let origin = format!("http://127.0.0.1:{}", first.port);
    let world = World::new(cache.path(), &[("http", &[&origin])], false);
    let got = world.call(Kind::DataSource, CALL, &to(&first.url(""))).await;
    assert_eq!(answer(&got.got), "302");
    assert!(is_refused(&world.call(Kind::DataSource, CALL, &to(&inside.url(""))).await.got));
    let got = world.call(Kind::DataSource, "download", &to(&first.url("file"))).await;
    assert!(matches!(&got.got, Got::Error(_, text) if text.contains("is not allowed")), "{:?}", got.got);
    // The template's own URL may lead on, but not into the private network.
    let elsewhere =
        Server::start(|_| "302 Found\r\nlocation: http://10.0.0.1/\r\ncontent-length: 0\r\n\r\n".into());
    let options = json!({ "fetch": elsewhere.url("file") });
    let got = world.call(Kind::DataSource, "designated download", &options).await;
    assert!(matches!(&got.got, Got::Error(_, text) if text.contains("private")), "{:?}", got.got);
    assert!(inside.asked().is_empty());
}

/// A list of checksums is a URL too: a component cannot ask anybody by it.
#[tokio::test]
async fn lists_of_checksums_are_the_templates_or_granted() {
    let cache = tempfile::tempdir().unwrap();
    // SHA-256 of `content`.
    let sum = "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73";
    let (files, lists) = (Server::saying("content"), Server::saying(&format!("{sum}  file\n")));
    let world = World::new(cache.path(), &[], false);
    std::fs::write(world.folder.path().join("work/SUMS"), format!("{sum}  file\n")).unwrap();
    let fetch = async |more: Json| {
        let mut options = json!({ "fetch": files.url("file") });
        options.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        world.call(Kind::Provisioner, "designated download", &options).await.got
    };
    for list in [format!("file:{}", lists.url("SUMS")), "file:SUMS".to_owned(), "file:/etc/passwd".to_owned()]
    {
        let got = fetch(json!({ "checksum": list })).await;
        assert!(matches!(got, Got::Refused(_)), "{list}: {got:?}");
    }
    assert!(lists.asked().is_empty() && files.asked().is_empty());
    for list in [format!("file:{}", lists.url("SUMS")), "file:SUMS".to_owned()] {
        let got = fetch(json!({ "checksum": list, "list": list })).await;
        assert_eq!(answer(&got), "content", "{list}");
    }
}

/// Sealed text becomes the secret in path, headers and body, whatever pieces it comes in; what the
/// server sends back is sealed again.
#[tokio::test]
async fn secrets_are_put_in_place_where_the_step_may_go() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::start(|request| {
        let body = request.rsplit("\r\n\r\n").next().unwrap();
        format!("200 OK\r\ncontent-length: {}\r\nx-back: {SECRET}\r\n\r\n{body}", body.len())
    });
    let origin = format!("http://127.0.0.1:{}", server.port);
    let world = World::new(cache.path(), &[("http", &[&origin])], false);
    for length in ["", "told"] {
        let options = json!({
            "secret": SECRET,
            "url": server.url("x?key=SEALED"),
            "header": "Bearer SEALED",
            "body": ["before SEA", "LED after SEALED", "."],
            "length": length,
            // Backwards nobody masks it: this is what the guest itself has seen.
            "backwards": "yes",
        });
        let got = world.call(Kind::Provisioner, CALL, &options).await;
        let back: String = answer(&got.got).chars().rev().collect();
        assert!(back.starts_with("200 before KILNSEALED") && back.ends_with('.'), "{back}");
        assert!(!back.contains(SECRET), "{back}");
        let asked = server.asked().pop().unwrap();
        assert!(asked.starts_with(&format!("POST /x?key={SECRET} ")), "{asked}");
        assert!(asked.contains(&format!("\r\nx-test: Bearer {SECRET}\r\n")), "{asked}");
        let body = format!("before {SECRET} after {SECRET}.");
        assert!(asked.ends_with(&format!("\r\n\r\n{body}")), "{asked}");
        assert!(asked.contains(&format!("\r\ncontent-length: {}\r\n", body.len())), "{asked}");
        assert!(!format!("{:?} {:?}", got.records, world.log()).contains(SECRET));
    }
}

/// A body that is longer than what is read ahead.
#[tokio::test]
async fn secrets_in_long_bodies_are_put_in_place_too() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::start(|request| {
        let size = request.rsplit("\r\n\r\n").next().unwrap().len().to_string();
        format!("200 OK\r\ncontent-length: {}\r\n\r\n{size}", size.len())
    });
    let origin = format!("http://127.0.0.1:{}", server.port);
    let world = World::new(cache.path(), &[("http", &[&origin])], false);
    let filling = "x".repeat(2 << 20);
    let options =
        json!({ "secret": SECRET, "url": server.url(""), "body": [filling, "SEALED"], "length": "" });
    let got = world.call(Kind::Provisioner, CALL, &options).await;
    assert_eq!(answer(&got.got), format!("200 {}", (2 << 20) + SECRET.len()));
    assert!(server.asked()[0].ends_with(SECRET));
    // Its length was told before the secret was seen: nothing of it may leave.
    let options =
        json!({ "secret": SECRET, "url": server.url(""), "body": [filling, "SEALED"], "length": "told" });
    let got = world.call(Kind::Provisioner, CALL, &options).await;
    assert!(matches!(&got.got, Got::Error(code, _) if code == "http"), "{:?}", got.got);
    assert!(server.asked().is_empty());
}

/// No secret leaves with a request that is refused.
#[tokio::test]
async fn secrets_stay_where_the_step_may_not_go() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::saying("thanks");
    let world = World::new(cache.path(), &[("http", &["http://127.0.0.1:1"])], false);
    let options =
        json!({ "secret": SECRET, "url": server.url("SEALED"), "header": "SEALED", "body": ["SEALED"] });
    let got = world.call(Kind::Provisioner, CALL, &options).await;
    assert!(is_refused(&got.got), "{:?}", got.got);
    assert!(server.asked().is_empty());
    assert!(!format!("{:?} {:?}", got.records, world.warnings()).contains(SECRET));
}

/// Behind a proxy the name is judged as ever, and the proxy does the dialling.
#[tokio::test]
async fn proxies_get_only_what_may_leave() {
    let cache = tempfile::tempdir().unwrap();
    let (proxy, direct) = (Server::saying("by proxy"), Server::saying("direct"));
    let grants: &[(&str, &[&str])] = &[("http", &["http://*.wild.example", "http://10.0.0.1:*"])];
    let world = World::with(cache.path(), grants, false, |options| {
        let url = format!("http://user:a-proxy-password@localhost:{}", proxy.port);
        options.environment.insert("http_proxy".into(), url);
        options.environment.insert("NO_PROXY".into(), "10.0.0.0/8".into());
    });
    for call in [CALL, "download"] {
        // Nobody here knows the name; the proxy does.
        let got = world.call(Kind::Provisioner, call, &to("http://inside.wild.example/x")).await;
        assert!(answer(&got.got).ends_with("by proxy"), "{call}");
        let asked = proxy.asked().pop().unwrap();
        assert!(asked.starts_with("GET http://inside.wild.example/x "), "{asked}");
        assert!(asked.contains("\r\nproxy-authorization: Basic "), "{asked}");
        assert!(!format!("{:?} {:?}", got.records, world.log()).contains("a-proxy-password"));
    }
    assert!(is_refused(&world.call(Kind::Provisioner, CALL, &to("http://inside.test/")).await.got));
    // Designated, and on this machine: no proxy knows that place.
    let options = json!({ "fetch": direct.url(""), "url": direct.url("") });
    assert_eq!(answer(&world.call(Kind::Provisioner, CALL, &options).await.got), "200 direct");
    assert!(proxy.asked().is_empty());
}

/// A proxy that cannot be used is said, not passed by.
#[tokio::test]
async fn a_wrong_proxy_is_an_error() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::saying("direct");
    let origin = format!("http://127.0.0.1:{}", server.port);
    let world = World::with(cache.path(), &[("http", &[&origin])], false, |options| {
        options.environment.insert("HTTPS_PROXY".into(), "socks5://127.0.0.1:1".into());
    });
    assert!(is_refused(&world.call(Kind::Provisioner, CALL, &to(&server.url(""))).await.got));
    assert!(world.warnings()[0].contains("a proxy is written as"));
    assert!(server.asked().is_empty());
}
