//! The functions of the language itself.

use super::render::Value;
use super::{print, printf};
use serde_json::Value as Json;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt::Write as _;

/// Whether the language has a function of this name.
pub(super) fn is_builtin(name: &str) -> bool {
    matches!(
        name,
        "and"
            | "or"
            | "not"
            | "len"
            | "index"
            | "slice"
            | "print"
            | "printf"
            | "println"
            | "html"
            | "js"
            | "urlquery"
            | "eq"
            | "ne"
            | "lt"
            | "le"
            | "gt"
            | "ge"
            | "call"
    )
}

/// Calls one of them, except `and` and `or`, which the renderer evaluates lazily.
pub(super) fn call<'d>(name: &str, values: &[Value<'d>], limit: usize) -> Result<Value<'d>, String> {
    let plain: Vec<Option<&Json>> = values.iter().map(|v| v.as_deref()).collect();
    let result: Json = match name {
        "not" => (!print::truth(only(&plain)?)).into(),
        "len" => len(only(&plain)?)?.into(),
        "index" => return index(values),
        "slice" => slice(&plain)?,
        "print" => sprint(&plain).into(),
        "println" => {
            let words: Vec<String> = plain.iter().map(|v| word(*v)).collect();
            format!("{}\n", words.join(" ")).into()
        }
        "printf" => match plain.split_first() {
            Some((Some(Json::String(format)), rest)) => printf::printf(format, rest, limit)?.into(),
            _ => return Err("the format must be a string".to_owned()),
        },
        "html" => html(&printed(&plain)).into(),
        "js" => js(&printed(&plain)).into(),
        "urlquery" => urlquery(&printed(&plain)).into(),
        "eq" => eq(&plain)?.into(),
        "ne" => match plain.as_slice() {
            [a, b] => (!equal(*a, *b)?).into(),
            _ => return Err(count(2, plain.len())),
        },
        "lt" | "le" | "gt" | "ge" => compare(name, &plain)?.into(),
        _ => return Err("there are no functions in the data".to_owned()),
    };
    Ok(Some(Cow::Owned(result)))
}

fn count(want: usize, got: usize) -> String {
    format!("wrong number of args: want {want} got {got}")
}

fn only<'v>(values: &[Option<&'v Json>]) -> Result<Option<&'v Json>, String> {
    match values {
        [one] => Ok(*one),
        _ => Err(count(1, values.len())),
    }
}

fn word(value: Option<&Json>) -> String {
    value.map_or_else(|| "<nil>".to_owned(), print::verb_v)
}

/// Go's `Sprint`: a space between operands when neither is a string.
fn sprint(values: &[Option<&Json>]) -> String {
    let mut out = String::new();
    let mut previous_text = true;
    for (i, value) in values.iter().enumerate() {
        let is_text = matches!(value, Some(Json::String(_)));
        if i > 0 && !is_text && !previous_text {
            out.push(' ');
        }
        out.push_str(&word(*value));
        previous_text = is_text;
    }
    out
}

/// The same for the functions that escape, which say what is missing as an action does.
fn printed(values: &[Option<&Json>]) -> String {
    let missing = Json::from("<no value>");
    let shown: Vec<Option<&Json>> =
        values.iter().map(|value| value.filter(|v| !v.is_null()).or(Some(&missing))).collect();
    sprint(&shown)
}

fn len(value: Option<&Json>) -> Result<usize, String> {
    match value {
        Some(Json::String(text)) => Ok(text.len()),
        Some(Json::Array(items)) => Ok(items.len()),
        Some(Json::Object(map)) => Ok(map.len()),
        None | Some(Json::Null) => Err("len of nil pointer".to_owned()),
        Some(other) => Err(format!("len of type {}", print::type_name(other))),
    }
}

