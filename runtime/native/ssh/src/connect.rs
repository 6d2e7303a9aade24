//! Waits for a server and makes one authenticated connection.
//!
//! ```text
//!  dial ──► banner ──► keys ──► authentication ──► Connection
//!   ▲  every second a new one beside the pending ones      │ refused: counted, again after `auth_retry`
//!   └── 250 ms after a failure ◄───────────────────────────┘ no common algorithm, wrong host key: the end
//! ```
//!
//! User-mode networking accepts TCP before the guest listens, so only the `SSH-` banner counts; the first connection
//! that gives one is taken, the others are dropped.

mod handshake;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

use crate::connection::Connection;
use crate::dial::{BoxedStream, Dialer, socks};
use crate::error::{ConnectReport, Error, HandshakeState, Result};
use crate::hostkey::KnownKey;
use crate::options::{ConnectOptions, Login, Proxy};
use crate::wire::{Greeted, read_banner};

/// A new connection is tried this often while older ones are silent.
const PROBE_EVERY: Duration = Duration::from_secs(1);

/// Pause after a refused or broken connection.
const AFTER_FAILURE: Duration = Duration::from_millis(250);

/// Silent connections kept at a time; the oldest gives way.
const PENDING: usize = 10;

/// Where to connect and who to be; a bastion is one target, the machine behind it another.
pub(crate) struct Target<'a> {
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    pub(crate) login: &'a Login,
    pub(crate) known: &'a KnownKey,
    pub(crate) options: &'a ConnectOptions,
}

/// How streams to the target are made.
#[derive(Clone)]
enum Route {
    Direct(Arc<dyn Dialer>),
    Proxy(Arc<dyn Dialer>, Proxy),
    Through(Arc<Connection>),
}

impl Route {
    async fn open(&self, host: &str, port: u16) -> io::Result<BoxedStream> {
        match self {
            Self::Direct(dialer) => dialer.dial(host, port).await,
            Self::Proxy(dialer, proxy) => {
                let mut stream = dialer.dial(&proxy.host, proxy.port).await?;
                socks::connect(&mut stream, proxy, host, port).await?;
                Ok(stream)
            }
            Self::Through(bastion) => {
                let opened = tokio::select! {
                    opened = bastion.handle.channel_open_direct_tcpip(host, u32::from(port), "127.0.0.1", 0) => opened,
                    () = bastion.dead.cancelled() => return Err(io::Error::new(io::ErrorKind::BrokenPipe, "the bastion hung up")),
                };
                let channel = opened.map_err(|error| {
                    io::Error::new(
                        io::ErrorKind::ConnectionRefused,
                        format!("the bastion could not connect: {error}"),
                    )
                })?;
                Ok(Box::new(channel.into_stream()))
            }
        }
    }

    fn bastion(&self) -> Option<Arc<Connection>> {
        match self {
            Self::Through(bastion) => Some(Arc::clone(bastion)),
            _ => None,
        }
    }
}

/// Connects to the machine of `options`, through its bastion or proxy, within `limit`.
pub(crate) async fn establish(
    options: &ConnectOptions,
    known: &KnownKey,
    bastion_known: Option<&KnownKey>,
    limit: Duration,
) -> Result<Connection> {
    let deadline = Instant::now() + limit;
    let target = Target { host: &options.host, port: options.port, login: &options.login, known, options };
    let direct = Route::Direct(Arc::clone(&options.dialer));
    match (&options.bastion, bastion_known, &options.proxy) {
        (Some(bastion), Some(bastion_known), _) => loop {
            let hop = Target {
                host: &bastion.host,
                port: bastion.port,
                login: &bastion.login,
                known: bastion_known,
                options,
            };
            let hop = Arc::new(Waiting::new(hop, direct.clone(), deadline).run().await?);
            let dead = hop.dead.clone();
            let waiting = Waiting::new(target.again(), Route::Through(hop), deadline);
            tokio::select! {
                result = waiting.run() => return result,
                () = dead.cancelled() => {}
            }
        },
        (_, _, Some(proxy)) => {
            let route = Route::Proxy(Arc::clone(&options.dialer), proxy.clone());
            Waiting::new(target, route, deadline).run().await
        }
        _ => Waiting::new(target, direct, deadline).run().await,
    }
}

impl Target<'_> {
    fn again(&self) -> Target<'_> {
        Target { ..*self }
    }
}

type Greeting = io::Result<Greeted>;

