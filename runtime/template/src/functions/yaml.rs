//! YAML. Read from events, so nesting does not recurse and aliases share what they name; the size
//! of the result is checked as for every function.

mod text;

use super::Shape::{Any, Text};
use super::{Call, Failure, Function, wrong};
use crate::value::number::Num;
use crate::value::types::Type;
use crate::value::{V, Val};
use saphyr_parser::{Event, Parser, ScalarStyle};
use std::collections::BTreeMap;

/// The deepest nesting.
const MAX_DEPTH: usize = 100;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("yamldecode", (1, 1), &[Text], Type::Dynamic, yamldecode),
    Function::new("yamlencode", (1, 1), &[Any], Type::Text, yamlencode).nulls(),
];

/// A collection whose end has not come.
enum Open {
    List(Vec<Val>, usize),
    Map(BTreeMap<String, Val>, Option<Val>, usize),
}

fn yamldecode(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let text = c.text(0)?;
    let mut stack: Vec<Open> = Vec::new();
    let mut anchors: BTreeMap<usize, Val> = BTreeMap::new();
    let mut done = None;
    for event in Parser::new_from_str(&text) {
        let (event, span) = event.map_err(|e| wrong(0, format!("not YAML: {e}")))?;
        let at = |what: &str| wrong(0, format!("line {}: {what}", span.start.line()));
        if done.is_some() && !matches!(event, Event::StreamEnd | Event::DocumentEnd | Event::Nothing) {
            return Err(at("there is more than one document"));
        }
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.map(|tag| format!("{}{}", tag.handle, tag.suffix));
                (tagged(&text, style, tag.as_deref()).map_err(|e| at(&e))?, anchor)
            }
            Event::Alias(id) => (anchors.get(&id).cloned().ok_or_else(|| at("the alias names nothing"))?, 0),
            Event::SequenceStart(anchor, _) => {
                stack.push(Open::List(Vec::new(), anchor));
                (Val::null(), usize::MAX)
            }
            Event::MappingStart(anchor, _) => {
                stack.push(Open::Map(BTreeMap::new(), None, anchor));
                (Val::null(), usize::MAX)
            }
            Event::SequenceEnd | Event::MappingEnd => match stack.pop() {
                Some(Open::List(items, anchor)) => (Val::tuple(items), anchor),
                Some(Open::Map(entries, _, anchor)) => (Val::object(entries), anchor),
                None => return Err(at("unexpected end")),
            },
            _ => continue,
        };
        if stack.len() > MAX_DEPTH {
            return Err(at("nested too deep"));
        }
        if anchor == usize::MAX {
            continue;
        }
        if anchor > 0 {
            anchors.insert(anchor, value.clone());
        }
        match stack.last_mut() {
            None => done = Some(value),
            Some(Open::List(items, _)) => items.push(value),
            Some(Open::Map(entries, key, _)) => match key.take() {
                None => *key = Some(value),
                Some(name) => insert(entries, &name, value).map_err(|e| at(&e))?,
            },
        }
    }
    done.ok_or_else(|| wrong(0, "there is no document"))
}

