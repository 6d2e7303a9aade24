//! Classifies IP addresses by what lies behind them, so that a policy can speak of "public" or "metadata".
//!
//! Invariant: an IPv6 form that carries an IPv4 address (mapped, compatible, translated by NAT64, 6to4, Teredo) is judged
//! as the address it carries, so no spelling of an address gets a kinder class than another.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What lies behind an address, by the IANA special-purpose registries (RFC 6890) and the clouds' metadata addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AddressClass {
    /// Globally routable.
    Public,
    /// This machine: `127.0.0.0/8`, `::1`.
    Loopback,
    /// RFC 1918, and RFC 4193 `fc00::/7`.
    Private,
    /// Shared between a carrier's customers: `100.64.0.0/10` (RFC 6598).
    Shared,
    /// One link only: `169.254.0.0/16`, `fe80::/10`, the deprecated `fec0::/10`.
    LinkLocal,
    /// Where a cloud hands out an instance's credentials: `169.254.169.254` and the others.
    Metadata,
    /// `0.0.0.0/8` and `::`, which systems dial as this machine. Never dialled.
    Unspecified,
    /// Multicast and broadcast. Never dialled.
    Multicast,
    /// Documentation, benchmarks, protocol assignments, and what is reserved for the future.
    Reserved,
}

impl AddressClass {
    /// No policy can allow these: nothing useful answers there, and `0.0.0.0` is loopback under another name.
    #[must_use]
    pub fn is_never_dialled(self) -> bool {
        matches!(self, Self::Unspecified | Self::Multicast)
    }
}

impl fmt::Display for AddressClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "public",
            Self::Loopback => "loopback",
            Self::Private => "private",
            Self::Shared => "shared (carrier-grade NAT)",
            Self::LinkLocal => "link-local",
            Self::Metadata => "cloud metadata",
            Self::Unspecified => "unspecified",
            Self::Multicast => "multicast",
            Self::Reserved => "reserved",
        })
    }
}

/// The class of `address`; an embedded IPv4 address decides for the IPv6 form around it.
#[must_use]
pub fn classify(address: IpAddr) -> AddressClass {
    match address {
        IpAddr::V4(v4) => classify_v4(v4),
        IpAddr::V6(v6) => match embedded_v4(v6) {
            Some(v4) => classify_v4(v4),
            None => classify_v6(v6),
        },
    }
}

/// The address in the one form that policies see: an IPv4-mapped IPv6 address becomes IPv4.
pub(crate) fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

fn classify_v4(a: Ipv4Addr) -> AddressClass {
    match a.octets() {
        // AWS, Azure, GCP, OpenStack, DigitalOcean; AWS ECS tasks and EKS pods; Alibaba; Azure's wire server; Oracle.
        [169, 254, 169, 254]
        | [169, 254, 170, 2 | 23]
        | [100, 100, 100, 200]
        | [168, 63, 129, 16]
        | [192, 0, 0, 192] => AddressClass::Metadata,
        [0, ..] => AddressClass::Unspecified,
        [127, ..] => AddressClass::Loopback,
        [10, ..] | [192, 168, ..] => AddressClass::Private,
        [172, second, ..] if (16..32).contains(&second) => AddressClass::Private,
        [100, second, ..] if (64..128).contains(&second) => AddressClass::Shared,
        [169, 254, ..] => AddressClass::LinkLocal,
        [255, 255, 255, 255] => AddressClass::Multicast,
        [first, ..] if (224..240).contains(&first) => AddressClass::Multicast,
        [first, ..] if first >= 240 => AddressClass::Reserved,
        [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _] | [192, 88, 99, _] => {
            AddressClass::Reserved
        }
        [198, 18 | 19, ..] => AddressClass::Reserved,
        _ => AddressClass::Public,
    }
}

fn classify_v6(a: Ipv6Addr) -> AddressClass {
    // fd00:ec2::254 (AWS over IPv6), fd00:ec2::23 (EKS), fd20:ce::254 (GCP), fd00:c1::a9fe:a9fe (Oracle).
    let metadata = [
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254],
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23],
        [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254],
        [0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe],
    ];
    let s = a.segments();
    if metadata.contains(&s) {
        return AddressClass::Metadata;
    }
    match s {
        [0, 0, 0, 0, 0, 0, 0, 0] => AddressClass::Unspecified,
        [0, 0, 0, 0, 0, 0, 0, 1] => AddressClass::Loopback,
        [first, ..] if first & 0xff00 == 0xff00 => AddressClass::Multicast,
        [first, ..] if first & 0xffc0 == 0xfe80 || first & 0xffc0 == 0xfec0 => AddressClass::LinkLocal,
        [first, ..] if first & 0xfe00 == 0xfc00 => AddressClass::Private,
        // 2001:db8::/32 and 3fff::/20 are documentation, the rest of 2001::/23 protocol assignments.
        [0x2001, second, ..] if second == 0xdb8 || second < 0x200 => AddressClass::Reserved,
        [0x3fff, second, ..] if second < 0x1000 => AddressClass::Reserved,
        // Only 2000::/3 is allocated for global unicast.
        [first, ..] if first & 0xe000 == 0x2000 => AddressClass::Public,
        _ => AddressClass::Reserved,
    }
}

