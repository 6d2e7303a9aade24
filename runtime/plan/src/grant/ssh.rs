//! `ssh` targets: a network in CIDR notation and a port: `10.0.0.0/8:22`, `192.0.2.7:22`,
//! `[2001:db8::/32]:*`.

use std::fmt;
use std::net::IpAddr;

/// One target of the `ssh` grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SshPattern {
    network: IpAddr,
    bits: u8,
    port: Option<u16>,
}

impl SshPattern {
    /// Reads a target.
    ///
    /// # Errors
    /// In words, what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (network, port) = text.rsplit_once(':').ok_or("needs a port: `10.0.0.0/8:22`")?;
        let network = match network.strip_prefix('[') {
            Some(inner) => inner.strip_suffix(']').ok_or("has `[` without `]`")?,
            None if network.contains(':') => return Err("must have an IPv6 network in brackets"),
            None => network,
        };
        let port = match port {
            "*" => None,
            digits => Some(digits.parse().ok().filter(|p| *p != 0).ok_or("has a port that is not one")?),
        };
        let (address, bits) = match network.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (network, None),
        };
        let address: IpAddr = address.parse().map_err(|_| "must be an address or a network, not a name")?;
        let all = width(address);
        let bits = match bits {
            None => all,
            Some(bits) => {
                bits.parse().ok().filter(|b| *b <= all).ok_or("has a prefix length that is not one")?
            }
        };
        Ok(Self { network: address, bits, port })
    }

    /// Whether a connection to this address is covered. IPv4 in IPv6 counts as IPv4.
    pub fn matches(&self, address: IpAddr, port: u16) -> bool {
        let address = address.to_canonical();
        width(address) == width(self.network)
            && self.port.is_none_or(|only| only == port)
            && masked(address, self.bits) == masked(self.network, self.bits)
    }
}

impl fmt::Display for SshPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = self.port.map_or_else(|| "*".to_owned(), |port| port.to_string());
        match self.network {
            IpAddr::V4(network) => write!(f, "{network}/{}:{port}", self.bits),
            IpAddr::V6(network) => write!(f, "[{network}/{}]:{port}", self.bits),
        }
    }
}

/// One address and port as a target.
pub(super) fn write(address: IpAddr, port: u16) -> String {
    match address {
        IpAddr::V4(address) => format!("{address}/32:{port}"),
        IpAddr::V6(address) => format!("[{address}/128]:{port}"),
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The first `bits` bits, left-aligned in 128.
fn masked(address: IpAddr, bits: u8) -> u128 {
    let value = match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    };
    match bits {
        0 => 0,
        bits => value & (u128::MAX << (128 - u32::from(bits.min(128)))),
    }
}
