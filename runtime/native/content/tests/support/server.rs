//! A real HTTP/1.1 server whose answers a test decides, and a resolver that a test plays.
#![allow(dead_code, unreachable_pub, reason = "each test file includes this one and uses its part")]

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kiln_content::egress::{
    AddressClass, Egress, EgressPolicy, EgressSettings, PolicyFns, Resolve, Resolving, Timeouts, classify,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// What was asked: method and target, and headers.
pub type Asked = Arc<Mutex<Vec<(String, HeaderMap)>>>;
pub type Answer = Response<Full<Bytes>>;

/// Serves `answer` until the test's runtime ends.
pub async fn serve(answer: impl Fn(&Request<()>) -> Answer + Send + Sync + 'static) -> (SocketAddr, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (asked, answer) = (Asked::default(), Arc::new(answer));
    let seen = asked.clone();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (seen, answer) = (seen.clone(), answer.clone());
            tokio::spawn(async move {
                let service = service_fn(move |request: Request<Incoming>| {
                    let (seen, answer) = (seen.clone(), answer.clone());
                    async move {
                        let (parts, body) = request.into_parts();
                        body.collect().await?;
                        let request = Request::from_parts(parts, ());
                        seen.lock().unwrap().push((
                            format!("{} {}", request.method(), request.uri()),
                            request.headers().clone(),
                        ));
                        Ok::<_, hyper::Error>(answer(&request))
                    }
                });
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    (address, asked)
}

/// One raw answer: bytes to send, then what to do with the connection.
pub struct Raw {
    pub bytes: Vec<u8>,
    pub stay_open: bool,
}

/// Gives the next of `answers` to each connection, byte for byte; hyper would not lie this way.
pub async fn serve_raw(answers: Vec<Raw>) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (seen, mut answers) = (asked.clone(), VecDeque::from(answers));
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Some(answer) = answers.pop_front() {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                match stream.read_u8().await {
                    Ok(byte) => head.push(byte),
                    Err(_) => break,
                }
            }
            seen.lock().unwrap().push(String::from_utf8_lossy(&head).to_lowercase());
            let _ = stream.write_all(&answer.bytes).await;
            let _ = stream.flush().await;
            if answer.stay_open {
                open.push(stream);
            }
        }
        std::future::pending::<()>().await;
    });
    (address, asked)
}

pub fn raw(head: &str, body: &[u8]) -> Raw {
    Raw {
        bytes: [format!("{}\r\n\r\n", head.trim().replace('\n', "\r\n")).as_bytes(), body].concat(),
        stay_open: false,
    }
}

/// A file server with ranges and an ETag.
pub fn ranged(request: &Request<()>, data: &[u8], etag: &str) -> Answer {
    let header = |name| request.headers().get(name).and_then(|v: &http::HeaderValue| v.to_str().ok());
    if header("if-none-match") == Some(etag) {
        return Response::builder().status(StatusCode::NOT_MODIFIED).body(Full::default()).unwrap();
    }
    let start =
        header("range").and_then(|r| r.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
    match start.filter(|_| header("if-range").is_none_or(|tag| tag == etag)) {
        Some(start) if start < data.len() => Response::builder()
            .status(StatusCode::PARTIAL_CONTENT)
            .header("etag", etag)
            .header("content-range", format!("bytes {start}-{}/{}", data.len() - 1, data.len()))
            .body(Full::from(data[start..].to_vec()))
            .unwrap(),
        Some(_) => Response::builder()
            .status(StatusCode::RANGE_NOT_SATISFIABLE)
            .header("content-range", format!("bytes */{}", data.len()))
            .body(Full::default())
            .unwrap(),
        None => Response::builder().header("etag", etag).body(Full::from(data.to_vec())).unwrap(),
    }
}

pub fn redirect(to: &str) -> Answer {
    Response::builder().status(StatusCode::FOUND).header("location", to).body(Full::default()).unwrap()
}

pub fn plain(text: impl Into<Bytes>) -> Answer {
    Response::new(Full::new(text.into()))
}

/// Answers each lookup of a name with the next list; the last one stays.
pub struct Played {
    pub answers: Mutex<VecDeque<Vec<IpAddr>>>,
    pub lookups: Mutex<Vec<String>>,
}

impl Played {
    pub fn new(answers: &[&[&str]]) -> Arc<Self> {
        let answers =
            answers.iter().map(|list| list.iter().map(|ip| ip.parse().unwrap()).collect()).collect();
        Arc::new(Self { answers: Mutex::new(answers), lookups: Mutex::default() })
    }
}

impl Resolve for Played {
    fn resolve(&self, host: String, port: u16) -> Resolving {
        self.lookups.lock().unwrap().push(host);
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        let answer = answer.unwrap_or_default().into_iter().map(|ip| SocketAddr::new(ip, port)).collect();
        Box::pin(async move { Ok(answer) })
    }
}

/// Everything but metadata is allowed: the tests' servers are on loopback.
pub fn loopback_policy() -> Arc<dyn EgressPolicy> {
    Arc::new(PolicyFns {
        name: |_: &str, _: &str, _| true,
        address: |ip, _, _: &str| classify(ip) == AddressClass::Loopback,
    })
}

pub fn quick() -> Timeouts {
    let limit = std::time::Duration::from_millis(400);
    Timeouts { connect: limit, tls: limit, first_byte: limit, idle: limit }
}

pub fn egress() -> Egress {
    Egress::new(loopback_policy(), EgressSettings { timeouts: quick(), ..EgressSettings::default() }).unwrap()
}

pub fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