fn insert(entries: &mut BTreeMap<String, Val>, name: &Val, value: Val) -> Result<(), String> {
    let name = crate::value::convert::convert(name, &Type::Text).map_err(|_| "a key must be a string")?;
    let name = name.as_text().ok_or("a key must not be null")?;
    if name != "<<" {
        entries.insert(name.to_owned(), value);
        return Ok(());
    }
    // What is written by itself wins over what is merged in.
    let alone = [value.clone()];
    for map in value.items().unwrap_or(&alone) {
        let merged = map.entries().ok_or("only a map can be merged")?;
        for (name, value) in merged {
            entries.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    Ok(())
}

/// A scalar whose type may be written before it.
fn tagged(text: &str, style: ScalarStyle, tag: Option<&str>) -> Result<Val, String> {
    let Some(tag) = tag else { return scalar(text, style) };
    let plain = || scalar(text, ScalarStyle::Plain);
    let must = |fits: fn(&V) -> bool| {
        plain().and_then(
            |v| if fits(&v.v) { Ok(v) } else { Err(format!("\"{text}\" is not of the type {tag}")) },
        )
    };
    match tag.strip_prefix("tag:yaml.org,2002:").unwrap_or(tag) {
        "!" | "str" => Ok(Val::text(text)),
        "null" => Ok(Val::null()),
        "bool" => must(|v| matches!(v, V::Bool(_))),
        "int" | "float" => must(|v| matches!(v, V::Number(_))),
        "timestamp" => {
            text::timestamp(text).map(Val::text).ok_or_else(|| format!("\"{text}\" is not a time"))
        }
        // Its text stays base64: the language has no bytes.
        "binary" => Ok(Val::text(text.chars().filter(|c| !c.is_whitespace()).collect::<String>())),
        _ => Err(format!("the type {tag} is not known")),
    }
}

/// A plain scalar as Packer's reader has it: numbers and truths of YAML 1.1, but text for hexadecimal.
fn scalar(text: &str, style: ScalarStyle) -> Result<Val, String> {
    if style != ScalarStyle::Plain {
        return Ok(Val::text(text));
    }
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Val::null(),
        // Packer's reader still has the words of YAML 1.1, also for keys.
        "true" | "True" | "TRUE" | "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Val::bool(true),
        "false" | "False" | "FALSE" | "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            Val::bool(false)
        }
        ".inf" | ".Inf" | ".INF" | "-.inf" | "+.inf" | ".nan" | ".NaN" | ".NAN" => {
            return Err(format!("{text} cannot be a number here"));
        }
        _ => {
            let starts = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'));
            let plain = text.replace('_', "");
            let binary = plain.strip_prefix("0b").and_then(|digits| i64::from_str_radix(digits, 2).ok());
            let number = || Num::parse(&plain).map(|n| V::Number(n).into());
            Some(())
                .filter(|()| starts)
                .and_then(|()| binary.map(Val::number).or_else(number))
                .or_else(|| text::timestamp(text).map(Val::text))
                .unwrap_or_else(|| Val::text(text))
        }
    })
}

fn yamlencode(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let value = c.get(0)?;
    let mut out = String::new();
    write(value, 0, &mut out);
    end_line(&mut out);
    if matches!(value.v, V::Null(_) | V::Bool(_) | V::Number(_)) {
        // A plain word could go on in the next line, so the document's end is said.
        out.push_str("...\n");
    }
    Ok(Val::text(out))
}

/// Writes a value whose first line stands behind what is there; a collection ends with a line end.
fn write(value: &Val, level: usize, out: &mut String) {
    let pad = "  ".repeat(level);
    match (&value.v, value.items(), value.entries()) {
        (V::Text(text), ..) => text::write(text, level.max(1), out),
        (_, Some(items), _) if !items.is_empty() => {
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push_str(&pad);
                }
                out.push_str("- ");
                write(item, level + 1, out);
                end_line(out);
            }
        }
        (_, _, Some(entries)) if !entries.is_empty() => {
            for (i, (name, item)) in entries.iter().enumerate() {
                if i > 0 {
                    out.push_str(&pad);
                }
                text::quote(name, level.max(1), out);
                out.push(':');
                let nested_map = item.entries().is_some_and(|e| !e.is_empty());
                let nested_list = item.items().is_some_and(|i| !i.is_empty());
                if nested_map {
                    out.push('\n');
                    out.push_str(&"  ".repeat(level + 1));
                    write(item, level + 1, out);
                } else if nested_list {
                    // The items of a list stand in the column of their key.
                    out.push('\n');
                    out.push_str(&pad);
                    write(item, level, out);
                } else {
                    out.push(' ');
                    write(item, level + 1, out);
                }
                end_line(out);
            }
        }
        _ => super::encoding::write_json(value, out),
    }
}

fn end_line(out: &mut String) {
    if !out.ends_with('\n') {
        out.push('\n');
    }
}
