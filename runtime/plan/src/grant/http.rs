//! `http` targets: scheme, host and port patterns.
//!
//! A target is an origin: `https://api.example.com`, `http://10.0.0.5:8080`, `https://*.example.com`,
//! `https://host:*`. A leading `*.` covers names below, at any depth, never the name itself and
//! never an address. There is no pattern for every host.

use std::fmt;
use std::net::IpAddr;

/// One target of the `http` grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpPattern {
    scheme: String,
    host: String,
    below: bool,
    port: Option<u16>,
}

impl HttpPattern {
    /// Reads a target.
    ///
    /// # Errors
    /// In words, what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = text.split_once("://").ok_or("must begin with http:// or https://")?;
        if !matches!(scheme, "http" | "https") {
            return Err("must begin with http:// or https://");
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '?', '#', '@', '\\', '%'])
            || rest.chars().any(|c| c.is_whitespace() || c.is_control())
        {
            return Err("must be an origin: scheme, host and port, no path and no user");
        }
        let (host, port) = split_port(rest)?;
        let port = match port {
            None => Some(default_port(scheme)),
            Some("*") => None,
            Some(digits) => {
                Some(digits.parse().ok().filter(|p| *p != 0).ok_or("has a port that is not one")?)
            }
        };
        let (below, host) = match host.strip_prefix("*.") {
            Some(name) => (true, name),
            None => (false, host),
        };
        if host.is_empty() || host.contains('*') {
            return Err("may have one `*.` at the start of a host name, and needs a name after it");
        }
        if below && (host.parse::<IpAddr>().is_ok() || !host.contains('.')) {
            return Err("may have `*.` only before a name of two parts or more");
        }
        Ok(Self { scheme: scheme.to_owned(), host: normal(host), below, port })
    }

    /// Whether a request to this host and port is covered.
    pub fn matches(&self, scheme: &str, host: &str, port: u16) -> bool {
        let host = normal(host);
        let named = if self.below {
            host.parse::<IpAddr>().is_err()
                && host.strip_suffix(&self.host).is_some_and(|front| front.len() > 1 && front.ends_with('.'))
        } else {
            host == self.host
        };
        named && scheme == self.scheme && self.port.is_none_or(|only| only == port)
    }
}

impl fmt::Display for HttpPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = if self.below { format!("*.{}", self.host) } else { self.host.clone() };
        match self.port {
            Some(port) => f.write_str(&write(&self.scheme, &host, Some(port))),
            None => write!(f, "{}:*", write(&self.scheme, &host, None)),
        }
    }
}

/// An origin, the default port left out.
pub(super) fn write(scheme: &str, host: &str, port: Option<u16>) -> String {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    match port.filter(|port| *port != default_port(scheme)) {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    }
}

fn default_port(scheme: &str) -> u16 {
    if scheme == "https" { 443 } else { 80 }
}

/// Lower case, no trailing dot, addresses in their one form.
fn normal(host: &str) -> String {
    let host = host.trim_matches(['[', ']']);
    if let Ok(address) = host.parse::<IpAddr>() {
        return address.to_canonical().to_string();
    }
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

fn split_port(text: &str) -> Result<(&str, Option<&str>), &'static str> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or("has `[` without `]`")?;
        return match after.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if after.is_empty() => Ok((host, None)),
            None => Err("has text after `]`"),
        };
    }
    match text.split_once(':') {
        Some((_, port)) if port.contains(':') => Err("must have an IPv6 address in brackets"),
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((text, None)),
    }
}