fn endpoint(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

struct Waiting<'a> {
    target: Target<'a>,
    route: Route,
    started: Instant,
    deadline: Instant,
    report: ConnectReport,
    connected: Arc<AtomicBool>,
    pending: JoinSet<Greeting>,
    order: VecDeque<AbortHandle>,
}

impl<'a> Waiting<'a> {
    fn new(target: Target<'a>, route: Route, deadline: Instant) -> Self {
        let endpoint = endpoint(target.host, target.port);
        let report = ConnectReport {
            endpoint,
            state: HandshakeState::NeverConnected,
            dialled: 0,
            banners: 0,
            refused: 0,
            elapsed: Duration::ZERO,
            last_error: None,
        };
        Self {
            target,
            route,
            started: Instant::now(),
            deadline,
            report,
            connected: Arc::default(),
            pending: JoinSet::new(),
            order: VecDeque::new(),
        }
    }

    async fn run(mut self) -> Result<Connection> {
        let cancel = self.target.options.cancel.clone();
        let mut next = Instant::now();
        loop {
            tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(Error::Cancelled),
                Some(done) = self.pending.join_next() => {
                    let Ok(greeting) = done else { continue };
                    match greeting {
                        Ok(greeted) => match self.greeted(greeted, &cancel).await? {
                            Ok(connection) => return Ok(connection),
                            Err(pause) => next = Instant::now() + pause,
                        },
                        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                            return Err(self.for_good(error.to_string()));
                        }
                        Err(error) => {
                            self.report.last_error = Some(error.to_string());
                            next = next.min(Instant::now() + AFTER_FAILURE);
                        }
                    }
                }
                () = sleep_until(self.deadline) => return Err(Error::Timeout(self.finish())),
                () = sleep_until(next) => {
                    self.probe();
                    next = Instant::now() + PROBE_EVERY;
                }
            }
        }
    }

    /// Starts one more connection, at the cost of the oldest silent one if there are too many.
    fn probe(&mut self) {
        self.order.retain(|handle| !handle.is_finished());
        if self.order.len() >= PENDING
            && let Some(oldest) = self.order.pop_front()
        {
            oldest.abort();
        }
        let (route, host, port) = (self.route.clone(), self.target.host.to_owned(), self.target.port);
        let connected = Arc::clone(&self.connected);
        self.report.dialled += 1;
        self.order.push_back(self.pending.spawn(async move {
            let stream = route.open(&host, port).await?;
            connected.store(true, Ordering::Relaxed);
            read_banner(stream).await
        }));
    }

    /// Goes on with a server that answered. The inner `Err` is the pause before the next try.
    async fn greeted(
        &mut self,
        greeted: Greeted,
        cancel: &tokio_util::sync::CancellationToken,
    ) -> Result<Result<Connection, Duration>> {
        self.pending.abort_all();
        self.pending = JoinSet::new();
        self.order.clear();
        self.report.banners += 1;
        self.advance(HandshakeState::Banner { server: greeted.server.clone() });
        let options = self.target.options;
        let limit = options.timeouts.handshake.min(Duration::from_secs(60));
        let until = self.deadline.min(Instant::now() + limit);
        let result = tokio::select! {
            () = cancel.cancelled() => return Err(Error::Cancelled),
            () = sleep_until(until) => Err(handshake::Failure::again(HandshakeState::Keys, "the handshake took too long")),
            result = handshake::run(greeted, &self.target, self.route.bastion()) => result,
        };
        let failure = match result {
            Ok(connection) => return Ok(Ok(connection)),
            Err(failure) => failure,
        };
        self.report.last_error = Some(failure.reason.clone());
        match failure.kind {
            handshake::Kind::Error(error) => Err(error),
            handshake::Kind::ForGood => Err(self.for_good(failure.reason)),
            handshake::Kind::Again(state) => {
                self.advance(state);
                Ok(Err(AFTER_FAILURE))
            }
            handshake::Kind::Refused(state) => {
                self.report.refused += 1;
                self.report.state = state;
                if self.report.refused >= options.handshake_attempts {
                    return Err(Error::Authentication(self.finish()));
                }
                Ok(Err(options.timeouts.auth_retry))
            }
        }
    }

    fn advance(&mut self, state: HandshakeState) {
        if state > self.report.state {
            self.report.state = state;
        }
    }

    fn finish(&mut self) -> Box<ConnectReport> {
        if self.connected.load(Ordering::Relaxed) {
            self.advance(HandshakeState::ConnectedNoBanner);
        }
        self.report.elapsed = self.started.elapsed();
        Box::new(self.report.clone())
    }

    fn for_good(&mut self, reason: String) -> Error {
        Error::Handshake { reason, report: self.finish() }
    }
}
