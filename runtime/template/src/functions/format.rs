//! `format` and `formatlist`.

use super::Shape::{Any, Text};
use super::strings::graphemes;
use super::{Call, Failure, Function, MANY, wrong};
use crate::eval::MAX_TEXT;
use crate::value::number::{Decimal, Num};
use crate::value::types::Type;
use crate::value::{V, Val, convert};
use std::iter::Peekable;
use std::str::Chars;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("format", (1, MANY), &[Text, Any], Type::Text, |c| {
        let format = c.text(0)?;
        let arguments: Vec<&Val> = c.arguments.iter().skip(1).collect();
        format_one(&format, &arguments).map(Val::text)
    })
    .nulls(),
    Function::new("formatlist", (1, MANY), &[Text, Any], Type::Dynamic, formatlist).nulls().shallow(),
];

/// The widest field.
const MAX_WIDTH: usize = 4096;

fn formatlist(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let format = c.text(0)?;
    let arguments: Vec<&Val> = c.arguments.iter().skip(1).collect();
    let mut rows = None;
    for (i, argument) in arguments.iter().enumerate() {
        if let Some(items) = argument.items() {
            match rows {
                Some(rows) if rows != items.len() => {
                    return Err(wrong(i + 1, format!("{} items, but another list has {rows}", items.len())));
                }
                _ => rows = Some(items.len()),
            }
        }
    }
    let rows = rows.unwrap_or(1);
    let mut out = Vec::with_capacity(rows.min(1024));
    let mut total = 0;
    for row in 0..rows {
        let values: Vec<&Val> = arguments
            .iter()
            .map(|argument| argument.items().and_then(|items| items.get(row)).unwrap_or(argument))
            .collect();
        if values.iter().any(|value| !value.wholly_known()) {
            out.push(Val::unknown(Type::Text));
            continue;
        }
        let text = format_one(&format, &values)?;
        total += text.len();
        if total > MAX_TEXT {
            return Err("the result is longer than 16 MiB".into());
        }
        out.push(Val::text(text));
    }
    Ok(V::List(Type::Text, out.into()).into())
}

#[derive(Default)]
struct Verb {
    plus: bool,
    minus: bool,
    zero: bool,
    space: bool,
    sharp: bool,
    width: usize,
    precision: Option<usize>,
}

fn format_one(format: &str, arguments: &[&Val]) -> Result<String, Failure> {
    let mut out = String::new();
    let mut chars = format.chars().peekable();
    let mut next = 0usize;
    let mut highest = 0usize;
    let mut indexed = false;
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        if chars.next_if_eq(&'%').is_some() {
            out.push('%');
            continue;
        }
        let mut verb = flags(&mut chars);
        verb.width = digits(&mut chars).unwrap_or(0);
        if chars.next_if_eq(&'.').is_some() {
            verb.precision = Some(digits(&mut chars).unwrap_or(0));
        }
        if verb.width > MAX_WIDTH || verb.precision.is_some_and(|p| p > MAX_WIDTH) {
            return Err(wrong(0, format!("a width above {MAX_WIDTH}")));
        }
        if chars.next_if_eq(&'[').is_some() {
            indexed = true;
            let at = digits(&mut chars).filter(|at| *at > 0);
            next = at.ok_or_else(|| wrong(0, "an index in [ ] starts from 1"))? - 1;
            if chars.next() != Some(']') {
                return Err(wrong(0, "`[` is not closed"));
            }
        }
        let letter = chars.next().ok_or_else(|| wrong(0, "the format ends in an unfinished verb"))?;
        let value = arguments.get(next).ok_or_else(|| {
            wrong(0, format!("there is no argument for %{letter}, {} are given", arguments.len()))
        })?;
        next += 1;
        highest = highest.max(next);
        out.push_str(&one(&verb, letter, value, next)?);
        if out.len() > MAX_TEXT {
            return Err("the result is longer than 16 MiB".into());
        }
    }
    if highest < arguments.len() && !indexed {
        return Err(wrong(highest + 1, format!("too many arguments: the format uses {highest}")));
    }
    Ok(out)
}

fn flags(chars: &mut Peekable<Chars<'_>>) -> Verb {
    let mut verb = Verb::default();
    while let Some(flag) = chars.next_if(|c| "+-0 #".contains(*c)) {
        match flag {
            '+' => verb.plus = true,
            '-' => verb.minus = true,
            '0' => verb.zero = true,
            '#' => verb.sharp = true,
            _ => verb.space = true,
        }
    }
    verb
}

fn digits(chars: &mut Peekable<Chars<'_>>) -> Option<usize> {
    let mut found = None;
    while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
        chars.next();
        found = Some(found.unwrap_or(0usize).saturating_mul(10).saturating_add(digit as usize));
    }
    found
}

