//! Chooses a proxy for a target, and opens a CONNECT tunnel through it (RFC 9110 section 9.3.6).
//!
//! Invariant: the proxy comes from explicit settings, and its answer is read byte-wise up to a bound, so nothing of the
//! tunnelled stream is lost and a babbling proxy is not followed.

use std::net::IpAddr;

use base64::Engine as _;
use http::HeaderValue;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::target::Target;
use super::{EgressError, ProxySettings};

/// The longest answer to CONNECT that is read.
const MAX_ANSWER: usize = 16 * 1024;

/// One usable proxy.
#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) authorization: Option<HeaderValue>,
}

/// The settings, parsed and checked.
#[derive(Clone, Debug)]
pub(crate) struct Proxies {
    http: Option<Proxy>,
    https: Option<Proxy>,
    bypass: Vec<String>,
}

impl Proxies {
    pub(crate) fn new(settings: &ProxySettings) -> Result<Self, EgressError> {
        Ok(Self {
            http: settings.http.as_deref().map(parse).transpose()?,
            https: settings.https.as_deref().map(parse).transpose()?,
            bypass: settings
                .bypass
                .iter()
                .map(|rule| rule.trim().to_ascii_lowercase())
                .filter(|r| !r.is_empty())
                .collect(),
        })
    }

    pub(crate) fn of(&self, target: &Target) -> Option<&Proxy> {
        let proxy = if target.tls { self.https.as_ref() } else { self.http.as_ref() }?;
        // Loopback is this machine; a proxy's loopback is another one's.
        let local = target.host == "localhost" || target.literal.is_some_and(|ip| ip.is_loopback());
        (!local && !self.bypass.iter().any(|rule| matches(rule, target))).then_some(proxy)
    }
}

fn matches(rule: &str, target: &Target) -> bool {
    if let (Some(ip), Some((net, bits))) = (target.literal, rule.split_once('/')) {
        return matches!((net.parse(), bits.parse()), (Ok(net), Ok(bits)) if in_block(ip, net, bits));
    }
    let (rule, port) = match rule.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') => (name, port.parse::<u16>().ok()),
        _ => (rule, None),
    };
    if port.is_some_and(|port| port != target.port) {
        return false;
    }
    let name = rule.trim_start_matches("*.").trim_start_matches('.');
    rule == "*"
        || target.host == name
        || target.host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'))
}

fn in_block(ip: IpAddr, net: IpAddr, bits: u32) -> bool {
    let cut = |value: u128, width: u32| if bits == 0 { 0 } else { value >> (width - bits.min(width)) };
    match (ip, net) {
        (IpAddr::V4(a), IpAddr::V4(b)) => cut(a.to_bits().into(), 32) == cut(b.to_bits().into(), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => cut(a.to_bits(), 128) == cut(b.to_bits(), 128),
        _ => false,
    }
}

fn parse(text: &str) -> Result<Proxy, EgressError> {
    let with_scheme = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let wrong = || {
        EgressError::Settings(
            "a proxy is written as http://[user:password@]host:port; other kinds are not spoken".to_owned(),
        )
    };
    let url = url::Url::parse(&with_scheme).map_err(|_| wrong())?;
    if url.scheme() != "http" {
        return Err(wrong());
    }
    let host = url.host_str().ok_or_else(wrong)?.trim_matches(['[', ']']).to_owned();
    let authorization = match (url.username(), url.password()) {
        ("", None) => None,
        (user, password) => Some(basic(user, password.unwrap_or_default()).ok_or_else(wrong)?),
    };
    Ok(Proxy { host, port: url.port().unwrap_or(80), authorization })
}

/// A Basic credential (RFC 7617) of percent-encoded parts, marked sensitive.
pub(crate) fn basic(user: &str, password: &str) -> Option<HeaderValue> {
    let decode = |text: &str| percent_decode(text);
    let token = base64::engine::general_purpose::STANDARD
        .encode([&decode(user)[..], b":", &decode(password)].concat());
    let mut value = HeaderValue::from_str(&format!("Basic {token}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The bytes that a percent-encoded text stands for; a stray `%` stands for itself.
pub(crate) fn percent_decode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail
            .get(..2)
            .and_then(|h| std::str::from_utf8(h).ok())
            .and_then(|h| u8::from_str_radix(h, 16).ok());
        match (first, hex) {
            (b'%', Some(byte)) => {
                out.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                out.push(first);
                rest = tail;
            }
        }
    }
    out
}

impl Proxy {
    pub(crate) fn name(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Asks for a tunnel to `target` and reads the answer up to its empty line.
    pub(crate) async fn tunnel(&self, stream: &mut TcpStream, target: &Target) -> Result<(), EgressError> {
        let failed = |why: String| EgressError::Proxy { proxy: self.name(), host: target.authority(), why };
        let mut ask = format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n", target.authority()).into_bytes();
        if let Some(value) = &self.authorization {
            ask.extend_from_slice(b"Proxy-Authorization: ");
            ask.extend_from_slice(value.as_bytes());
            ask.extend_from_slice(b"\r\n");
        }
        ask.extend_from_slice(b"\r\n");
        stream.write_all(&ask).await.map_err(|e| failed(e.to_string()))?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            if answer.len() >= MAX_ANSWER {
                return Err(failed("its answer is too long".to_owned()));
            }
            answer.push(stream.read_u8().await.map_err(|e| failed(e.to_string()))?);
        }
        let text = String::from_utf8_lossy(&answer);
        let line = text.lines().next().unwrap_or_default();
        let status = line.split(' ').nth(1).unwrap_or_default();
        if status.len() == 3 && status.starts_with('2') {
            Ok(())
        } else {
            Err(failed(line.chars().take(200).collect()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bypass_rules_name_hosts_suffixes_addresses_and_blocks() {
        let settings = |bypass: &str| ProxySettings {
            http: Some("http://u:p%40@proxy:3128".into()),
            https: None,
            bypass: bypass.split(',').map(str::to_owned).collect(),
        };
        let uses = |bypass: &str, url: &str| {
            let proxies = Proxies::new(&settings(bypass)).unwrap();
            proxies.of(&Target::of(&url.parse().unwrap()).unwrap()).map(Proxy::name)
        };
        for (bypass, url, proxied) in [
            ("", "http://a.example/", true),
            ("example", "http://a.example/", false),
            (".example", "http://a.example/", false),
            ("*.example", "http://a.example/", false),
            ("ample", "http://a.example/", true),
            ("*", "http://x/", false),
            ("10.0.0.0/8", "http://10.1.2.3/", false),
            ("10.0.0.0/8", "http://11.1.2.3/", true),
            ("10.0.0.0/0", "http://11.1.2.3/", false),
            ("a:81", "http://a/", true),
            ("a:80", "http://a/", false),
            ("", "http://127.0.0.1/", false),
            ("", "https://a/", false),
        ] {
            assert_eq!(uses(bypass, url).is_some(), proxied, "{bypass} {url}");
        }
        let proxies = Proxies::new(&settings("")).unwrap();
        assert_eq!(proxies.http.unwrap().authorization.unwrap(), "Basic dTpwQA==");
        assert!(
            Proxies::new(&ProxySettings { http: Some("socks5://x".into()), ..Default::default() }).is_err()
        );
    }
}
