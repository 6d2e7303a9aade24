//! The filtered client against real servers and a resolver that lies.
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

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Empty, Full, StreamBody};
use kiln_content::egress::{
    AddressClass, Egress, EgressError, EgressPolicy, EgressSettings, PolicyFns, ProxySettings, Timeouts,
    classify,
};
use server::{Played, loopback_policy, plain, quick, redirect, serve};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

fn settings(resolver: Arc<Played>) -> EgressSettings {
    EgressSettings { timeouts: quick(), resolver, ..EgressSettings::default() }
}

fn get(url: &str) -> Request<Empty<Bytes>> {
    Request::get(url).body(Empty::new()).unwrap()
}

async fn text(sent: kiln_content::egress::Sent) -> String {
    String::from_utf8(sent.response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

fn public_only() -> Arc<dyn EgressPolicy> {
    Arc::new(PolicyFns {
        name: |_: &str, _: &str, _| true,
        address: |ip: IpAddr, _, _: &str| classify(ip) == AddressClass::Public,
    })
}

#[tokio::test]
async fn a_refused_name_is_not_even_looked_up() {
    let resolver = Played::new(&[&["127.0.0.1"]]);
    let policy = Arc::new(PolicyFns {
        name: |scheme: &str, host: &str, port| (scheme, host, port) == ("http", "good.example", 80),
        address: |_, _, _: &str| true,
    });
    let egress = Egress::new(policy, settings(resolver.clone())).unwrap();
    for url in [
        "http://evil.example/",
        "https://good.example/",
        "http://good.example:81/",
        "http://xgood.example/",
        "http://good.example.evil/",
        "http://127.0.0.1/",
    ] {
        let error = egress.send(get(url), None).await.err().unwrap();
        assert!(matches!(error, EgressError::NameDenied { .. }), "{url}: {error}");
    }
    assert!(resolver.lookups.lock().unwrap().is_empty());
    // Other spellings of the good name are the good name.
    for url in ["http://GOOD.example./", "http://good.example:80/"] {
        let error = egress.send(get(url), None).await.err().unwrap();
        assert!(matches!(error, EgressError::Connect { .. }), "{url}: {error}");
    }
}

#[tokio::test]
async fn names_of_private_addresses_are_refused_in_every_spelling() {
    let refused = [
        "10.0.0.1",
        "127.0.0.1",
        "0.0.0.0",
        "169.254.169.254",
        "::1",
        "::",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "fd00:ec2::254",
        "fe80::1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "192.168.1.1",
        "100.64.0.1",
        "224.0.0.1",
    ];
    for address in refused {
        let egress = Egress::new(public_only(), settings(Played::new(&[&[address]]))).unwrap();
        let error = egress.send(get("http://rebind.example/"), None).await.err().unwrap();
        assert!(matches!(error, EgressError::AddressDenied { .. }), "{address}: {error}");
    }
    let egress = Egress::new(public_only(), settings(Played::new(&[&["1.1.1.1"]]))).unwrap();
    for host in [
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::]",
        "0",
        "0.0.0.0",
        "2852039166",
        "169.254.169.254.",
        "[fd00:ec2::254]",
    ] {
        let error = egress.send(get(&format!("http://{host}/")), None).await.err().unwrap();
        assert!(matches!(error, EgressError::AddressDenied { .. }), "{host}: {error}");
    }
    let all = Arc::new(PolicyFns { name: |_: &str, _: &str, _| true, address: |_, _, _: &str| true });
    let egress = Egress::new(all, settings(Played::new(&[&["0.0.0.0"]]))).unwrap();
    for host in ["zero.example", "0.0.0.0", "[::]", "224.0.0.1", "255.255.255.255", "[ff02::1]"] {
        let error = egress.send(get(&format!("http://{host}/")), None).await.err().unwrap();
        assert!(matches!(error, EgressError::AddressDenied { .. }), "{host}: {error}");
    }
}

#[tokio::test]
async fn a_name_that_rebinds_between_check_and_dial_gains_nothing() {
    let (address, asked) = serve(|_| plain("inside")).await;
    // The first answer is allowed and dead, the second would be the server.
    let resolver = Played::new(&[&["127.0.0.9"], &["127.0.0.1"]]);
    let judged = Arc::new(Mutex::new(Vec::new()));
    let heard = judged.clone();
    let policy = Arc::new(PolicyFns {
        name: |_: &str, _: &str, _| true,
        address: move |ip: IpAddr, _, name: &str| {
            heard.lock().unwrap().push(format!("{name} {ip}"));
            ip.to_string() == "127.0.0.9"
        },
    });
    let egress = Egress::new(policy, settings(resolver.clone())).unwrap();
    let url = format!("http://rebind.example:{}/", address.port());
    let error = egress.send(get(&url), None).await.err().unwrap();
    assert!(
        matches!(&error, EgressError::Connect { address, .. } if address.ip().to_string() == "127.0.0.9"),
        "{error}"
    );
    assert_eq!(resolver.lookups.lock().unwrap().len(), 1);
    assert_eq!(*judged.lock().unwrap(), ["rebind.example 127.0.0.9"]);
    // The next request looks up and judges again.
    assert!(matches!(egress.send(get(&url), None).await.err().unwrap(), EgressError::AddressDenied { .. }));
    assert!(asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn of_several_addresses_only_allowed_ones_are_dialled() {
    let (address, _) = serve(|_| plain("ok")).await;
    let resolver = Played::new(&[&["10.0.0.1", "169.254.169.254", "127.0.0.9", "127.0.0.1"]]);
    let egress = Egress::new(loopback_policy(), settings(resolver)).unwrap();
    let sent = egress.send(get(&format!("http://many.example:{}/", address.port())), None).await.unwrap();
    assert_eq!(sent.address, address);
    assert_eq!(text(sent).await, "ok");
}

#[tokio::test]
async fn redirects_are_judged_by_name_again() {
    let (address, asked) =
        serve(|r| if r.uri().path() == "/" { redirect("http://other.example/") } else { plain("") }).await;
    let resolver = Played::new(&[&["127.0.0.1"]]);
    let policy = Arc::new(PolicyFns {
        name: |_: &str, host: &str, _| host == "first.example",
        address: |_, _, _: &str| true,
    });
    let egress = Egress::new(policy, settings(resolver.clone())).unwrap();
    let error = egress
        .get(&format!("http://first.example:{}/", address.port()), HeaderMap::new())
        .await
        .err()
        .unwrap();
    assert!(matches!(&error, EgressError::NameDenied { host, .. } if host == "other.example"), "{error}");
    assert_eq!((asked.lock().unwrap().len(), resolver.lookups.lock().unwrap().len()), (1, 1));
}

#[tokio::test]
async fn the_request_on_the_wire_has_our_host_and_no_smuggled_headers() {
    let (address, asked) = serve(|_| plain("")).await;
    let egress = Egress::new(loopback_policy(), settings(Played::new(&[&["127.0.0.1"]]))).unwrap();
    let request = Request::post(format!("http://A.example:{}/x?y=1#z", address.port()))
        .header("host", "internal.example")
        .header("connection", "keep-alive, x-secret")
        .header("proxy-authorization", "Basic eA==")
        .header("x-mine", "1")
        .body(Full::new(Bytes::from_static(b"body")))
        .unwrap();
    text(egress.send(request, None).await.unwrap()).await;
    let asked = asked.lock().unwrap();
    let (line, headers) = &asked[0];
    assert_eq!(line, "POST /x?y=1");
    assert_eq!(headers["host"], format!("a.example:{}", address.port()).as_str());
    assert_eq!(
        (&headers["connection"], &headers["x-mine"], &headers["content-length"]),
        (&"close".parse().unwrap(), &"1".parse().unwrap(), &"4".parse().unwrap())
    );
    assert!(!headers.contains_key("proxy-authorization"));
    assert!(headers["user-agent"].to_str().unwrap().starts_with("kiln/"));
}

#[tokio::test]
async fn a_long_upload_is_not_mistaken_for_a_silent_server() {
    let (address, _) = serve(|_| plain("done")).await;
    let egress = Egress::new(loopback_policy(), settings(Played::new(&[&["127.0.0.1"]]))).unwrap();
    let (send, receive) = tokio::sync::mpsc::channel::<Bytes>(1);
    tokio::spawn(async move {
        for _ in 0..8 {
            tokio::time::sleep(Duration::from_millis(150)).await;
            send.send(Bytes::from_static(b"piece")).await.unwrap();
        }
    });
    let body = StreamBody::new(Pieces(receive));
    let request = Request::put(format!("http://h.example:{}/", address.port())).body(body).unwrap();
    assert_eq!(text(egress.send(request, None).await.unwrap()).await, "done");
}

struct Pieces(tokio::sync::mpsc::Receiver<Bytes>);

impl futures_core::Stream for Pieces {
    type Item = Result<http_body::Frame<Bytes>, std::convert::Infallible>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.0.poll_recv(cx).map(|piece| piece.map(|piece| Ok(http_body::Frame::data(piece))))
    }
}

#[tokio::test]
async fn every_wait_has_an_end() {
    // Accepts and says nothing: TLS cannot be agreed on, HTTP gets no answer.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let limit = Duration::from_millis(300);
    let limits = Timeouts { connect: limit, tls: limit, first_byte: limit, idle: limit };
    let egress = Egress::new(loopback_policy(), settings(Played::new(&[&["127.0.0.1"]]))).unwrap();
    for (url, wanted) in [
        (format!("https://h.example:{port}/"), "agree on TLS"),
        (format!("http://h.example:{port}/"), "answer"),
    ] {
        let error = egress.send(get(&url), Some(limits)).await.err().unwrap();
        assert!(matches!(&error, EgressError::Timeout { phase, .. } if *phase == wanted), "{error}");
    }
    struct Never;
    impl kiln_content::egress::Resolve for Never {
        fn resolve(&self, _: String, _: u16) -> kiln_content::egress::Resolving {
            Box::pin(std::future::pending())
        }
    }
    let egress = Egress::new(
        loopback_policy(),
        EgressSettings { resolver: Arc::new(Never), timeouts: limits, ..EgressSettings::default() },
    )
    .unwrap();
    let error = egress.send(get("http://h.example/"), None).await.err().unwrap();
    assert!(matches!(&error, EgressError::Timeout { phase: "connect", .. }), "{error}");
}

#[tokio::test]
async fn tls_checks_the_name_and_trusts_extra_roots() {
    let key = rcgen::generate_simple_self_signed(vec!["good.example".into()]).unwrap();
    let config = tokio_rustls::rustls::ServerConfig::builder_with_provider(Arc::new(
        tokio_rustls::rustls::crypto::ring::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_no_client_auth()
    .with_single_cert(
        vec![key.cert.der().clone()],
        tokio_rustls::rustls::pki_types::PrivateKeyDer::try_from(key.signing_key.serialize_der()).unwrap(),
    )
    .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let names = Arc::new(Mutex::new(Vec::new()));
    let seen = names.clone();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            seen.lock().unwrap().push(stream.get_ref().1.server_name().unwrap_or_default().to_owned());
            let mut head = [0; 4096];
            let _ = stream.read(&mut head).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecure").await;
            let _ = stream.shutdown().await;
        }
    });
    let pem = key.cert.pem().into_bytes();
    let with_root = EgressSettings { extra_roots_pem: vec![pem], ..settings(Played::new(&[&["127.0.0.1"]])) };
    let egress = Egress::new(loopback_policy(), with_root).unwrap();
    let sent = egress.send(get(&format!("https://good.example:{port}/")), None).await.unwrap();
    assert_eq!(text(sent).await, "secure");
    assert_eq!(*names.lock().unwrap(), ["good.example"]);
    for (egress, host) in [
        (egress, "bad.example"),
        (Egress::new(loopback_policy(), settings(Played::new(&[&["127.0.0.1"]]))).unwrap(), "good.example"),
    ] {
        let error = egress.send(get(&format!("https://{host}:{port}/")), None).await.err().unwrap();
        assert!(matches!(error, EgressError::Tls { .. }), "{host}: {error}");
    }
    assert!(matches!(
        Egress::new(
            loopback_policy(),
            EgressSettings {
                extra_roots_pem: vec![
                    b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec()
                ],
                ..EgressSettings::default()
            }
        ),
        Err(EgressError::Settings(_))
    ));
}

#[tokio::test]
async fn a_proxy_gets_what_it_needs_and_denied_names_never_reach_it() {
    let (address, asked) = serve(|_| plain("by proxy")).await;
    let proxy = ProxySettings {
        http: Some(format!("http://u:p@{address}")),
        https: Some(format!("http://{address}")),
        bypass: vec![],
    };
    let policy = Arc::new(PolicyFns {
        name: |_: &str, host: &str, _| host != "denied.example",
        address: |ip: IpAddr, _, _: &str| classify(ip) == AddressClass::Public,
    });
    let egress =
        Egress::new(policy, EgressSettings { proxy, timeouts: quick(), ..EgressSettings::default() })
            .unwrap();
    let sent = egress.send(get("http://8.8.8.8/x"), None).await.unwrap();
    assert_eq!(text(sent).await, "by proxy");
    assert_eq!(asked.lock().unwrap()[0].0, "GET http://8.8.8.8/x");
    assert_eq!(asked.lock().unwrap()[0].1["proxy-authorization"], "Basic dTpw");
    for url in ["http://denied.example/", "http://10.0.0.1/", "https://169.254.169.254/"] {
        assert!(egress.send(get(url), None).await.is_err(), "{url}");
    }
    assert_eq!(asked.lock().unwrap().len(), 1);
    // This server is no tunnel: TLS through it fails, and says so.
    assert!(egress.send(get("https://8.8.8.8/"), None).await.is_err());
    assert_eq!(asked.lock().unwrap()[1].0, "CONNECT 8.8.8.8:443");
}

/// A proxy at an address that is none, and a name that only the proxy knows.
#[tokio::test]
async fn a_proxy_is_dialled_where_one_can_be() {
    let (address, asked) = serve(|_| plain("by proxy")).await;
    struct Fails;
    impl kiln_content::egress::Resolve for Fails {
        fn resolve(&self, host: String, port: u16) -> kiln_content::egress::Resolving {
            Box::pin(async move {
                let ip = match host.as_str() {
                    "proxy.example" => "127.0.0.1",
                    "metadata.example" => "169.254.169.254",
                    "nowhere.example" => "0.0.0.0",
                    _ => return Err(std::io::Error::other("nobody knows it")),
                };
                Ok(vec![std::net::SocketAddr::new(ip.parse().unwrap(), port)])
            })
        }
    }
    let through = |proxy: &str| {
        let http = Some(format!("http://{proxy}:{}", address.port()));
        let proxy = ProxySettings { http, ..ProxySettings::default() };
        let resolver = Arc::new(Fails);
        let settings = EgressSettings { proxy, resolver, timeouts: quick(), ..EgressSettings::default() };
        Egress::new(public_only(), settings).unwrap()
    };
    let sent = through("proxy.example").send(get("http://inside.example/"), None).await.unwrap();
    assert_eq!(text(sent).await, "by proxy");
    for proxy in ["metadata.example", "nowhere.example"] {
        let error = through(proxy).send(get("http://inside.example/"), None).await.err().unwrap();
        assert!(matches!(error, EgressError::Proxy { .. }), "{proxy}: {error}");
    }
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn dropping_the_body_ends_the_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let ended = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = [0; 4096];
        let _ = stream.read(&mut head).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n").await.unwrap();
        while stream.write_all(&[0; 65536]).await.is_ok() {}
    });
    let egress = Egress::new(loopback_policy(), settings(Played::new(&[&["127.0.0.1"]]))).unwrap();
    let sent = egress.send(get(&format!("http://h.example:{port}/")), None).await.unwrap();
    drop(sent.response);
    tokio::time::timeout(Duration::from_secs(5), ended).await.unwrap().unwrap();
    assert!(sent.connection.ended().await.is_err());
}
