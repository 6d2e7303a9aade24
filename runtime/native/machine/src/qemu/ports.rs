//! Free ports: a random start in the range, then the first that can be bound. QEMU binds it itself, so
//! between our test and its bind somebody may take it; the caller starts QEMU again with another.

#![expect(clippy::disallowed_methods, reason = "whether a port is free is seen by binding it")]

use super::VmError;
use std::net::{IpAddr, TcpListener};
use std::ops::RangeInclusive;

/// A random number below `limit`.
pub(crate) fn random_below(limit: u32) -> u32 {
    getrandom::u32().unwrap_or_else(|_| std::process::id()) % limit.max(1)
}

/// A free TCP port of `bind` that is not among `taken`.
pub(crate) fn free_port(bind: IpAddr, range: &RangeInclusive<u16>, taken: &[u16]) -> Result<u16, VmError> {
    let (low, high) = (u32::from(*range.start()), u32::from(*range.end()));
    let count = (high + 1).saturating_sub(low);
    let start = random_below(count);
    (0..count)
        .filter_map(|step| u16::try_from(low + (start + step) % count).ok())
        .filter(|port| !taken.contains(port))
        .find(|port| TcpListener::bind((bind, *port)).is_ok())
        .ok_or(VmError::NoFreePort { low: *range.start(), high: *range.end() })
}
