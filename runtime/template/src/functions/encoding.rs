//! JSON, base64 and the like.

use super::{Call, Failure, Function, wrong};
use crate::value::number::Num;
use crate::value::types::Type;
use crate::value::{V, Val};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("base64decode", (1, 1), Type::Text, base64decode),
    Function::new("base64encode", (1, 1), Type::Text, |c| {
        Ok(Val::text(STANDARD.encode(c.text(0)?.as_bytes())))
    }),
    Function::new("jsondecode", (1, 1), Type::Dynamic, jsondecode),
    Function::new("jsonencode", (1, 1), Type::Text, jsonencode).nulls(),
];

fn base64decode(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let bytes = STANDARD.decode(c.text(0)?.as_bytes()).map_err(|_| wrong(0, "not base64"))?;
    let text = String::from_utf8(bytes).map_err(|_| wrong(0, "the decoded bytes are not UTF-8"))?;
    Ok(Val::text(text))
}

fn jsondecode(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let json: Json = serde_json::from_str(&c.text(0)?).map_err(|e| wrong(0, format!("not JSON: {e}")))?;
    Ok(from_json(&json))
}

/// Arrays become tuples, objects objects.
pub(crate) fn from_json(json: &Json) -> Val {
    match json {
        Json::Null => Val::null(),
        Json::Bool(truth) => Val::bool(*truth),
        Json::Number(n) => {
            Num::parse(&n.to_string()).map_or_else(|| V::Null(Type::Number).into(), |n| V::Number(n).into())
        }
        Json::String(text) => Val::text(text.as_str()),
        Json::Array(items) => Val::tuple(items.iter().map(from_json).collect()),
        Json::Object(map) => Val::object(map.iter().map(|(k, v)| (k.clone(), from_json(v))).collect()),
    }
}

fn jsonencode(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let mut out = String::new();
    write_json(c.get(0)?, &mut out);
    Ok(Val::text(out))
}

/// JSON text without spaces, numbers exact, `<`, `>` and `&` escaped as Go does.
pub(super) fn write_json(value: &Val, out: &mut String) {
    match &value.v {
        V::Null(_) | V::Unknown(_) => out.push_str("null"),
        V::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        V::Number(n) => out.push_str(&n.to_string()),
        V::Text(text) => write_text(text, out),
        V::List(_, items) | V::Set(_, items) | V::Tuple(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_json(item, out);
            }
            out.push(']');
        }
        V::Map(_, entries) | V::Object(entries) => {
            out.push('{');
            for (i, (name, item)) in entries.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_text(name, out);
                out.push(':');
                write_json(item, out);
            }
            out.push('}');
        }
    }
}

fn write_text(text: &str, out: &mut String) {
    let quoted = Json::from(text).to_string();
    for c in quoted.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            c => out.push(c),
        }
    }
}
