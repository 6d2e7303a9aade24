//! What can go wrong between a request and its response, told apart so that a host can map each to its own code.

use std::net::SocketAddr;
use std::time::Duration;

use super::AddressClass;

/// Why a request was not sent, or its answer did not arrive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EgressError {
    /// The URL cannot be used: no host, an unknown scheme, userinfo in it.
    #[error("cannot use the URL {url}: {why}")]
    InvalidUrl {
        /// The URL, without userinfo.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The policy refused the name; nothing was looked up.
    #[error("access to {scheme}://{host}:{port} is not allowed")]
    NameDenied {
        /// `http` or `https`.
        scheme: String,
        /// Lower-case name or canonical address.
        host: String,
        /// The port.
        port: u16,
    },
    /// The name is allowed, but every address it stands for was refused.
    #[error("{host} stands for {address}, a {class} address, which is not allowed")]
    AddressDenied {
        /// The name.
        host: String,
        /// The first address refused.
        address: SocketAddr,
        /// Its class.
        class: AddressClass,
    },
    /// The name has no address, or the lookup failed.
    #[error("cannot look up {host}: {why}")]
    Resolve {
        /// The name.
        host: String,
        /// The resolver's words.
        why: String,
    },
    /// No judged address accepted a connection.
    #[error("cannot connect to {host} at {address}: {source}")]
    Connect {
        /// The name.
        host: String,
        /// The address tried last.
        address: SocketAddr,
        /// The system's error.
        source: std::io::Error,
    },
    /// The TLS handshake failed, most often because the certificate is not trusted or is for another name.
    #[error("TLS with {host} failed: {source}")]
    Tls {
        /// The name that was asked for.
        host: String,
        /// The reason.
        source: std::io::Error,
    },
    /// A certificate, root or proxy setting could not be used.
    #[error("cannot use the network settings: {0}")]
    Settings(String),
    /// The proxy did not open a tunnel.
    #[error("the proxy {proxy} refused a tunnel to {host}: {why}")]
    Proxy {
        /// Host and port of the proxy.
        proxy: String,
        /// Host and port asked for.
        host: String,
        /// Its answer.
        why: String,
    },
    /// A deadline passed.
    #[error("{host} took longer than {limit:?} to {phase}")]
    Timeout {
        /// The name.
        host: String,
        /// What was waited for: `connect`, `agree on TLS`, `answer`, `send more`.
        phase: &'static str,
        /// The limit that passed.
        limit: Duration,
    },
    /// More redirects than the bound.
    #[error("{url} redirects more than {limit} times")]
    TooManyRedirects {
        /// Where it began.
        url: String,
        /// The bound.
        limit: usize,
    },
    /// A redirect to something that is not http or https, or without a usable location.
    #[error("{url} redirects to {location}, which is not followed: {why}")]
    BadRedirect {
        /// The page that redirects.
        url: String,
        /// Where to.
        location: String,
        /// Why not.
        why: &'static str,
    },
    /// HTTP went wrong on an open connection: reset, truncated, malformed.
    #[error("HTTP with {host} failed: {source}")]
    Http {
        /// The name.
        host: String,
        /// hyper's error.
        source: hyper::Error,
    },
    /// The caller cancelled.
    #[error("cancelled")]
    Cancelled,
}
