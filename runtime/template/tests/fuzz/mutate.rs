//! Changes of a text: by byte, by token, by what stands between brackets.

use super::chance::Chance;
use super::engine::Target;
use serde_json::Value;
use std::ops::Range;

/// Numbers at which something changes.
const NUMBERS: &[&str] = &[
    "0",
    "-1",
    "1e400",
    "1e-400",
    "0.1",
    "255",
    "256",
    "65536",
    "2147483648",
    "9223372036854775807",
    "18446744073709551616",
    "1e18",
    "99999999999999999999999999999999",
    "-0",
    "1_000",
    "0x10",
];
/// Signs that are troublesome anywhere.
const SIGNS: &[&str] = &[
    "\u{0}", "\u{202e}", "\u{feff}", "\u{2028}", "é", "e\u{301}", "🜁", "\r", "\r\n", "\t", "\u{fffd}", "\\",
    "\\u0000", "\\ud800", "\"", "`", "'",
];

/// A few changes of `text`; `other` is where parts are taken from.
pub(crate) fn mutated(text: &str, other: &str, target: &Target, chance: &mut Chance) -> String {
    if !chance.once_in(4)
        && let Some(text) = json(text, other, target, chance)
    {
        return text;
    }
    let mut text = text.to_owned();
    for _ in 0..=chance.below(5) {
        change(&mut text, other, target, chance);
    }
    text
}

fn change(text: &mut String, other: &str, target: &Target, chance: &mut Chance) {
    let tokens = tokens(text);
    let place = place(&tokens, text.len(), chance);
    match chance.below(12) {
        // A piece, from the list or from the grammar, put in or put in place of a token.
        0 => text.insert_str(place.start, chance.of(target.pieces)),
        1 => text.replace_range(place, chance.of(target.pieces)),
        2 => text.insert_str(place.start, &(target.grow)(chance)),
        3 | 4 => {
            let region = region(text, place, chance);
            text.replace_range(region, &(target.grow)(chance));
        }
        // Tokens gone, doubled, swapped, repeated.
        5 => text.replace_range(place, ""),
        6 => {
            let part = text[place.clone()].to_owned();
            text.insert_str(place.end, &part);
        }
        7 => {
            let region = region(text, place, chance);
            let part = text[region.clone()].to_owned();
            let times = if chance.once_in(20) { 200 } else { 1 + chance.below(4) };
            if part.len() * times < 20_000 {
                text.insert_str(region.end, &part.repeat(times));
            }
        }
        // A part of another input.
        8 => {
            let theirs = self::tokens(other);
            let from = region(other, self::place(&theirs, other.len(), chance), chance);
            let region = region(text, place, chance);
            text.replace_range(region, &other[from]);
        }
        9 => text.replace_range(place, chance.of(NUMBERS)),
        10 => text.insert_str(place.start, chance.of(SIGNS)),
        // Deep: what is between brackets, in itself.
        _ => {
            let region = region(text, place, chance);
            let (open, close) = chance.of(&[
                ("[", "]"),
                ("(", ")"),
                ("{a=", "}"),
                ("\"${", "}\""),
                ("{\"a\":", "}"),
                ("{{if ", "}}{{end}}"),
            ]);
            let times = if chance.once_in(10) { 500 } else { 1 + chance.below(3) };
            text.insert_str(region.end, &close.repeat(times));
            text.insert_str(region.start, &open.repeat(times));
        }
    }
}

/// One of the tokens; the end if there is none.
fn place(tokens: &[Range<usize>], end: usize, chance: &mut Chance) -> Range<usize> {
    if tokens.is_empty() { end..end } else { chance.of(tokens) }
}

/// Words, numbers, runs of space, and every other sign by itself.
fn tokens(text: &str) -> Vec<Range<usize>> {
    let class = |sign: char| match sign {
        _ if sign.is_alphanumeric() || sign == '_' => 1,
        ' ' | '\n' | '\t' => 2,
        _ => 0,
    };
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut before = 0;
    for (at, sign) in text.char_indices() {
        let (now, end) = (class(sign), at + sign.len_utf8());
        match found.last_mut() {
            Some(last) if now != 0 && now == before => last.end = end,
            _ => found.push(at..end),
        }
        before = now;
    }
    found
}

/// From an opening bracket to the one that closes it, or the token itself; sometimes the line.
fn region(text: &str, token: Range<usize>, chance: &mut Chance) -> Range<usize> {
    let Some(open) = text[token.clone()].chars().next() else { return token };
    let Some(close) =
        [('{', '}'), ('[', ']'), ('(', ')'), ('"', '"')].into_iter().find(|pair| pair.0 == open)
    else {
        return if chance.once_in(3) { line(text, token) } else { token };
    };
    let mut depth = 0;
    for (at, sign) in text[token.start..].char_indices() {
        if sign == close.1 && (at > 0 || close.0 != close.1) {
            depth -= 1;
            if depth <= 0 {
                return token.start..token.start + at + sign.len_utf8();
            }
        } else if sign == open {
            depth += 1;
        }
    }
    token
}

fn line(text: &str, token: Range<usize>) -> Range<usize> {
    let start = text[..token.start].rfind('\n').map_or(0, |at| at + 1);
    let end = text[token.end..].find('\n').map_or(text.len(), |at| token.end + at);
    start..end
}

/// A text that is JSON with a few of its values changed, so that it still is.
fn json(text: &str, other: &str, target: &Target, chance: &mut Chance) -> Option<String> {
    let mut tree: Value = serde_json::from_str(text).ok()?;
    let mut theirs: Value = serde_json::from_str(other).unwrap_or_default();
    for _ in 0..=chance.below(4) {
        let new = match chance.below(4) {
            0 => std::mem::take(node(&mut theirs, chance)),
            1 => node(&mut tree, chance).clone(),
            _ => serde_json::from_str(&(target.grow)(chance)).unwrap_or_default(),
        };
        let old = node(&mut tree, chance);
        match old {
            Value::Array(list) if chance.once_in(2) => list.insert(chance.below(list.len()), new),
            Value::Object(object) if chance.once_in(2) => {
                let name = chance.of(super::grow::WORDS);
                object.insert(name.to_owned(), new);
            }
            _ => *old = new,
        }
    }
    Some(tree.to_string())
}

/// Any value inside of a value, or itself.
fn node<'v>(tree: &'v mut Value, chance: &mut Chance) -> &'v mut Value {
    let len = match tree {
        Value::Array(list) => list.len(),
        Value::Object(object) => object.len(),
        _ => 0,
    };
    if len == 0 || chance.once_in(6) {
        return tree;
    }
    let at = chance.below(len);
    let inner = match tree {
        Value::Array(list) => &mut list[at],
        Value::Object(object) => object.values_mut().nth(at).expect("as many as counted"),
        _ => unreachable!("only they have values inside"),
    };
    node(inner, chance)
}