fn index<'d>(values: &[Value<'d>]) -> Result<Value<'d>, String> {
    let (first, keys) = values.split_first().ok_or_else(|| count(1, 0))?;
    let mut here = first.clone();
    if here.as_deref().is_none_or(Json::is_null) {
        return Err("index of untyped nil".to_owned());
    }
    for key in keys {
        let key = key.as_deref();
        let Some(value) = here else { return Err("index of untyped nil".to_owned()) };
        here = match (&*value, key) {
            (Json::Object(_), Some(Json::String(name))) => match value {
                Cow::Borrowed(json) => json.get(name).map(Cow::Borrowed),
                Cow::Owned(json) => json.get(name).cloned().map(Cow::Owned),
            },
            (Json::Array(items), Some(Json::Number(n))) => {
                let at = n.as_u64().and_then(|n| usize::try_from(n).ok()).filter(|n| *n < items.len());
                let at = at.ok_or_else(|| format!("index out of range: {n}"))?;
                match value {
                    Cow::Borrowed(json) => json.get(at).map(Cow::Borrowed),
                    Cow::Owned(json) => json.get(at).cloned().map(Cow::Owned),
                }
            }
            (Json::String(text), Some(Json::Number(n))) => {
                let at = n.as_u64().and_then(|n| usize::try_from(n).ok());
                let byte = at.and_then(|at| text.as_bytes().get(at).copied());
                Some(Cow::Owned(byte.ok_or_else(|| format!("index out of range: {n}"))?.into()))
            }
            (Json::Object(_) | Json::Array(_) | Json::String(_), key) => {
                let kind = key.map_or("nil", print::type_name);
                return Err(format!("cannot index with type {kind}"));
            }
            (other, _) => return Err(format!("can't index item of type {}", print::type_name(other))),
        };
    }
    Ok(here)
}

fn slice(values: &[Option<&Json>]) -> Result<Json, String> {
    let (first, bounds) = values.split_first().ok_or_else(|| count(1, 0))?;
    let size = match first {
        Some(Json::String(_) | Json::Array(_)) => len(*first)?,
        other => return Err(format!("can't slice item of type {}", other.map_or("nil", print::type_name))),
    };
    let mut ends = Vec::new();
    for bound in bounds {
        let at = bound.and_then(Json::as_u64).and_then(|n| usize::try_from(n).ok()).filter(|n| *n <= size);
        ends.push(at.ok_or_else(|| format!("index out of range: {}", word(*bound)))?);
    }
    let (from, to) = match ends.as_slice() {
        [] => (0, size),
        [from] => (*from, size),
        [from, to] => (*from, *to),
        _ => return Err(format!("too many slice indexes: {}", ends.len())),
    };
    match first {
        Some(Json::String(text)) => {
            text.get(from..to).map(Into::into).ok_or_else(|| format!("invalid slice index: {from} > {to}"))
        }
        Some(Json::Array(items)) => items
            .get(from..to)
            .map(|part| Json::Array(part.to_vec()))
            .ok_or_else(|| format!("invalid slice index: {from} > {to}")),
        _ => Ok(Json::Null),
    }
}

fn eq(values: &[Option<&Json>]) -> Result<bool, String> {
    let (first, rest) = values.split_first().ok_or("missing argument for comparison")?;
    if rest.is_empty() {
        return Err("missing argument for comparison".to_owned());
    }
    for other in rest {
        if equal(*first, *other)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn equal(a: Option<&Json>, b: Option<&Json>) -> Result<bool, String> {
    match (a.filter(|v| !v.is_null()), b.filter(|v| !v.is_null())) {
        (None, None) => Ok(true),
        (None, _) | (_, None) => Ok(false),
        (Some(Json::Array(_) | Json::Object(_)), _) | (_, Some(Json::Array(_) | Json::Object(_))) => {
            Err("non-comparable type".to_owned())
        }
        (Some(a), Some(b)) => match order(a, b) {
            Some(order) => Ok(order == Ordering::Equal),
            None => match (a, b) {
                (Json::Bool(a), Json::Bool(b)) => Ok(a == b),
                _ => Err("incompatible types for comparison".to_owned()),
            },
        },
    }
}

fn order(a: &Json, b: &Json) -> Option<Ordering> {
    match (a, b) {
        (Json::String(a), Json::String(b)) => Some(a.cmp(b)),
        (Json::Number(a), Json::Number(b)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            // Go compares no integer with a float.
            _ if a.is_f64() != b.is_f64() => None,
            _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
        },
        _ => None,
    }
}

fn compare(name: &str, values: &[Option<&Json>]) -> Result<bool, String> {
    let [a, b] = values else { return Err(count(2, values.len())) };
    let (Some(a), Some(b)) = (a, b) else { return Err("invalid type for comparison".to_owned()) };
    let order = order(a, b).ok_or("incompatible types for comparison")?;
    Ok(match name {
        "lt" => order.is_lt(),
        "le" => order.is_le(),
        "gt" => order.is_gt(),
        _ => order.is_ge(),
    })
}

fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '\0' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

fn js(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '\'' | '"' => {
                out.push('\\');
                out.push(c);
            }
            '<' | '>' | '&' | '=' | '\0'..='\x1f' | '\x7f'..='\u{a0}' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04X}", c as u32);
            }
            c => out.push(c),
        }
    }
    out
}

fn urlquery(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        match b {
            b' ' => out.push('+'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(b)),
            b => {
                let _ = write!(out, "%{b:02X}");
            }
        }
    }
    out
}