fn one(verb: &Verb, letter: char, value: &Val, at: usize) -> Result<String, Failure> {
    let as_type = |ty: Type| {
        convert::convert(value, &ty).map_err(|e| wrong(at, e)).and_then(|v| {
            if v.is_null() { Err(wrong(at, format!("%{letter} cannot show null"))) } else { Ok(v) }
        })
    };
    let body = match letter {
        'v' if verb.sharp => json(value),
        'v' => match &value.v {
            V::Null(_) => "null".to_owned(),
            V::Text(text) => clip(text, verb.precision),
            V::Bool(_) => as_type(Type::Text)?.as_text().unwrap_or_default().to_owned(),
            V::Number(n) => number(verb, 'g', n, at)?,
            _ => json(value),
        },
        's' => match &as_type(Type::Text)?.v {
            V::Text(text) => clip(text, verb.precision),
            _ => String::new(),
        },
        'q' => match &as_type(Type::Text)?.v {
            V::Text(text) => serde_json::Value::from(clip(text, verb.precision)).to_string(),
            _ => String::new(),
        },
        't' => match as_type(Type::Bool)?.v {
            V::Bool(truth) => truth.to_string(),
            _ => String::new(),
        },
        'b' | 'd' | 'o' | 'x' | 'X' | 'e' | 'E' | 'f' | 'g' | 'G' => match as_type(Type::Number)?.v {
            V::Number(n) => number(verb, letter, &n, at)?,
            _ => String::new(),
        },
        _ => return Err(wrong(0, format!("%{letter} is not a verb"))),
    };
    let is_number = !matches!((letter, &value.v), ('s' | 'q' | 't', _) | ('v', V::Text(_)));
    Ok(pad(verb, &body, is_number))
}

fn number(verb: &Verb, letter: char, n: &Num, at: usize) -> Result<String, Failure> {
    let digits = match letter {
        'd' | 'b' | 'o' | 'x' | 'X' => {
            if !n.is_whole() {
                return Err(wrong(at, "a whole number is required"));
            }
            let whole = n.abs().truncated();
            let (radix, mark) = match letter {
                'd' => (10, ""),
                'b' => (2, "0b"),
                'o' => (8, "0"),
                'x' => (16, "0x"),
                _ => (16, "0X"),
            };
            let digits = whole.to_str_radix(radix);
            let digits = if letter == 'X' { digits.to_uppercase() } else { digits };
            if verb.sharp { format!("{mark}{digits}") } else { digits }
        }
        'f' => {
            let places = verb.precision.unwrap_or(6);
            Decimal::exact(n).to_places(places).fixed(places)
        }
        'e' | 'E' => {
            let places = verb.precision.unwrap_or(6);
            Decimal::exact(n).rounded(places + 1).exponential(places)
        }
        _ => general(verb.precision, n),
    };
    let digits = if matches!(letter, 'E' | 'G') { digits.to_uppercase() } else { digits };
    Ok(sign(verb, if n.signum() < 0 { format!("-{digits}") } else { digits }))
}

/// Few digits, with a power of ten if the number is small or large.
fn general(precision: Option<usize>, n: &Num) -> String {
    let decimal = match precision {
        Some(count) => Decimal::exact(n).rounded(count.max(1)),
        None => Decimal::shortest(n),
    };
    let count = i64::try_from(decimal.count()).unwrap_or(i64::MAX);
    let most = match precision {
        // A whole number is shown whole if all its digits are.
        Some(most) if most.max(1) > decimal.count() && count > decimal.power() => count,
        Some(most) => i64::try_from(most.max(1)).unwrap_or(i64::MAX),
        None => 6,
    };
    if (-4..most).contains(&decimal.power()) {
        decimal.fixed(decimal.places())
    } else {
        decimal.exponential(decimal.count().saturating_sub(1))
    }
}

fn sign(verb: &Verb, digits: String) -> String {
    match (digits.starts_with('-'), verb.plus, verb.space) {
        (false, true, _) => format!("+{digits}"),
        (false, false, true) => format!(" {digits}"),
        _ => digits,
    }
}

fn json(value: &Val) -> String {
    let mut out = String::new();
    super::encoding::write_json(value, &mut out);
    out
}

fn clip(text: &str, precision: Option<usize>) -> String {
    precision.map_or_else(|| text.to_owned(), |p| graphemes(text).take(p).collect())
}

fn pad(verb: &Verb, body: &str, is_number: bool) -> String {
    let missing = verb.width.saturating_sub(graphemes(body).count());
    if missing == 0 {
        return body.to_owned();
    }
    if verb.minus {
        return format!("{body}{}", " ".repeat(missing));
    }
    if !verb.zero {
        return format!("{}{body}", " ".repeat(missing));
    }
    let digits = if is_number { body.trim_start_matches(['-', '+', ' ']) } else { body };
    let lead = body.get(..body.len() - digits.len()).unwrap_or("");
    format!("{lead}{}{digits}", "0".repeat(missing))
}
