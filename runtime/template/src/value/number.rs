//! Numbers as cty has them: binary floats of mostly 512 bits, rounded to even, so that results and
//! their texts are the same to the last digit.
//!
//! A number is `mantissa * 2^exponent`. Its precision is what its text and further arithmetic are
//! rounded to; equality and order do not look at it.

mod decimal;

pub(crate) use decimal::Decimal;

use num_bigint::{BigInt, BigUint, Sign};
use num_integer::Integer;
use num_traits::{One, Signed, ToPrimitive, Zero};
use std::cmp::Ordering;
use std::fmt;

/// Bits of what is written in a template.
const WRITTEN: u64 = 512;
/// Bits of what functions count.
const COUNTED: u64 = 64;
/// Bits of what functions compute with floats.
const FLOAT: u64 = 53;
/// The largest power of ten; beyond it a number is refused, since its text would be a bomb.
const MAX_POWER: i64 = 10_000;
/// The same as a power of two.
const MAX_EXPONENT: i64 = MAX_POWER * 10 / 3 + 1_000;

/// A number.
#[derive(Debug, Clone)]
pub(crate) struct Num {
    /// Odd, or zero.
    mantissa: BigInt,
    exponent: i64,
    precision: u64,
}

impl From<usize> for Num {
    fn from(n: usize) -> Self {
        Self::whole(BigInt::from(n))
    }
}

impl From<i64> for Num {
    fn from(n: i64) -> Self {
        Self::whole(BigInt::from(n))
    }
}