/// The IPv4 address that a packet to `a` could end up at, if `a` is one of the forms that carry one.
fn embedded_v4(a: Ipv6Addr) -> Option<Ipv4Addr> {
    let join = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        Ipv4Addr::new(a, b, c, d)
    };
    match a.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        // ::a.b.c.d (deprecated), ::ffff:a.b.c.d (mapped), ::ffff:0:a.b.c.d (SIIT), 64:ff9b::a.b.c.d (NAT64).
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x64, 0xff9b, 1, _, _, _, high, low] => Some(join(high, low)),
        // 6to4 carries it behind the prefix; Teredo carries the client's, inverted, at the end.
        [0x2002, high, low, ..] => Some(join(high, low)),
        [0x2001, 0, _, _, _, _, high, low] => Some(join(!high, !low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table is as long as what it tells apart")]
    fn every_kind_of_address_has_its_class() {
        use AddressClass::*;
        let table = [
            ("8.8.8.8", Public),
            ("1.1.1.1", Public),
            ("172.15.255.255", Public),
            ("172.32.0.0", Public),
            ("11.0.0.0", Public),
            ("9.255.255.255", Public),
            ("100.63.255.255", Public),
            ("100.128.0.0", Public),
            ("169.253.255.255", Public),
            ("169.255.0.0", Public),
            ("192.167.255.255", Public),
            ("192.169.0.0", Public),
            ("223.255.255.255", Public),
            ("198.17.255.255", Public),
            ("198.20.0.0", Public),
            ("128.0.0.1", Public),
            ("127.0.0.1", Loopback),
            ("127.255.255.254", Loopback),
            ("127.1.2.3", Loopback),
            ("10.0.0.1", Private),
            ("10.255.255.255", Private),
            ("172.16.0.0", Private),
            ("172.31.255.255", Private),
            ("192.168.0.1", Private),
            ("100.64.0.0", Shared),
            ("100.127.255.255", Shared),
            ("169.254.0.1", LinkLocal),
            ("169.254.169.253", LinkLocal),
            ("169.254.169.254", Metadata),
            ("169.254.170.2", Metadata),
            ("169.254.170.23", Metadata),
            ("100.100.100.200", Metadata),
            ("168.63.129.16", Metadata),
            ("192.0.0.192", Metadata),
            ("0.0.0.0", Unspecified),
            ("0.1.2.3", Unspecified),
            ("224.0.0.1", Multicast),
            ("239.255.255.255", Multicast),
            ("255.255.255.255", Multicast),
            ("240.0.0.1", Reserved),
            ("192.0.2.1", Reserved),
            ("198.51.100.1", Reserved),
            ("203.0.113.9", Reserved),
            ("198.18.0.1", Reserved),
            ("198.19.255.255", Reserved),
            ("192.0.0.1", Reserved),
            ("2606:4700::1111", Public),
            ("2a00::1", Public),
            ("3ffe::1", Public),
            ("::1", Loopback),
            ("::", Unspecified),
            ("fc00::1", Private),
            ("fdff::1", Private),
            ("fe80::1", LinkLocal),
            ("febf::1", LinkLocal),
            ("fec0::1", LinkLocal),
            ("fd00:ec2::254", Metadata),
            ("fd00:ec2::23", Metadata),
            ("fd20:ce::254", Metadata),
            ("fd00:ec2::255", Private),
            ("ff02::1", Multicast),
            ("2001:db8::1", Reserved),
            ("3fff::1", Reserved),
            ("100::1", Reserved),
            ("4000::1", Reserved),
            ("::ffff:127.0.0.1", Loopback),
            ("::ffff:10.0.0.1", Private),
            ("::ffff:8.8.8.8", Public),
            ("::ffff:0.0.0.0", Unspecified),
            ("::ffff:169.254.169.254", Metadata),
            ("::127.0.0.1", Loopback),
            ("::ffff:0:10.1.1.1", Private),
            ("64:ff9b::a9fe:a9fe", Metadata),
            ("64:ff9b::808:808", Public),
            ("64:ff9b:1::7f00:1", Loopback),
            ("2002:7f00:1::", Loopback),
            ("2002:a00:1::1", Private),
            ("2002:808:808::1", Public),
            ("2001:0:1:2:3:4:80ff:fffe", Loopback),
            ("2001:0:1:2:3:4:5601:5601", Metadata),
        ];
        assert!(table.len() >= 70);
        for (text, class) in table {
            assert_eq!(classify(text.parse().unwrap()), class, "{text}");
        }
    }
}
