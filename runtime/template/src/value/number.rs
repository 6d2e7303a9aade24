//! Numbers: exact decimals of at most 155 digits, which is what cty's 512 bits hold.

use bigdecimal::{BigDecimal, RoundingMode, Signed, ToPrimitive, Zero};
use std::fmt;
use std::str::FromStr;

/// Digits that are kept.
const DIGITS: u64 = 155;
/// The largest exponent; beyond it a number is refused, since its text would be a bomb.
const MAX_SCALE: i64 = 10_000;

/// A number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Num(BigDecimal);

impl From<usize> for Num {
    fn from(n: usize) -> Self {
        Self(BigDecimal::from(n as u64))
    }
}

impl From<i64> for Num {
    fn from(n: i64) -> Self {
        Self(BigDecimal::from(n))
    }
}

impl Num {
    /// Reads `12`, `-1.5`, `1e3`; nothing else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let well_formed =
            text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'));
        if !well_formed || text.len() > 10_000 || !text.bytes().any(|b| b.is_ascii_digit()) {
            return None;
        }
        Self::bounded(BigDecimal::from_str(text).ok()?)
    }

    pub(crate) fn from_f64(n: f64) -> Option<Self> {
        if !n.is_finite() {
            return None;
        }
        // The shortest text that reads back as the same float is what users expect of it.
        Self::parse(&format!("{n:e}"))
    }

    /// Rounds to the digits that are kept; `None` if it is too large or too small.
    fn bounded(n: BigDecimal) -> Option<Self> {
        let n = if n.digits() > DIGITS { n.with_prec(DIGITS) } else { n };
        let n = n.normalized();
        let (_, scale) = n.as_bigint_and_exponent();
        (scale.abs() <= MAX_SCALE).then_some(Self(n))
    }

    pub(crate) fn add(&self, other: &Self) -> Option<Self> {
        Self::bounded(&self.0 + &other.0)
    }

    pub(crate) fn sub(&self, other: &Self) -> Option<Self> {
        Self::bounded(&self.0 - &other.0)
    }

    pub(crate) fn mul(&self, other: &Self) -> Option<Self> {
        Self::bounded(&self.0 * &other.0)
    }

    /// `None` for a division by zero.
    pub(crate) fn div(&self, other: &Self) -> Option<Self> {
        if other.0.is_zero() { None } else { Self::bounded(&self.0 / &other.0) }
    }

    /// The remainder with the sign of the dividend; `None` for a division by zero.
    pub(crate) fn rem(&self, other: &Self) -> Option<Self> {
        if other.0.is_zero() { None } else { Self::bounded(&self.0 % &other.0) }
    }

    pub(crate) fn neg(&self) -> Self {
        Self(-&self.0)
    }

    pub(crate) fn abs(&self) -> Self {
        Self(self.0.abs())
    }

    pub(crate) fn signum(&self) -> i64 {
        if self.0.is_zero() {
            0
        } else if self.0.is_negative() {
            -1
        } else {
            1
        }
    }

    pub(crate) fn floor(&self) -> Self {
        Self(self.0.with_scale_round(0, RoundingMode::Floor).normalized())
    }

    pub(crate) fn ceil(&self) -> Self {
        Self(self.0.with_scale_round(0, RoundingMode::Ceiling).normalized())
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.0.is_integer()
    }

    pub(crate) fn to_i64(&self) -> Option<i64> {
        if self.is_whole() { self.0.to_i64() } else { None }
    }

    pub(crate) fn to_usize(&self) -> Option<usize> {
        self.to_i64().and_then(|n| usize::try_from(n).ok())
    }

    pub(crate) fn to_f64(&self) -> f64 {
        self.0.to_f64().unwrap_or(f64::NAN)
    }
}

impl fmt::Display for Num {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.normalized().to_plain_string())
    }
}
