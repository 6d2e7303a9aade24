//! What the caller decides about outgoing traffic: policy, deadlines, extra trust, proxies, resolver.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::dial::{Resolve, SystemResolver};

/// Says where a request may go. Asked for every request, every redirect and every address.
pub trait EgressPolicy: Send + Sync {
    /// Asked first, before any lookup. `scheme` is `http` or `https`; `host` is lower case, in Punycode, without a
    /// trailing dot or brackets, and every spelling of an IPv4 address (`0x7f.1`, `2130706433`) is in dotted form.
    fn allow_name(&self, scheme: &str, host: &str, port: u16) -> bool;

    /// Asked for each address that the name stands for; IPv4-mapped addresses come as IPv4. [`super::classify`] tells
    /// what lies behind one. Unspecified and multicast addresses are refused without asking.
    fn allow_address(&self, address: IpAddr, port: u16, name: &str) -> bool;
}

/// A policy made of two closures.
pub struct PolicyFns<N, A> {
    /// As [`EgressPolicy::allow_name`].
    pub name: N,
    /// As [`EgressPolicy::allow_address`].
    pub address: A,
}

impl<N, A> EgressPolicy for PolicyFns<N, A>
where
    N: Fn(&str, &str, u16) -> bool + Send + Sync,
    A: Fn(IpAddr, u16, &str) -> bool + Send + Sync,
{
    fn allow_name(&self, scheme: &str, host: &str, port: u16) -> bool {
        (self.name)(scheme, host, port)
    }

    fn allow_address(&self, address: IpAddr, port: u16, name: &str) -> bool {
        (self.address)(address, port, name)
    }
}

/// Deadlines of one request. Every one is finite, so that nothing waits for ever.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// Lookup and TCP connection together.
    pub connect: Duration,
    /// The TLS handshake.
    pub tls: Duration,
    /// From the last byte of the request that was handed over to the response's headers.
    pub first_byte: Duration,
    /// Between two pieces of the response's body.
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            tls: Duration::from_secs(30),
            first_byte: Duration::from_secs(300),
            idle: Duration::from_secs(300),
        }
    }
}

/// Proxies, from explicit settings only; this crate never reads the environment.
#[derive(Clone, Debug, Default)]
pub struct ProxySettings {
    /// Proxy for `http://` URLs, as `http://[user:password@]host:port`.
    pub http: Option<String>,
    /// Proxy for `https://` URLs (reached by CONNECT), in the same form.
    pub https: Option<String>,
    /// Hosts that are dialled directly: `*`, a name (which covers its subdomains), `.suffix`, an address, or a CIDR block.
    pub bypass: Vec<String>,
}

/// Everything about outgoing traffic except the policy.
#[derive(Clone)]
pub struct EgressSettings {
    /// PEM certificates trusted beside Mozilla's.
    pub extra_roots_pem: Vec<Vec<u8>>,
    /// Proxies. A proxy resolves names by itself, so behind one a name is judged by what it means here as far as it
    /// resolves here; the proxy's own address is the user's setting, and only a cloud's metadata and what nobody
    /// can dial is refused.
    pub proxy: ProxySettings,
    /// How names become addresses.
    pub resolver: Arc<dyn Resolve>,
    /// Deadlines where a request brings none of its own.
    pub timeouts: Timeouts,
    /// Sent when the request has no `User-Agent`.
    pub user_agent: String,
}

impl Default for EgressSettings {
    fn default() -> Self {
        Self {
            extra_roots_pem: Vec::new(),
            proxy: ProxySettings::default(),
            resolver: Arc::new(SystemResolver),
            timeouts: Timeouts::default(),
            user_agent: concat!("kiln/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}
