//! `format` and `formatlist`.

use super::{Call, Failure, Function, MANY, wrong};
use crate::eval::MAX_TEXT;
use crate::value::types::Type;
use crate::value::{V, Val, convert};
use std::iter::Peekable;
use std::str::Chars;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("format", (1, MANY), Type::Text, |c| {
        let format = c.text(0)?;
        let arguments: Vec<&Val> = c.arguments.iter().skip(1).collect();
        format_one(&format, &arguments).map(Val::text)
    })
    .nulls(),
    Function::new("formatlist", (1, MANY), Type::Dynamic, formatlist).nulls(),
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
        let text = format_one(&format, &values)?;
        total += text.len();
        if total > MAX_TEXT {
            return Err("the result is longer than 16 MiB".into());
        }
        out.push(text);
    }
    Ok(Val::texts(out))
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
            V::Number(n) => sign(verb, n.to_string()),
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
        'b' | 'd' | 'o' | 'x' | 'X' | 'e' | 'E' | 'f' | 'g' | 'G' => {
            // %x of text is its bytes.
            if let (V::Text(text), 'x' | 'X') = (&value.v, letter) {
                let hex: String = text.bytes().map(|b| format!("{b:02x}")).collect();
                if letter == 'X' { hex.to_uppercase() } else { hex }
            } else {
                match as_type(Type::Number)?.v {
                    V::Number(n) => number(verb, letter, &n, at)?,
                    _ => String::new(),
                }
            }
        }
        _ => return Err(wrong(0, format!("%{letter} is not a verb"))),
    };
    Ok(pad(verb, &body, matches!(letter, 's' | 'q' | 't')))
}

fn number(verb: &Verb, letter: char, n: &crate::value::number::Num, at: usize) -> Result<String, Failure> {
    let float = n.to_f64();
    let size = float.abs();
    let negative = n.signum() < 0;
    let digits = match letter {
        'd' => n.floor().max(n.ceil().min(n.floor())).abs().to_string(),
        'b' | 'o' | 'x' | 'X' => {
            let whole = n.to_i64().ok_or_else(|| wrong(at, "a whole number is required"))?.unsigned_abs();
            match letter {
                'b' => format!("{whole:b}"),
                'o' => format!("{whole:o}"),
                'x' => format!("{whole:x}"),
                _ => format!("{whole:X}"),
            }
        }
        'f' => format!("{size:.*}", verb.precision.unwrap_or(6)),
        'e' | 'E' => {
            let text = format!("{size:.*e}", verb.precision.unwrap_or(6));
            let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let exponent: i32 = exponent.parse().unwrap_or(0);
            let text = format!("{mantissa}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs());
            if letter == 'E' { text.to_uppercase() } else { text }
        }
        _ => n.abs().to_string(),
    };
    Ok(sign(verb, if negative { format!("-{digits}") } else { digits }))
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
    precision.map_or_else(|| text.to_owned(), |p| text.chars().take(p).collect())
}

fn pad(verb: &Verb, body: &str, is_text: bool) -> String {
    let missing = verb.width.saturating_sub(body.chars().count());
    if missing == 0 {
        return body.to_owned();
    }
    if verb.minus {
        return format!("{body}{}", " ".repeat(missing));
    }
    if !verb.zero || is_text {
        return format!("{}{body}", " ".repeat(missing));
    }
    let digits = body.trim_start_matches(['-', '+', ' ']);
    let lead = body.get(..body.len() - digits.len()).unwrap_or("");
    format!("{lead}{}{digits}", "0".repeat(missing))
}
