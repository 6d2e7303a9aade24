//! Numbers as decimal digits: all of them, a rounded count, or the fewest that are still the same
//! number.

use super::Num;
use num_bigint::{BigInt, BigUint};
use num_traits::{Signed, Zero};

/// `0.DIGITS * 10^point`, with its sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decimal {
    negative: bool,
    /// `0` to `9`, neither led nor ended by a zero; empty for zero.
    digits: Vec<u8>,
    point: i64,
}

impl Decimal {
    /// `magnitude * 2^exponent`.
    fn of(negative: bool, magnitude: &BigUint, exponent: i64) -> Self {
        let power = u32::try_from(exponent.unsigned_abs()).unwrap_or(u32::MAX);
        let (text, behind) = if exponent >= 0 {
            ((magnitude << power).to_string(), 0)
        } else {
            ((magnitude * BigUint::from(5u8).pow(power)).to_string(), i64::from(power))
        };
        let point = i64::try_from(text.len()).unwrap_or(i64::MAX) - behind;
        let digits = text.bytes().map(|b| b.wrapping_sub(b'0')).collect();
        Self { negative, digits, point }.trimmed()
    }

    fn trimmed(mut self) -> Self {
        while self.digits.last() == Some(&0) {
            self.digits.pop();
        }
        if self.digits.is_empty() {
            self.point = 0;
        }
        self
    }

    /// All digits.
    pub(crate) fn exact(n: &Num) -> Self {
        Self::of(n.mantissa.is_negative(), n.mantissa.magnitude(), n.exponent)
    }

    /// The fewest digits that read back as the same number of the same precision.
    pub(crate) fn shortest(n: &Num) -> Self {
        let exact = Self::exact(n);
        if n.mantissa.is_zero() {
            return exact;
        }
        // The mantissa in half units of the last bit, and its neighbours half a unit away.
        let shift = (n.precision + 1).saturating_sub(n.mantissa.bits());
        let halves: BigInt = n.mantissa.abs() << shift;
        let exponent = n.exponent.saturating_sub(i64::try_from(shift).unwrap_or(i64::MAX));
        let bound = |by: i32| Self::of(false, (&halves + by).magnitude(), exponent);
        let (lower, upper) = (bound(-1), bound(1));
        // A number in the middle between two is read as the even one.
        let inclusive = !halves.bit(1);
        let at = |d: &Self, i: usize| d.digits.get(i).copied().unwrap_or(0);
        for (i, digit) in exact.digits.iter().copied().enumerate() {
            let (low, high) = (at(&lower, i), at(&upper, i));
            let down = low != digit || (inclusive && i + 1 == lower.digits.len());
            let up = digit != high && (inclusive || digit + 1 < high || i + 1 < upper.digits.len());
            match (down, up) {
                (true, true) => return exact.rounded(i + 1),
                (true, false) => return exact.cut(i + 1),
                (false, true) => return exact.raised(i + 1),
                (false, false) => {}
            }
        }
        exact
    }

    /// `count` digits behind the point, a half to even.
    pub(crate) fn to_places(&self, count: usize) -> Self {
        let kept = self.point.saturating_add(i64::try_from(count).unwrap_or(i64::MAX));
        match usize::try_from(kept) {
            Ok(kept) => self.rounded(kept),
            // All digits are behind what is kept, so far that none of them matters.
            Err(_) => Self { digits: Vec::new(), point: 0, negative: self.negative },
        }
    }

    /// The first `count` digits, a half to even.
    pub(crate) fn rounded(&self, count: usize) -> Self {
        let Some(next) = self.digits.get(count).copied() else { return self.clone() };
        let half = next == 5 && count + 1 == self.digits.len();
        let odd = count.checked_sub(1).and_then(|at| self.digits.get(at)).is_some_and(|d| d % 2 == 1);
        if if half { odd } else { next >= 5 } { self.raised(count) } else { self.cut(count) }
    }

    fn cut(&self, count: usize) -> Self {
        let digits = self.digits.iter().copied().take(count).collect();
        Self { digits, ..self.clone() }.trimmed()
    }

    fn raised(&self, count: usize) -> Self {
        let mut digits: Vec<u8> = self.digits.iter().copied().take(count).collect();
        while digits.last() == Some(&9) {
            digits.pop();
        }
        match digits.last_mut() {
            Some(last) => *last += 1,
            None => return Self { digits: vec![1], point: self.point + 1, negative: self.negative },
        }
        Self { digits, ..self.clone() }
    }

    /// How many digits it has.
    pub(crate) fn count(&self) -> usize {
        self.digits.len()
    }

    /// The power of ten of the first digit.
    pub(crate) fn power(&self) -> i64 {
        if self.digits.is_empty() { 0 } else { self.point - 1 }
    }

    fn digit(&self, at: i64) -> char {
        let digit = usize::try_from(at).ok().and_then(|at| self.digits.get(at)).copied();
        char::from(b'0' + digit.unwrap_or(0))
    }

    /// `123.45` without a sign, with `places` digits behind the point.
    pub(crate) fn fixed(&self, places: usize) -> String {
        let mut out: String =
            if self.point > 0 { (0..self.point).map(|at| self.digit(at)).collect() } else { "0".to_owned() };
        if places > 0 {
            out.push('.');
            let places = i64::try_from(places).unwrap_or(i64::MAX);
            out.extend((0..places).map(|at| self.digit(self.point + at)));
        }
        out
    }

    /// `1.2345e+02` without a sign, with `places` digits behind the point.
    pub(crate) fn exponential(&self, places: usize) -> String {
        let mut out = String::from(self.digit(0));
        if places > 0 {
            out.push('.');
            out.extend((1..=i64::try_from(places).unwrap_or(i64::MAX)).map(|at| self.digit(at)));
        }
        let power = self.power();
        out.push_str(&format!("e{}{:02}", if power < 0 { '-' } else { '+' }, power.unsigned_abs()));
        out
    }

    /// How many digits are behind the point.
    pub(crate) fn places(&self) -> usize {
        let count = i64::try_from(self.digits.len()).unwrap_or(i64::MAX);
        usize::try_from(count - self.point).unwrap_or(0)
    }

    /// With its sign and all its digits.
    pub(super) fn plain(&self) -> String {
        self.signed(&self.fixed(self.places()))
    }

    /// The same as `-1.2e+03`.
    pub(super) fn scientific(&self) -> String {
        self.signed(&self.exponential(self.digits.len().saturating_sub(1)))
    }

    fn signed(&self, text: &str) -> String {
        if self.negative { format!("-{text}") } else { text.to_owned() }
    }
}
