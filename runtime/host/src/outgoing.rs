//! The way out of kiln, for guests and for downloads alike: the user's proxies, the resolver, and
//! which addresses a name may lead to.

use crate::host::HostOptions;
use kiln_content::egress::{
    AddressClass, Egress, EgressError, EgressPolicy, EgressSettings, ProxySettings, Resolve, classify,
};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

/// Turns names into addresses; the system does unless the program that uses this library says.
#[derive(Clone)]
pub struct Resolver(pub Arc<dyn Resolve>);

impl std::fmt::Debug for Resolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Resolver(..)")
    }
}

/// A way out under `policy`.
pub(crate) fn egress(
    options: &HostOptions,
    policy: impl EgressPolicy + 'static,
) -> Result<Egress, EgressError> {
    let mut settings = EgressSettings { proxy: proxies(&options.environment), ..EgressSettings::default() };
    if let Some(Resolver(resolver)) = &options.resolver {
        settings.resolver = resolver.clone();
    }
    Egress::new(Arc::new(policy), settings)
}

/// Where a name may lead of which the user said nothing more: to public addresses. An address that
/// was written as one is meant, and so is `localhost`; but a name that leads into the private
/// network says nothing of what the user meant by it. A cloud's metadata is nobody's to ask.
pub(crate) fn may_lead_to(address: IpAddr, name: &str) -> bool {
    match classify(address) {
        AddressClass::Public => true,
        AddressClass::Metadata => false,
        AddressClass::Loopback if name == "localhost" => true,
        _ => name.parse::<IpAddr>().is_ok(),
    }
}

/// The proxies of the variables that other programs read too, in either case of letters.
fn proxies(environment: &BTreeMap<String, String>) -> ProxySettings {
    let read = |name: &str| {
        let names = [name.to_ascii_uppercase(), name.to_owned()];
        let found = names.iter().filter_map(|name| environment.get(name));
        found.map(|value| value.trim()).find(|value| !value.is_empty()).map(str::to_owned)
    };
    let bypass = read("no_proxy").unwrap_or_default();
    ProxySettings {
        http: read("http_proxy"),
        https: read("https_proxy"),
        bypass: bypass.split([',', ' ']).filter(|rule| !rule.is_empty()).map(str::to_owned).collect(),
    }
}

/// The passwords in the addresses of proxies: nobody's to see.
pub(crate) fn proxy_passwords(environment: &BTreeMap<String, String>) -> Vec<String> {
    let settings = proxies(environment);
    [settings.http, settings.https]
        .into_iter()
        .flatten()
        .filter_map(|proxy| Some(proxy.rsplit_once('@')?.0.rsplit_once(':')?.1.to_owned()))
        .filter(|password| !password.starts_with("//"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn names_lead_to_public_addresses_and_literals_to_themselves() {
        for (address, name, leads) in [
            ("8.8.8.8", "a.example", true),
            ("10.0.0.1", "a.example", false),
            ("127.0.0.1", "a.example", false),
            ("169.254.1.1", "a.example", false),
            ("::1", "localhost", true),
            ("10.0.0.1", "localhost", false),
            ("10.0.0.1", "10.0.0.1", true),
            ("127.0.0.1", "127.0.0.1", true),
            ("169.254.169.254", "169.254.169.254", false),
            ("169.254.169.254", "localhost", false),
        ] {
            assert_eq!(may_lead_to(address.parse().unwrap(), name), leads, "{name} {address}");
        }
    }

    #[test]
    fn proxies_are_read_in_either_case() {
        let settings = proxies(&environment(&[
            ("HTTP_PROXY", "http://u:p%40@a:1"),
            ("http_proxy", "b:2"),
            ("HTTPS_PROXY", " "),
            ("https_proxy", "c:3"),
            ("NO_PROXY", "x, .y,,10.0.0.0/8"),
        ]));
        assert_eq!(settings.http.as_deref(), Some("http://u:p%40@a:1"));
        assert_eq!(settings.https.as_deref(), Some("c:3"));
        assert_eq!(settings.bypass, ["x", ".y", "10.0.0.0/8"]);
        let passwords = |proxy| proxy_passwords(&environment(&[("http_proxy", proxy)]));
        assert_eq!(passwords("http://u:p:w@a:1"), ["w"]);
        assert_eq!(passwords("u:secret@a"), ["secret"]);
        assert_eq!(passwords("http://u@a:1"), [""; 0]);
        assert_eq!(passwords("http://a:1"), [""; 0]);
    }
}