impl Num {
    /// Reads `12`, `-1.5`, `1e3`; nothing else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() > 10_000 {
            return None;
        }
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (digits, power) = match rest.split_once(['e', 'E']) {
            Some((digits, power)) => (digits, power.parse::<i64>().ok()?),
            None => (rest, 0),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let digits = [whole, fraction].concat();
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let power = power.checked_sub(i64::try_from(fraction.len()).ok()?)?;
        let magnitude: BigUint = digits.parse().ok()?;
        let sign = if negative { Sign::Minus } else { Sign::Plus };
        let number = Self::from_decimal(BigInt::from_biguint(sign, magnitude), power)?;
        number.bounded()
    }

    /// `digits * 10^power`, rounded once.
    fn from_decimal(digits: BigInt, power: i64) -> Option<Self> {
        if digits.is_zero() {
            return Some(Self::rounded(digits, 0, WRITTEN));
        }
        if power.abs() > 2 * MAX_POWER {
            return None;
        }
        let five = BigInt::from(5).pow(u32::try_from(power.unsigned_abs()).ok()?);
        Some(if power >= 0 {
            Self::rounded(digits * five, power, WRITTEN)
        } else {
            Self::quotient(&digits, &five, power, WRITTEN)
        })
    }

    pub(crate) fn from_f64(n: f64) -> Option<Self> {
        if !n.is_finite() {
            return None;
        }
        let bits = n.to_bits();
        let fraction = bits & ((1 << 52) - 1);
        let raised = i64::try_from((bits >> 52) & 0x7ff).unwrap_or(0);
        let (mantissa, exponent) =
            if raised == 0 { (fraction, -1074) } else { (fraction | (1 << 52), raised - 1075) };
        let mantissa = BigInt::from(mantissa);
        Self::rounded(if n < 0.0 { -mantissa } else { mantissa }, exponent, FLOAT).bounded()
    }

    /// A whole number, exact.
    pub(crate) fn whole(n: BigInt) -> Self {
        let precision = n.bits().max(COUNTED);
        Self::rounded(n, 0, precision)
    }

    /// `mantissa * 2^exponent` with at most `precision` bits.
    fn rounded(mantissa: BigInt, exponent: i64, precision: u64) -> Self {
        let (mut mantissa, mut exponent) = (mantissa, exponent);
        let surplus = mantissa.bits().saturating_sub(precision);
        if surplus > 0 {
            let half = BigInt::one() << (surplus - 1);
            let (kept, lost) = mantissa.div_mod_floor(&(BigInt::one() << surplus));
            let up = match lost.cmp(&half) {
                Ordering::Less => false,
                Ordering::Equal => kept.is_odd(),
                Ordering::Greater => true,
            };
            mantissa = if up { kept + 1 } else { kept };
            exponent = exponent.saturating_add(i64::try_from(surplus).unwrap_or(i64::MAX));
        }
        match mantissa.trailing_zeros() {
            None => exponent = 0,
            Some(0) => {}
            Some(zeros) => {
                mantissa >>= zeros;
                exponent = exponent.saturating_add(i64::try_from(zeros).unwrap_or(i64::MAX));
            }
        }
        Self { mantissa, exponent, precision }
    }

    /// `a / b * 2^exponent`, rounded once; `b` is not zero.
    fn quotient(a: &BigInt, b: &BigInt, exponent: i64, precision: u64) -> Self {
        let shift = (precision + 2 + b.bits()).saturating_sub(a.bits());
        let (quotient, rest) = (a << shift).div_mod_floor(b);
        // One more bit says that there is more, so that a half is not taken for exact.
        let mantissa = (quotient << 1u32) + i32::from(!rest.is_zero());
        let shift = i64::try_from(shift).unwrap_or(i64::MAX);
        Self::rounded(mantissa, exponent.saturating_sub(shift).saturating_sub(1), precision)
    }

    /// `None` if it is too large or too small.
    fn bounded(self) -> Option<Self> {
        let top = self.exponent.checked_add(i64::try_from(self.mantissa.bits()).ok()?)?;
        (self.mantissa.is_zero() || top.abs() <= MAX_EXPONENT).then_some(self)
    }

    /// Both with the same exponent, which comes last.
    fn aligned(&self, other: &Self) -> (BigInt, BigInt, i64) {
        let exponent = self.exponent.min(other.exponent);
        let shifted = |n: &Self| &n.mantissa << u64::try_from(n.exponent - exponent).unwrap_or(0);
        (shifted(self), shifted(other), exponent)
    }

    pub(crate) fn add(&self, other: &Self) -> Option<Self> {
        let (a, b, exponent) = self.aligned(other);
        Self::rounded(a + b, exponent, self.precision.max(other.precision)).bounded()
    }

    pub(crate) fn sub(&self, other: &Self) -> Option<Self> {
        self.add(&other.neg())
    }

    pub(crate) fn mul(&self, other: &Self) -> Option<Self> {
        let mantissa = &self.mantissa * &other.mantissa;
        let exponent = self.exponent + other.exponent;
        Self::rounded(mantissa, exponent, self.precision.max(other.precision)).bounded()
    }

    /// `None` for a division by zero.
    pub(crate) fn div(&self, other: &Self) -> Option<Self> {
        if other.mantissa.is_zero() {
            return None;
        }
        let exponent = self.exponent - other.exponent;
        let precision = self.precision.max(other.precision);
        Self::quotient(&self.mantissa, &other.mantissa, exponent, precision).bounded()
    }

    /// The remainder with the sign of the dividend; `None` for a division by zero.
    pub(crate) fn rem(&self, other: &Self) -> Option<Self> {
        if other.mantissa.is_zero() {
            return None;
        }
        let (a, b, exponent) = self.aligned(other);
        Self::rounded(a % b, exponent, self.precision.max(other.precision)).bounded()
    }

    pub(crate) fn neg(&self) -> Self {
        Self { mantissa: -&self.mantissa, ..self.clone() }
    }

    pub(crate) fn abs(&self) -> Self {
        Self { mantissa: self.mantissa.abs(), ..self.clone() }
    }

    pub(crate) fn signum(&self) -> i64 {
        match self.mantissa.sign() {
            Sign::Minus => -1,
            Sign::NoSign => 0,
            Sign::Plus => 1,
        }
    }

    pub(crate) fn floor(&self) -> Self {
        let size = BigInt::one() << self.exponent.min(0).unsigned_abs();
        let scaled = &self.mantissa << self.exponent.max(0).unsigned_abs();
        Self::whole(scaled.div_floor(&size))
    }

    pub(crate) fn ceil(&self) -> Self {
        self.neg().floor().neg()
    }

    /// Without what is behind the point.
    pub(crate) fn truncated(&self) -> BigInt {
        if self.exponent >= 0 {
            return &self.mantissa << self.exponent.unsigned_abs();
        }
        &self.mantissa / (BigInt::one() << self.exponent.unsigned_abs())
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.exponent >= 0
    }

    pub(crate) fn to_i64(&self) -> Option<i64> {
        if self.is_whole() { self.truncated().to_i64() } else { None }
    }

    pub(crate) fn to_usize(&self) -> Option<usize> {
        self.to_i64().and_then(|n| usize::try_from(n).ok())
    }

    /// The nearest float.
    pub(crate) fn to_f64(&self) -> f64 {
        // The exact digits: reading them rounds once.
        Decimal::exact(self).scientific().parse().unwrap_or(f64::NAN)
    }
}

impl PartialEq for Num {
    fn eq(&self, other: &Self) -> bool {
        self.mantissa == other.mantissa && self.exponent == other.exponent
    }
}

impl Eq for Num {}

impl PartialOrd for Num {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Num {
    fn cmp(&self, other: &Self) -> Ordering {
        let (a, b, _) = self.aligned(other);
        a.cmp(&b)
    }
}

impl fmt::Display for Num {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_whole() && self.mantissa.bits() + self.exponent.unsigned_abs() <= self.precision {
            return write!(f, "{}", self.truncated());
        }
        f.write_str(&Decimal::shortest(self).plain())
    }
}
