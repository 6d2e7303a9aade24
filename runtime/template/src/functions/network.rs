//! CIDR ranges.

use super::Shape::{Number, Text};
use super::{Call, Failure, Function, MANY, wrong};
use crate::value::Val;
use crate::value::types::Type;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("cidrhost", (2, 2), &[Text, Number], Type::Text, cidrhost),
    Function::new("cidrnetmask", (1, 1), &[Text], Type::Text, cidrnetmask),
    Function::new("cidrsubnet", (3, 3), &[Text, Number, Number], Type::Text, cidrsubnet),
    Function::new("cidrsubnets", (1, MANY), &[Text, Number], Type::Dynamic, cidrsubnets),
];

/// An address range. Version 4 addresses are in the low 32 bits.
#[derive(Clone, Copy)]
struct Range {
    address: u128,
    length: u32,
    bits: u32,
}

impl Range {
    fn parse(c: &Call<'_, '_>) -> Result<Self, Failure> {
        let text = c.text(0)?;
        let bad = || wrong(0, format!("\"{text}\" is not a range such as 10.0.0.0/8"));
        let (address, length) = text.split_once('/').ok_or_else(bad)?;
        let (address, bits) = match address.parse::<IpAddr>().map_err(|_| bad())? {
            IpAddr::V4(v4) => (u128::from(v4.to_bits()), 32),
            IpAddr::V6(v6) => (v6.to_bits(), 128),
        };
        let length: u32 = length.parse().ok().filter(|l| *l <= bits).ok_or_else(bad)?;
        let host = bits - length;
        let network = address.checked_shr(host).unwrap_or(0).checked_shl(host).unwrap_or(0);
        Ok(Self { address: network, length, bits })
    }

    /// The size as a power of two.
    fn host_bits(self) -> u32 {
        self.bits - self.length
    }

    fn show(self, address: u128) -> String {
        match self.bits {
            32 => Ipv4Addr::from_bits(u32::try_from(address).unwrap_or(0)).to_string(),
            _ => Ipv6Addr::from_bits(address).to_string(),
        }
    }

    /// The subnet `number` with `new_bits` more bits.
    fn subnet(self, new_bits: u32, number: u128) -> Option<Self> {
        let length = self.length.checked_add(new_bits).filter(|l| *l <= self.bits)?;
        if new_bits < 128 && number.checked_shr(new_bits).unwrap_or(0) != 0 {
            return None;
        }
        let offset = number.checked_shl(self.bits - length).unwrap_or(0);
        Some(Self { address: self.address | offset, length, bits: self.bits })
    }
}

fn cidrhost(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let range = Range::parse(c)?;
    let number = i128::from(c.whole(1)?);
    let size = 1u128.checked_shl(range.host_bits());
    let too_large = || wrong(1, format!("the range has only 2^{} addresses", range.host_bits()));
    let offset = match (u128::try_from(number), size) {
        (Ok(number), Some(size)) if number >= size => return Err(too_large()),
        (Ok(number), _) => number,
        // Negative numbers count from the end.
        (Err(_), Some(size)) => size.checked_sub(number.unsigned_abs()).ok_or_else(too_large)?,
        (Err(_), None) => u128::MAX - number.unsigned_abs() + 1,
    };
    Ok(Val::text(range.show(range.address + offset)))
}

fn cidrnetmask(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let range = Range::parse(c)?;
    let whole = u128::MAX >> (128 - range.bits);
    let mask = whole & u128::MAX.checked_shl(range.host_bits()).unwrap_or(0);
    Ok(Val::text(range.show(mask)))
}

fn cidrsubnet(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let range = Range::parse(c)?;
    let new_bits = u32::try_from(c.size(1)?).unwrap_or(u32::MAX);
    let number = c.size(2)? as u128;
    let subnet = range.subnet(new_bits, number).ok_or_else(|| {
        wrong(2, format!("/{} has no subnet {number} with {new_bits} more bits", range.length))
    })?;
    Ok(Val::text(format!("{}/{}", subnet.show(subnet.address), subnet.length)))
}

/// Subnets of the sizes given, one behind the other, each aligned to its size.
fn cidrsubnets(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let range = Range::parse(c)?;
    let mut next = range.address;
    let mut full = false;
    let mut subnets = Vec::new();
    for at in 1..c.len() {
        let new_bits = u32::try_from(c.size(at)?).unwrap_or(u32::MAX);
        let length = range.length.saturating_add(new_bits);
        if new_bits == 0 || new_bits > 32 || length > range.bits {
            return Err(wrong(at, format!("a /{} cannot be extended by {new_bits} bits", range.length)));
        }
        let host = range.bits - length;
        let size = 1u128.checked_shl(host).unwrap_or(0);
        let aligned = next.checked_next_multiple_of(size.max(1)).filter(|_| !full);
        let inside = aligned.filter(|a| (a ^ range.address).checked_shr(range.host_bits()).unwrap_or(0) == 0);
        let address = inside.ok_or_else(|| wrong(at, "there is no space left in the range"))?;
        subnets.push(format!("{}/{length}", range.show(address)));
        match address.checked_add(size) {
            Some(after) => next = after,
            None => full = true,
        }
    }
    Ok(Val::texts(subnets))
}
