//! Values as `console` and `inspect` show them.

use crate::value::number::Num;
use crate::value::{V, Val};

/// What is shown for a value that is not known.
const UNKNOWN: &str = "<unknown>";
/// What is shown instead of a secret.
const SENSITIVE: &str = "<sensitive>";

/// A value in one line, text quoted.
pub(crate) fn compact(value: &Val) -> String {
    if value.marks.sensitive {
        return format!("\"{SENSITIVE}\"");
    }
    match &value.v {
        V::Null(_) => "null".to_owned(),
        V::Unknown(_) => format!("\"{UNKNOWN}\""),
        V::Bool(truth) => truth.to_string(),
        V::Number(number) => number.to_string(),
        V::Text(text) => serde_json::Value::from(&**text).to_string(),
        V::List(_, items) | V::Set(_, items) | V::Tuple(items) => {
            format!("[{}]", items.iter().map(compact).collect::<Vec<_>>().join(", "))
        }
        V::Map(_, entries) | V::Object(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(k, v)| format!("{} = {}", serde_json::Value::from(k.as_str()), compact(v)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

/// A value for a diagnostic: text and numbers shortened, collections by their type alone.
pub(crate) fn brief(value: &Val) -> String {
    if !value.marks.sensitive && (value.items().is_some() || value.entries().is_some()) {
        return value.describe();
    }
    let whole = compact(value);
    match whole.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", whole.get(..end).unwrap_or("")),
        None => whole,
    }
}

/// A value as `inspect` shows it: what [`full`] gives, in quotes.
pub(crate) fn quoted(value: &Val) -> String {
    serde_json::Value::from(full(value)).to_string()
}

/// A value over several lines, text at the top without quotes, as `console` prints it.
pub(crate) fn full(value: &Val) -> String {
    if value.marks.sensitive {
        return SENSITIVE.to_owned();
    }
    match &value.v {
        V::Text(text) => text.to_string(),
        // As Packer shows it: one part that is not known hides the rest.
        _ if !value.wholly_known() => UNKNOWN.to_owned(),
        _ => {
            let mut out = String::new();
            nested(value, 0, &mut out);
            out
        }
    }
}

fn nested(value: &Val, level: usize, out: &mut String) {
    let pad = "  ".repeat(level + 1);
    if value.marks.sensitive {
        return out.push_str(&compact(value));
    }
    match (value.items(), value.entries()) {
        (Some(items), _) if !items.is_empty() => {
            out.push_str("[\n");
            for item in items {
                out.push_str(&pad);
                nested(item, level + 1, out);
                out.push_str(",\n");
            }
            out.push_str(&"  ".repeat(level));
            out.push(']');
        }
        // Packer leaves out what is null.
        (_, Some(entries)) if entries.values().any(|item| !item.is_null()) => {
            out.push_str("{\n");
            for (name, item) in entries.iter().filter(|(_, item)| !item.is_null()) {
                out.push_str(&format!("{pad}{} = ", serde_json::Value::from(name.as_str())));
                nested(item, level + 1, out);
                out.push('\n');
            }
            out.push_str(&"  ".repeat(level));
            out.push('}');
        }
        (_, Some(_)) => out.push_str("{}"),
        _ => match &value.v {
            V::Number(number) => out.push_str(&go_number(number)),
            _ => out.push_str(&compact(value)),
        },
    }
}

/// A number as Packer prints it: a whole one of 64 bits by its digits, another by Go's shortest
/// form of a float.
fn go_number(number: &Num) -> String {
    if let Some(whole) = number.to_i64() {
        return whole.to_string();
    }
    let short = format!("{:e}", number.to_f64());
    let (mantissa, exponent) = short.split_once('e').unwrap_or((&short, "0"));
    match exponent.parse::<i64>() {
        Ok(exponent) if !(-4..6).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{mantissa}e{sign}{:02}", exponent.abs())
        }
        _ => number.to_f64().to_string(),
    }
}
