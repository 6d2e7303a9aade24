//! Reads scheme, host and port out of a URL in the one normal form that policies see.
//!
//! Invariant: a [`Target`]'s host is what will be dialled; two spellings of one address give the same target.

use std::net::IpAddr;

use url::Host;

use super::EgressError;

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) tls: bool,
    /// Lower case, Punycode, no brackets, no trailing dot.
    pub(crate) host: String,
    /// Set when the host is an address and needs no lookup.
    pub(crate) literal: Option<IpAddr>,
    pub(crate) port: u16,
}

impl Target {
    pub(crate) fn of(uri: &http::Uri) -> Result<Self, EgressError> {
        let invalid = |why: &str| EgressError::InvalidUrl { url: without_userinfo(uri), why: why.to_owned() };
        let tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            Some(_) => return Err(invalid("only http and https are spoken")),
            None => return Err(invalid("it has no scheme, write http:// or https://")),
        };
        let authority = uri.authority().ok_or_else(|| invalid("it has no host"))?;
        if authority.as_str().contains('@') {
            return Err(invalid("user and password do not belong in it, send an authorization header"));
        }
        let port_is_written = authority.as_str().len() > authority.host().len();
        let port = match authority.port_u16() {
            Some(0) => return Err(invalid("port 0 cannot be connected to")),
            Some(port) => port,
            None if port_is_written => return Err(invalid("its port is not a number up to 65535")),
            None if tls => 443,
            None => 80,
        };
        let host = Host::parse(authority.host()).map_err(|e| invalid(&e.to_string()))?;
        let (host, literal) = match host {
            Host::Domain(name) => (name.strip_suffix('.').unwrap_or(&name).to_owned(), None),
            Host::Ipv4(a) => (a.to_string(), Some(IpAddr::V4(a))),
            Host::Ipv6(a) => {
                let a = super::address::canonical(IpAddr::V6(a));
                (a.to_string(), Some(a))
            }
        };
        if host.is_empty() {
            return Err(invalid("it has no host"));
        }
        // "127.0.0.1." lost its dot above and is an address again.
        let literal = literal.or_else(|| host.parse().ok());
        Ok(Self { tls, host, literal, port })
    }

    pub(crate) fn scheme(&self) -> &'static str {
        if self.tls { "https" } else { "http" }
    }

    /// `host:port`, with brackets around IPv6, as CONNECT and messages want it.
    pub(crate) fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// The `Host` header: the port only where it is not the scheme's own (RFC 9110 7.2).
    pub(crate) fn host_header(&self) -> String {
        let usual = if self.tls { 443 } else { 80 };
        let authority = self.authority();
        if self.port == usual {
            authority.strip_suffix(&format!(":{usual}")).unwrap_or(&authority).to_owned()
        } else {
            authority
        }
    }
}

/// Scheme, host and port of an absolute URL, in the form that policies see.
///
/// # Errors
/// [`EgressError::InvalidUrl`] for what no request can be sent to.
pub fn origin_of(uri: &http::Uri) -> Result<(&'static str, String, u16), EgressError> {
    let target = Target::of(uri)?;
    Ok((target.scheme(), target.host, target.port))
}

fn without_userinfo(uri: &http::Uri) -> String {
    let text = uri.to_string();
    match (text.find("://"), uri.authority()) {
        (Some(at), Some(authority)) if authority.as_str().contains('@') => {
            let bare = authority.as_str().rsplit('@').next().unwrap_or_default();
            let rest = text.get(at + 3 + authority.as_str().len()..).unwrap_or_default();
            format!("{}://{bare}{rest}", uri.scheme_str().unwrap_or_default())
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_an_address_is_the_same_target() {
        for text in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0x7f000001/",
            "http://017700000001/",
            "http://0177.0.0.1/",
            "http://127.0.0.1./",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://127.0.0.1:80/",
        ] {
            let target = Target::of(&text.parse().unwrap()).unwrap();
            assert_eq!((target.host.as_str(), target.port), ("127.0.0.1", 80), "{text}");
            assert_eq!(target.literal, Some("127.0.0.1".parse().unwrap()), "{text}");
        }
        let target = Target::of(&"https://EXAMPLE.com.:8443/x".parse().unwrap()).unwrap();
        assert_eq!((target.host.as_str(), target.port, target.tls), ("example.com", 8443, true));
        assert_eq!(target.host_header(), "example.com:8443");
        let six = Target::of(&"https://[2606:4700::1111]/x".parse().unwrap()).unwrap();
        assert_eq!(six.host_header(), "[2606:4700::1111]");
    }

    #[test]
    fn what_is_no_plain_url_is_refused() {
        for text in [
            "ftp://a/",
            "http://user@a/",
            "http://user:pw@a/",
            "http://a:0/",
            "http://a:99999/",
            "http://a:/",
            "/path",
            "http://256.1.1.1/",
        ] {
            let Ok(uri) = text.parse::<http::Uri>() else { continue };
            let error = Target::of(&uri).expect_err(text).to_string();
            assert!(!error.contains("pw"), "{error}");
        }
    }
}
