//! The little file server that installers fetch their answers from: [`HttpServer`].
//!
//! Serves a directory (through a handle that cannot be left, also not by a symbolic link) or a map of
//! texts. HTTP/1, GET and HEAD, one range. Everything is bounded: connections, headers, the time until
//! a request is complete, the life of a connection; the last 100 requests are kept, because "what did
//! the guest ask for" is the first question about an installation that hangs.
//! Invariant: after [`HttpServer::stop`], or when it is dropped, the port is closed and no task remains.

mod answer;
mod file_body;

use answer::Answer;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// At once; more wait in the kernel's queue.
const CONNECTIONS: usize = 128;
const HEADER_BYTES: usize = 16 * 1024;
const HEADER_TIME: Duration = Duration::from_secs(30);
/// Longer than any installer fetches one file.
const CONNECTION_TIME: Duration = Duration::from_secs(4 * 60 * 60);
/// What a transfer may still take when the server stops.
const STOPPING: Duration = Duration::from_secs(1);
const REMEMBERED: usize = 100;

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpServerError {
    /// All taken.
    #[error("no free port for the http server between {low} and {high} on {bind}")]
    NoFreePort {
        /// Range, inclusive.
        low: u16,
        /// Range, inclusive.
        high: u16,
        /// Address.
        bind: IpAddr,
    },
    /// The address is not ours, or the port needs privileges.
    #[error("the http server cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// The system's reason.
        source: std::io::Error,
    },
}

/// What is served.
#[derive(Debug, Clone)]
pub enum HttpContent {
    /// `http_directory`.
    Directory(Arc<cap_std::fs::Dir>),
    /// `http_content`: paths such as `/preseed.cfg` and texts.
    Texts(Arc<BTreeMap<String, Vec<u8>>>),
}

/// How it is served.
#[derive(Debug, Clone)]
pub struct HttpServerOptions {
    /// `http_bind_address`.
    pub bind: IpAddr,
    /// `http_port_min` to `http_port_max`.
    pub ports: RangeInclusive<u16>,
}

impl Default for HttpServerOptions {
    fn default() -> Self {
        Self { bind: IpAddr::V4(Ipv4Addr::UNSPECIFIED), ports: 8000..=9000 }
    }
}

/// A request that was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedRequest {
    /// When.
    pub time: SystemTime,
    /// Such as `GET`.
    pub method: String,
    /// As asked, without the query, at most 1 KiB.
    pub path: String,
    /// Of the answer.
    pub status: u16,
    /// Who asked.
    pub remote: SocketAddr,
}

#[derive(Debug, Default)]
struct Log {
    last: VecDeque<ServedRequest>,
}

#[derive(Debug)]
struct Shared {
    content: HttpContent,
    log: Mutex<Log>,
    count: watch::Sender<u64>,
}

/// A running server.
#[derive(Debug)]
pub struct HttpServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl HttpServer {
    /// Listens on the first free port from a random place in the range, and serves.
    ///
    /// # Errors
    /// [`HttpServerError`].
    pub async fn start(options: &HttpServerOptions, content: HttpContent) -> Result<Self, HttpServerError> {
        let (listener, address) = listen(options).await?;
        let (count, _) = watch::channel(0);
        let shared = Arc::new(Shared { content, log: Mutex::default(), count });
        let stop = CancellationToken::new();
        let task = tokio::spawn(serve(listener, Arc::clone(&shared), stop.clone()));
        Ok(Self { address, shared, stop, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The last 100 requests, oldest first.
    pub fn requests(&self) -> Vec<ServedRequest> {
        let log = self.shared.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.last.iter().cloned().collect()
    }

    /// How many requests were answered; changes wake the receiver ("the guest fetched its answers").
    pub fn count(&self) -> watch::Receiver<u64> {
        self.shared.count.subscribe()
    }

    /// Stops listening, lets transfers go on for a second, ends them.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let _ = tokio::time::timeout(STOPPING * 2, &mut self.task).await;
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        // Aborting the task drops its listener and its set of connections.
        self.task.abort();
    }
}

#[expect(clippy::disallowed_methods, reason = "a server listens; where is the caller's decision")]
async fn listen(options: &HttpServerOptions) -> Result<(TcpListener, SocketAddr), HttpServerError> {
    let (low, high) = (u32::from(*options.ports.start()), u32::from(*options.ports.end()));
    let count = (high + 1).saturating_sub(low);
    let start = crate::qemu::random_below(count);
    for step in 0..count {
        let port = u16::try_from(low + (start + step) % count).unwrap_or(u16::MAX);
        let address = SocketAddr::new(options.bind, port);
        match TcpListener::bind(address).await {
            Ok(listener) => {
                let address = listener.local_addr().unwrap_or(address);
                return Ok((listener, address));
            }
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {}
            Err(source) => return Err(HttpServerError::Listen { address, source }),
        }
    }
    let (low, high) = (*options.ports.start(), *options.ports.end());
    Err(HttpServerError::NoFreePort { low, high, bind: options.bind })
}

async fn serve(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = async {
            let permit = Arc::clone(&room).acquire_owned().await;
            (listener.accept().await, permit)
        };
        tokio::select! {
            () = stop.cancelled() => break,
            (accepted, permit) = accepted => match accepted {
                Ok((stream, remote)) => {
                    let connection = serve_connection(stream, remote, Arc::clone(&shared), stop.clone());
                    connections.spawn(async move {
                        let _ = tokio::time::timeout(CONNECTION_TIME, connection).await;
                        drop(permit);
                    });
                }
                // Out of descriptors: the kernel keeps the caller in its queue meanwhile.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
        }
    }
    drop(listener);
    let _ = tokio::time::timeout(STOPPING, async { while connections.join_next().await.is_some() {} }).await;
}

async fn serve_connection(
    stream: TcpStream,
    remote: SocketAddr,
    shared: Arc<Shared>,
    stop: CancellationToken,
) {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let shared = Arc::clone(&shared);
        async move {
            let answer = answer::answer(&request, &shared.content).await;
            shared.remember(&request, &answer, remote);
            Ok::<_, std::convert::Infallible>(answer)
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_buf_size(HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%remote, %error, "http connection ended");
    }
}

impl Shared {
    fn remember(&self, request: &hyper::Request<Incoming>, answer: &Answer, remote: SocketAddr) {
        let entry = ServedRequest {
            time: SystemTime::now(),
            method: request.method().as_str().chars().take(16).collect(),
            path: request.uri().path().chars().take(1024).collect(),
            status: answer.status().as_u16(),
            remote,
        };
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        while log.last.len() >= REMEMBERED {
            log.last.pop_front();
        }
        log.last.push_back(entry);
        drop(log);
        self.count.send_modify(|count| *count = count.saturating_add(1));
    }
}
