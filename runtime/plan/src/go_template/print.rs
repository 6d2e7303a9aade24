//! Values as Go prints them: `print`, `printf` and the text of an action.

use serde_json::Value as Json;
use std::fmt::Write as _;

/// The widest field and the finest precision of `printf`.
const MAX_WIDTH: usize = 4096;

/// Go's name of the type that a JSON value would have.
pub(super) fn type_name(value: &Json) -> &'static str {
    match value {
        Json::Null => "<nil>",
        Json::Bool(_) => "bool",
        Json::Number(n) if n.is_f64() => "float64",
        Json::Number(_) => "int",
        Json::String(_) => "string",
        Json::Array(_) => "[]interface {}",
        Json::Object(_) => "map[string]interface {}",
    }
}

/// Whether `if` takes it.
pub(super) fn truth(value: Option<&Json>) -> bool {
    match value {
        None | Some(Json::Null) => false,
        Some(Json::Bool(truth)) => *truth,
        Some(Json::Number(n)) => n.as_f64() != Some(0.0),
        Some(Json::String(text)) => !text.is_empty(),
        Some(Json::Array(items)) => !items.is_empty(),
        Some(Json::Object(map)) => !map.is_empty(),
    }
}

/// The text of an action.
pub(super) fn text(value: Option<&Json>) -> String {
    match value {
        None | Some(Json::Null) => "<no value>".to_owned(),
        Some(Json::String(text)) => text.clone(),
        Some(value) => verb_v(value),
    }
}

/// `%v`.
pub(super) fn verb_v(value: &Json) -> String {
    let mut out = String::new();
    write_v(value, &mut out);
    out
}

fn write_v(value: &Json, out: &mut String) {
    match value {
        Json::Null => out.push_str("<nil>"),
        Json::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Json::String(text) => out.push_str(text),
        Json::Number(n) => match n.as_f64().filter(|_| n.is_f64()) {
            Some(float) => out.push_str(&general(float, None)),
            None => out.push_str(&n.to_string()),
        },
        Json::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(' ');
                }
                write_v(item, out);
            }
            out.push(']');
        }
        Json::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_unstable_by_key(|(name, _)| *name);
            out.push_str("map[");
            for (i, (name, item)) in entries.into_iter().enumerate() {
                if i > 0 {
                    out.push(' ');
                }
                out.push_str(name);
                out.push(':');
                write_v(item, out);
            }
            out.push(']');
        }
    }
}

