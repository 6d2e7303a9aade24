//! Name to addresses, addresses to one open TCP connection.
//!
//! Invariant: [`dial`] connects only to addresses in the list it was given, and [`resolve_and_judge`] returns only
//! addresses that the policy allowed.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::address::canonical;
use super::target::Target;
use super::{EgressError, EgressPolicy, classify};

/// More addresses than this of one name are not looked at.
const MAX_ADDRESSES: usize = 32;
/// RFC 8305 section 5: how long the next address waits for the one before it.
const STAGGER: Duration = Duration::from_millis(250);

/// A lookup under way.
pub type Resolving = Pin<Box<dyn Future<Output = std::io::Result<Vec<SocketAddr>>> + Send>>;

/// Turns a name into addresses. Injectable, so that tests can play a hostile DNS server.
pub trait Resolve: Send + Sync {
    /// Looks `host` up once.
    fn resolve(&self, host: String, port: u16) -> Resolving;
}

/// The system's resolver: hosts file, DNS, whatever nsswitch says.
pub(crate) struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, host: String, port: u16) -> Resolving {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }
}

/// Looks the target up once and keeps the addresses that the policy allows.
pub(crate) async fn resolve_and_judge(
    target: &Target,
    policy: &dyn EgressPolicy,
    resolver: &dyn Resolve,
) -> Result<Vec<SocketAddr>, EgressError> {
    let failed = |why: String| EgressError::Resolve { host: target.host.clone(), why };
    let found = match target.literal {
        Some(ip) => vec![SocketAddr::new(ip, target.port)],
        None => {
            resolver.resolve(target.host.clone(), target.port).await.map_err(|e| failed(e.to_string()))?
        }
    };
    let mut allowed = Vec::new();
    let mut refused = None;
    for found in found.into_iter().take(MAX_ADDRESSES) {
        // The port is ours whatever the resolver says.
        let address = SocketAddr::new(canonical(found.ip()), target.port);
        let class = classify(address.ip());
        if !class.is_never_dialled() && policy.allow_address(address.ip(), target.port, &target.host) {
            if !allowed.contains(&address) {
                allowed.push(address);
            }
        } else {
            refused.get_or_insert((address, class));
        }
    }
    match (allowed.is_empty(), refused) {
        (false, _) => Ok(allowed),
        (true, Some((address, class))) => {
            Err(EgressError::AddressDenied { host: target.host.clone(), address, class })
        }
        (true, None) => Err(failed("it has no address".to_owned())),
    }
}

/// Opens a connection to the first of `addresses` that answers; later ones start a quarter second apart.
pub(crate) async fn dial(
    host: &str,
    addresses: Vec<SocketAddr>,
) -> Result<(TcpStream, SocketAddr), EgressError> {
    let mut attempts = JoinSet::new();
    for (place, address) in (0u32..).zip(addresses) {
        attempts.spawn(async move {
            tokio::time::sleep(STAGGER.saturating_mul(place)).await;
            (connect(address).await, address)
        });
    }
    let mut last = None;
    while let Some(finished) = attempts.join_next().await {
        match finished {
            // Dropping the set ends the attempts that are still under way.
            Ok((Ok(stream), address)) => return Ok((stream, address)),
            Ok((Err(source), address)) => {
                last = Some(EgressError::Connect { host: host.to_owned(), address, source })
            }
            Err(_) => {}
        }
    }
    Err(last.unwrap_or_else(|| EgressError::Resolve {
        host: host.to_owned(),
        why: "it has no address".to_owned(),
    }))
}

#[expect(
    clippy::disallowed_methods,
    reason = "this file is the capability to dial; every address was judged"
)]
async fn connect(address: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
