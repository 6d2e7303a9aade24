//! JSON, base64 and the like.

use super::Shape::{Any, Text};
use super::{Call, Failure, Function, wrong};
use crate::syntax;
use crate::value::types::{Attribute, Type};
use crate::value::{V, Val};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kiln_plan::SourceMap;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::io::Write as _;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("base64decode", (1, 1), &[Text], Type::Text, base64decode),
    Function::new("base64encode", (1, 1), &[Text], Type::Text, |c| {
        Ok(Val::text(STANDARD.encode(c.text(0)?.as_bytes())))
    }),
    Function::new("base64gzip", (1, 1), &[Text], Type::Text, base64gzip),
    Function::new("csvdecode", (1, 1), &[Text], Type::Dynamic, csvdecode),
    Function::new("jsondecode", (1, 1), &[Text], Type::Dynamic, jsondecode),
    Function::new("jsonencode", (1, 1), &[Any], Type::Text, jsonencode).nulls(),
    Function::new("textdecodebase64", (2, 2), &[Text, Text], Type::Text, textdecode),
    Function::new("textencodebase64", (2, 2), &[Text, Text], Type::Text, textencode),
];

fn base64decode(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let bytes = STANDARD.decode(c.text(0)?.as_bytes()).map_err(|_| wrong(0, "not base64"))?;
    let text = String::from_utf8(bytes).map_err(|_| wrong(0, "the decoded bytes are not UTF-8"))?;
    Ok(Val::text(text))
}

fn jsondecode(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let text = c.text(0)?;
    let mut sources = SourceMap::default();
    let file = sources.add("", text.as_ref());
    syntax::parse_json_value(&text, file, true).map_err(|mistakes| {
        let first = mistakes.first();
        let (line, column) = first.and_then(|e| e.span).map_or((1, 1), |span| sources.position(span));
        let what = first.map_or("", |e| e.summary.trim_start_matches("syntax error: "));
        wrong(0, format!("not JSON, line {line}, column {column}: {what}"))
    })
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

fn base64gzip(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    let bytes = encoder.write_all(c.text(0)?.as_bytes()).and_then(|()| encoder.finish());
    Ok(Val::text(STANDARD.encode(bytes.map_err(|e| format!("cannot compress: {e}"))?)))
}

/// The encodings of UTF-16, which the web's encoders do not write.
fn utf16(name: &str) -> Option<fn(u16) -> [u8; 2]> {
    match name.to_ascii_uppercase().as_str() {
        "UTF-16LE" => Some(u16::to_le_bytes),
        "UTF-16BE" | "UTF-16" => Some(u16::to_be_bytes),
        _ => None,
    }
}

fn encoding(name: &str) -> Result<&'static encoding_rs::Encoding, Failure> {
    encoding_rs::Encoding::for_label(name.as_bytes())
        .ok_or_else(|| wrong(1, format!("\"{name}\" is not a known text encoding, such as UTF-16LE")))
}

fn textencode(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let (text, name) = (c.text(0)?, c.text(1)?);
    if let Some(bytes_of) = utf16(&name) {
        let mark = name.eq_ignore_ascii_case("UTF-16").then_some(0xfeff_u16);
        let bytes: Vec<u8> = mark.into_iter().chain(text.encode_utf16()).flat_map(bytes_of).collect();
        return Ok(Val::text(STANDARD.encode(bytes)));
    }
    let (bytes, _, lossy) = encoding(&name)?.encode(&text);
    if lossy {
        return Err(wrong(0, format!("the text has characters that {name} does not")));
    }
    Ok(Val::text(STANDARD.encode(bytes)))
}

fn textdecode(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let name = c.text(1)?;
    let bytes = STANDARD.decode(c.text(0)?.as_bytes()).map_err(|_| wrong(0, "not base64"))?;
    let encoding = match name.to_ascii_uppercase().as_str() {
        "UTF-16" => encoding_rs::UTF_16BE,
        _ => encoding(&name)?,
    };
    let (text, _, lossy) = encoding.decode(&bytes);
    if lossy {
        return Err(wrong(0, format!("the bytes are not {name} text")));
    }
    Ok(Val::text(text.into_owned()))
}

/// The most rows of a CSV text.
const MAX_ROWS: usize = 100_000;

fn csvdecode(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let text = c.text(0)?;
    let mut rows = csv_rows(&text)?.into_iter();
    let header = rows.next().ok_or_else(|| wrong(0, "there is no line with the names of the columns"))?;
    for (i, name) in header.iter().enumerate() {
        if header.iter().take(i).any(|other| other == name) {
            return Err(wrong(0, format!("the column \"{name}\" occurs twice")));
        }
    }
    let mut objects = Vec::new();
    for (i, row) in rows.enumerate() {
        if row.len() != header.len() {
            return Err(wrong(0, format!("row {} has {} fields, not {}", i + 2, row.len(), header.len())));
        }
        let entries: BTreeMap<String, Val> =
            header.iter().cloned().zip(row.into_iter().map(Val::text)).collect();
        objects.push(Val::object(entries));
    }
    let ty = Type::Object(header.iter().map(|name| (name.clone(), Attribute::of(Type::Text))).collect());
    Ok(V::List(ty, objects.into()).into())
}

/// Rows by RFC 4180; empty lines are left out.
fn csv_rows(text: &str) -> Result<Vec<Vec<String>>, Failure> {
    let mut rows = Vec::new();
    let mut row: Vec<String> = Vec::new();
    let mut field = String::new();
    let mut quoted = false;
    let mut was_quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.next_if_eq(&'"').is_some() => field.push('"'),
            '"' if quoted => quoted = false,
            '"' if field.is_empty() && !was_quoted => (quoted, was_quoted) = (true, true),
            '"' => return Err(wrong(0, format!("row {}: a quote in the middle of a field", rows.len() + 1))),
            ',' if !quoted => {
                row.push(std::mem::take(&mut field));
                was_quoted = false;
            }
            '\r' if !quoted && chars.peek() == Some(&'\n') => {}
            '\n' if !quoted => {
                end_row(&mut rows, &mut row, &mut field, was_quoted)?;
                was_quoted = false;
            }
            c => field.push(c),
        }
    }
    if quoted {
        return Err(wrong(0, "a quote is not closed"));
    }
    end_row(&mut rows, &mut row, &mut field, was_quoted)?;
    Ok(rows)
}

fn end_row(
    rows: &mut Vec<Vec<String>>,
    row: &mut Vec<String>,
    field: &mut String,
    was_quoted: bool,
) -> Result<(), Failure> {
    if row.is_empty() && field.is_empty() && !was_quoted {
        return Ok(());
    }
    row.push(std::mem::take(field));
    rows.push(std::mem::take(row));
    if rows.len() > MAX_ROWS { Err(wrong(0, "there are too many rows")) } else { Ok(()) }
}