/// `%g`: the shortest text, with an exponent when it is below -4 or from 6 on (or the precision).
fn general(float: f64, precision: Option<usize>) -> String {
    if float == 0.0 {
        return if float.is_sign_negative() { "-0" } else { "0" }.to_owned();
    }
    let scientific = match precision {
        Some(p) => format!("{:.*e}", p.max(1) - 1, float),
        None => format!("{float:e}"),
    };
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let limit = precision.map_or(6, |p| i32::try_from(p.max(1)).unwrap_or(i32::MAX));
    if exponent < -4 || exponent >= limit {
        let mantissa = if mantissa.contains('.') {
            mantissa.trim_end_matches('0').trim_end_matches('.')
        } else {
            mantissa
        };
        return format!("{mantissa}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs());
    }
    match precision {
        Some(p) => {
            let decimals = usize::try_from(i32::try_from(p.max(1)).unwrap_or(1) - 1 - exponent).unwrap_or(0);
            let text = format!("{float:.decimals$}");
            if text.contains('.') {
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            } else {
                text
            }
        }
        None => format!("{float}"),
    }
}

/// A string in Go's double quotes.
pub(super) fn quote(text: &str) -> String {
    quote_with(text, '"')
}

fn quote_with(text: &str, sign: char) -> String {
    let mut out = String::from(sign);
    for c in text.chars() {
        match c {
            c if c == sign || c == '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if (c as u32) < 0x20 || c as u32 == 0x7f => {
                let _ = write!(out, "\\x{:02x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push(sign);
    out
}

#[derive(Default, Clone)]
struct Verb {
    minus: bool,
    plus: bool,
    zero: bool,
    sharp: bool,
    space: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// Go's `Sprintf`. Text longer than `limit` bytes is an error.
pub(super) fn printf(format: &str, arguments: &[Option<&Json>], limit: usize) -> Result<String, String> {
    let mut out = String::new();
    let mut chars = format.chars().peekable();
    let mut rest = arguments.iter();
    let mut indexed = false;
    while let Some(c) = chars.next() {
        if out.len() > limit {
            return Err(format!("more than {limit} bytes"));
        }
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut verb = Verb::default();
        while let Some(flag) = chars.next_if(|c| "-+0# ".contains(*c)) {
            match flag {
                '-' => verb.minus = true,
                '+' => verb.plus = true,
                '0' => verb.zero = true,
                '#' => verb.sharp = true,
                _ => verb.space = true,
            }
        }
        verb.width = number(&mut chars, &mut rest)?;
        if chars.next_if_eq(&'.').is_some() {
            verb.precision = Some(number(&mut chars, &mut rest)?.unwrap_or(0));
        }
        let mut wrong_index = false;
        if chars.next_if_eq(&'[').is_some() {
            indexed = true;
            let at = number(&mut chars, &mut [].iter())?.filter(|at| *at > 0);
            let from = at.and_then(|at| arguments.get(at - 1..)).filter(|from| !from.is_empty());
            wrong_index = chars.next_if_eq(&']').is_none() || from.is_none();
            rest = from.unwrap_or_default().iter();
        }
        match chars.next() {
            Some(letter) if wrong_index => {
                let _ = write!(out, "%!{letter}(BADINDEX)");
            }
            None => out.push_str("%!(NOVERB)"),
            Some('%') => out.push('%'),
            Some(letter) => match rest.next() {
                None => {
                    let _ = write!(out, "%!{letter}(MISSING)");
                }
                Some(value) => out.push_str(&one(&verb, letter, *value)),
            },
        }
    }
    let extra: Vec<String> = rest
        .map(|value| {
            let value = value.filter(|v| !v.is_null());
            value.map_or("<nil>".to_owned(), |v| format!("{}={}", type_name(v), verb_v(v)))
        })
        .collect();
    // Who says which arguments are wanted may leave some out.
    if !extra.is_empty() && !indexed {
        let _ = write!(out, "%!(EXTRA {})", extra.join(", "));
    }
    Ok(out)
}

fn number<'a>(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    rest: &mut std::slice::Iter<'a, Option<&'a Json>>,
) -> Result<Option<usize>, String> {
    let mut found = None;
    if chars.next_if_eq(&'*').is_some() {
        let value = rest.next().and_then(|v| v.and_then(Json::as_u64)).ok_or("* needs a number")?;
        found = usize::try_from(value).ok();
    }
    while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
        chars.next();
        found = Some(found.unwrap_or(0).saturating_mul(10).saturating_add(digit as usize));
    }
    match found {
        Some(n) if n > MAX_WIDTH => Err(format!("a width above {MAX_WIDTH}")),
        found => Ok(found),
    }
}

fn one(verb: &Verb, letter: char, value: Option<&Json>) -> String {
    let value = value.filter(|v| !v.is_null());
    match value {
        // Each item is shown, and padded, by itself.
        Some(Json::Array(items)) if letter != 'T' => {
            let items: Vec<String> = items.iter().map(|v| one(verb, letter, Some(v))).collect();
            return format!("[{}]", items.join(" "));
        }
        Some(Json::Object(map)) if letter != 'T' => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_unstable_by_key(|(name, _)| *name);
            let name = |name: &String| one(verb, letter, Some(&Json::from(name.as_str())));
            let entry =
                |(key, item): (&String, &Json)| format!("{}:{}", name(key), one(verb, letter, Some(item)));
            let entries: Vec<String> = entries.into_iter().map(entry).collect();
            return format!("map[{}]", entries.join(" "));
        }
        _ => {}
    }
    let body = match (letter, value) {
        ('v' | 'T', None) => Some("<nil>".to_owned()),
        (_, None) => None,
        ('T', Some(v)) => Some(type_name(v).to_owned()),
        ('v', Some(Json::String(text))) if verb.sharp => Some(quote(text)),
        ('v', Some(v)) => Some(verb_v(v)),
        ('s', Some(Json::String(text))) => Some(clip(text, verb.precision)),
        ('q', Some(Json::String(text))) => Some(quote(&clip(text, verb.precision))),
        ('x' | 'X', Some(Json::String(text))) => {
            let hex: String = text.bytes().map(|b| format!("{b:02x}")).collect();
            Some(if letter == 'X' { hex.to_uppercase() } else { hex })
        }
        ('t', Some(Json::Bool(truth))) => Some(truth.to_string()),
        (_, Some(Json::Number(n))) if n.is_f64() => n.as_f64().and_then(|f| float(verb, letter, f)),
        (_, Some(Json::Number(n))) => {
            n.as_i64().map(i128::from).or(n.as_u64().map(i128::from)).and_then(|n| integer(verb, letter, n))
        }
        _ => None,
    };
    match body {
        Some(body) => pad(verb, &body),
        None => match value {
            Some(v) => format!("%!{letter}({}={})", type_name(v), verb_v(v)),
            None => format!("%!{letter}(<nil>)"),
        },
    }
}

fn clip(text: &str, precision: Option<usize>) -> String {
    precision.map_or_else(|| text.to_owned(), |p| text.chars().take(p).collect())
}

fn signed(verb: &Verb, negative: bool, digits: String) -> String {
    let sign = match (negative, verb.plus, verb.space) {
        (true, ..) => "-",
        (_, true, _) => "+",
        (_, _, true) => " ",
        _ => "",
    };
    format!("{sign}{digits}")
}

fn integer(verb: &Verb, letter: char, n: i128) -> Option<String> {
    let size = n.unsigned_abs();
    let (prefix, digits) = match letter {
        'd' => ("", size.to_string()),
        'b' => ("0b", format!("{size:b}")),
        'o' => ("0", format!("{size:o}")),
        'x' => ("0x", format!("{size:x}")),
        'X' => ("0X", format!("{size:X}")),
        'c' => return u32::try_from(n).ok().and_then(char::from_u32).map(String::from),
        'q' => {
            let c = u32::try_from(n).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER);
            return Some(quote_with(&c.to_string(), '\''));
        }
        'U' => return Some(format!("U+{size:04X}")),
        _ => return None,
    };
    let digits = format!("{digits:0>width$}", width = verb.precision.unwrap_or(0));
    Some(signed(verb, n < 0, if verb.sharp { format!("{prefix}{digits}") } else { digits }))
}

fn float(verb: &Verb, letter: char, f: f64) -> Option<String> {
    let size = f.abs();
    let digits = match letter {
        'f' | 'F' => format!("{size:.*}", verb.precision.unwrap_or(6)),
        'e' | 'E' => {
            let text = format!("{size:.*e}", verb.precision.unwrap_or(6));
            let (mantissa, exponent) = text.split_once('e')?;
            let exponent: i32 = exponent.parse().ok()?;
            let sign = if exponent < 0 { '-' } else { '+' };
            let text = format!("{mantissa}e{sign}{:02}", exponent.abs());
            if letter == 'E' { text.to_uppercase() } else { text }
        }
        'g' | 'G' => general(size, verb.precision),
        _ => return None,
    };
    Some(signed(verb, f.is_sign_negative(), digits))
}

fn pad(verb: &Verb, body: &str) -> String {
    let missing = verb.width.unwrap_or(0).saturating_sub(body.chars().count());
    if missing == 0 {
        body.to_owned()
    } else if verb.minus {
        format!("{body}{}", " ".repeat(missing))
    } else if verb.zero {
        match body.strip_prefix(['-', '+']) {
            Some(digits) => {
                format!("{}{}{digits}", body.get(..1).unwrap_or(""), "0".repeat(missing))
            }
            None => format!("{}{body}", "0".repeat(missing)),
        }
    } else {
        format!("{}{body}", " ".repeat(missing))
    }
}
