//! Functions of numbers and truths.

use super::Shape::{Items, Number, Text};
use super::{Call, Failure, Function, MANY, wrong};
use crate::value::number::Num;
use crate::value::types::Type;
use crate::value::{V, Val};
use num_bigint::BigInt;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("abs", (1, 1), &[Number], Type::Number, |c| Ok(number(c.number(0)?.abs()))),
    Function::new("alltrue", (1, 1), &[Items], Type::Bool, |c| every(c, true)),
    Function::new("anytrue", (1, 1), &[Items], Type::Bool, |c| every(c, false)),
    Function::new("ceil", (1, 1), &[Number], Type::Number, |c| Ok(number(c.number(0)?.ceil()))),
    Function::new("floor", (1, 1), &[Number], Type::Number, |c| Ok(number(c.number(0)?.floor()))),
    Function::new("log", (2, 2), &[Number, Number], Type::Number, |c| {
        let (n, base) = (c.number(0)?.to_f64(), c.number(1)?.to_f64());
        float(n.ln() / base.ln())
    }),
    Function::new("max", (1, MANY), &[Number], Type::Number, |c| best(c, true)),
    Function::new("min", (1, MANY), &[Number], Type::Number, |c| best(c, false)),
    Function::new("parseint", (2, 2), &[Text, Number], Type::Number, parseint),
    Function::new("pow", (2, 2), &[Number, Number], Type::Number, |c| {
        float(c.number(0)?.to_f64().powf(c.number(1)?.to_f64()))
    }),
    Function::new("signum", (1, 1), &[Number], Type::Number, |c| Ok(Val::number(c.whole(0)?.signum()))),
    Function::new("sum", (1, 1), &[Items], Type::Number, sum),
];

fn number(n: Num) -> Val {
    V::Number(n).into()
}

fn float(n: f64) -> Result<Val, Failure> {
    Num::from_f64(n).map(number).ok_or_else(|| "the result is not a number".into())
}

fn every(c: &Call<'_, '_>, wanted: bool) -> Result<Val, Failure> {
    for (i, item) in c.items(0)?.iter().enumerate() {
        match crate::value::convert::convert(item, &Type::Bool).map(|v| v.v) {
            Ok(V::Bool(truth)) if truth == wanted => {}
            // Null counts as false.
            Ok(V::Null(_)) if !wanted => {}
            Ok(V::Null(_) | V::Bool(_)) => return Ok(Val::bool(!wanted)),
            _ => return Err(wrong(0, format!("element {i} must be true or false"))),
        }
    }
    Ok(Val::bool(wanted))
}

fn best(c: &Call<'_, '_>, largest: bool) -> Result<Val, Failure> {
    let mut best = c.number(0)?;
    for at in 1..c.len() {
        let n = c.number(at)?;
        if (n > best) == largest && n != best {
            best = n;
        }
    }
    Ok(number(best))
}

fn parseint(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let V::Text(_) = &c.get(0)?.v else {
        return Err(wrong(0, format!("a string is required, not {}", c.get(0)?.describe())));
    };
    let (text, base) = (c.text(0)?, c.whole(1)?);
    let radix = u32::try_from(base).ok().filter(|b| (2..=62).contains(b));
    let radix = radix.ok_or_else(|| wrong(1, "the base must be from 2 to 62"))?;
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(&text)),
    };
    let bad = || wrong(0, format!("\"{text}\" is not a number in base {radix}"));
    if digits.is_empty() || digits.len() > 500 {
        return Err(bad());
    }
    let mut n = BigInt::default();
    for c in digits.chars() {
        n = n * radix + digit(c, radix).ok_or_else(bad)?;
    }
    Ok(number(Num::whole(if negative { -n } else { n })))
}

/// Up to base 36 letters have no case; above, capitals come after small letters.
fn digit(c: char, radix: u32) -> Option<u32> {
    let value = match c {
        '0'..='9' => c as u32 - '0' as u32,
        'a'..='z' => c as u32 - 'a' as u32 + 10,
        'A'..='Z' if radix <= 36 => c as u32 - 'A' as u32 + 10,
        'A'..='Z' => c as u32 - 'A' as u32 + 36,
        _ => return None,
    };
    (value < radix).then_some(value)
}

fn sum(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let items = c.items(0)?;
    if items.is_empty() {
        return Err(wrong(0, "the sum of nothing"));
    }
    let mut total = Num::from(0i64);
    for (i, item) in items.iter().enumerate() {
        let bad = || wrong(0, format!("element {i} must be a number"));
        match crate::value::convert::convert(item, &Type::Number).map(|v| v.v) {
            Ok(V::Number(n)) => total = total.add(&n).ok_or_else(bad)?,
            _ => return Err(bad()),
        }
    }
    Ok(number(total))
}
