//! Functions of text.

use super::Shape::{Items, Number, Text};
use super::{Call, Failure, Function, MANY, wrong};
use crate::eval::MAX_TEXT;
use crate::value::types::Type;
use crate::value::{V, Val};
use regex::{Regex, RegexBuilder};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use unicode_segmentation::UnicodeSegmentation as _;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("chomp", (1, 1), &[Text], Type::Text, |c| text(c.text(0)?.trim_end_matches(['\r', '\n']))),
    Function::new("endswith", (2, 2), &[Text, Text], Type::Bool, |c| {
        Ok(Val::bool(c.text(0)?.ends_with(&*c.text(1)?)))
    }),
    Function::new("indent", (2, 2), &[Number, Text], Type::Text, indent),
    Function::new("join", (2, MANY), &[Text, Items], Type::Text, join),
    Function::new("lower", (1, 1), &[Text], Type::Text, |c| text(&each(&c.text(0)?, lower))),
    Function::new("regex", (2, 2), &[Text, Text], Type::Dynamic, regex_first),
    Function::new("regex_replace", (3, 3), &[Text, Text, Text], Type::Text, regex_replace),
    Function::new("regexall", (2, 2), &[Text, Text], Type::Dynamic, regex_all),
    Function::new("replace", (3, 3), &[Text, Text, Text], Type::Text, replace),
    Function::new("split", (2, 2), &[Text, Text], Type::Dynamic, split),
    Function::new("startswith", (2, 2), &[Text, Text], Type::Bool, |c| {
        Ok(Val::bool(c.text(0)?.starts_with(&*c.text(1)?)))
    }),
    Function::new("strcontains", (2, 2), &[Text, Text], Type::Bool, |c| {
        Ok(Val::bool(c.text(0)?.contains(&*c.text(1)?)))
    }),
    Function::new("strrev", (1, 1), &[Text], Type::Text, |c| {
        text(&graphemes(&c.text(0)?).rev().collect::<String>())
    }),
    Function::new("substr", (3, 3), &[Text, Number, Number], Type::Text, substr),
    Function::new("title", (1, 1), &[Text], Type::Text, |c| text(&title(&c.text(0)?))),
    Function::new("trim", (2, 2), &[Text, Text], Type::Text, |c| {
        let set = c.text(1)?;
        text(c.text(0)?.trim_matches(|c| set.contains(c)))
    }),
    Function::new("trimprefix", (2, 2), &[Text, Text], Type::Text, |c| {
        let (whole, prefix) = (c.text(0)?, c.text(1)?);
        text(whole.strip_prefix(&*prefix).unwrap_or(&whole))
    }),
    Function::new("trimspace", (1, 1), &[Text], Type::Text, |c| text(c.text(0)?.trim())),
    Function::new("trimsuffix", (2, 2), &[Text, Text], Type::Text, |c| {
        let (whole, suffix) = (c.text(0)?, c.text(1)?);
        text(whole.strip_suffix(&*suffix).unwrap_or(&whole))
    }),
    Function::new("upper", (1, 1), &[Text], Type::Text, |c| text(&each(&c.text(0)?, upper))),
    Function::new("urlencode", (1, 1), &[Text], Type::Text, |c| text(&urlencode(&c.text(0)?))),
];

fn text(text: &str) -> Result<Val, Failure> {
    Ok(Val::text(text))
}

/// What a reader takes for one character, the unit in which the language counts.
pub(super) fn graphemes(text: &str) -> unicode_segmentation::Graphemes<'_> {
    text.graphemes(true)
}

fn each(text: &str, change: fn(char) -> char) -> String {
    text.chars().map(change).collect()
}

/// One letter for one letter, as Go does: `ß` has no capital.
fn upper(c: char) -> char {
    let mut changed = c.to_uppercase();
    changed.next().filter(|_| changed.next().is_none()).unwrap_or(c)
}

fn lower(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

/// Refuses a result that would be longer than any text may be, before it is made.
fn fits(length: usize) -> Result<(), Failure> {
    if length > MAX_TEXT { Err("the result is longer than 16 MiB".into()) } else { Ok(()) }
}

fn indent(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let (count, whole) = (c.size(0)?, c.text(1)?);
    let lines = whole.matches('\n').count();
    fits(whole.len().saturating_add(lines.saturating_mul(count)))?;
    text(&whole.replace('\n', &format!("\n{}", " ".repeat(if lines > 0 { count } else { 0 }))))
}

fn join(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let separator = c.text(0)?;
    let mut parts = Vec::new();
    for at in 1..c.len() {
        parts.extend(c.texts(at)?);
    }
    let total: usize = parts.iter().map(|part| part.len() + separator.len()).sum();
    fits(total)?;
    text(&parts.join(&*separator))
}

fn replace(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let (whole, old, new) = (c.text(0)?, c.text(1)?, c.text(2)?);
    let count = whole.matches(&*old).count();
    fits(whole.len().saturating_add(count.saturating_mul(new.len())))?;
    text(&whole.replace(&*old, &new))
}

fn split(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let (separator, whole) = (c.text(0)?, c.text(1)?);
    Ok(if separator.is_empty() {
        Val::texts(whole.chars().map(String::from))
    } else if whole.is_empty() {
        Val::texts([String::new()])
    } else {
        Val::texts(whole.split(&*separator).map(str::to_owned))
    })
}

/// Characters from `offset` (from the end if negative), `length` of them (-1 for the rest).
fn substr(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let (whole, offset, length) = (c.text(0)?, c.whole(1)?, c.whole(2)?);
    let count = i64::try_from(graphemes(&whole).count()).unwrap_or(i64::MAX);
    let start = if offset < 0 { (offset + count).max(0) } else { offset.min(count) };
    let length = if length < 0 { count } else { length };
    let skip = usize::try_from(start).unwrap_or(0);
    let take = usize::try_from(length).unwrap_or(usize::MAX);
    text(&graphemes(&whole).skip(skip).take(take).collect::<String>())
}

/// The first letter of each word as a capital, the rest as it is.
fn title(whole: &str) -> String {
    let mut inside = false;
    let mut out = String::with_capacity(whole.len());
    for c in whole.chars() {
        out.push(if inside { c } else { upper(c) });
        // Of what is not ASCII only spaces end a word.
        inside = if c.is_ascii() { c.is_ascii_alphanumeric() || c == '_' } else { !c.is_whitespace() };
    }
    out
}

/// As a query: space becomes `+`.
fn urlencode(whole: &str) -> String {
    let mut out = String::with_capacity(whole.len());
    for b in whole.bytes() {
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

/// Compiles a pattern; its size is bounded, its matching linear.
pub(super) fn pattern(c: &Call<'_, '_>, at: usize) -> Result<Regex, Failure> {
    let source = c.text(at)?;
    RegexBuilder::new(&source).size_limit(2 << 20).build().map_err(|e| {
        let message = e.to_string();
        let last = message.lines().last().unwrap_or("").trim_start_matches("error: ").to_owned();
        wrong(at, format!("not a regular expression: {last}"))
    })
}

/// A match as `regex` gives it: text without groups, a tuple of groups, or an object of named ones.
fn captured(regex: &Regex, captures: &regex::Captures<'_>) -> Result<Val, Failure> {
    let group =
        |m: Option<regex::Match<'_>>| m.map_or_else(|| V::Null(Type::Text).into(), |m| Val::text(m.as_str()));
    let named: Vec<&str> = regex.capture_names().flatten().collect();
    if regex.captures_len() == 1 {
        return Ok(group(captures.get(0)));
    }
    if named.is_empty() {
        return Ok(Val::tuple(captures.iter().skip(1).map(group).collect()));
    }
    if named.len() + 1 != regex.captures_len() {
        return Err(wrong(0, "named and unnamed groups cannot be mixed"));
    }
    let entries: BTreeMap<String, Val> =
        named.into_iter().map(|name| (name.to_owned(), group(captures.name(name)))).collect();
    Ok(Val::object(entries))
}

fn regex_first(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let regex = pattern(c, 0)?;
    let whole = c.text(1)?;
    let captures = regex.captures(&whole).ok_or_else(|| wrong(1, "the pattern does not match"))?;
    captured(&regex, &captures)
}

fn regex_all(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let regex = pattern(c, 0)?;
    let whole = c.text(1)?;
    let mut found = Vec::new();
    for captures in regex.captures_iter(&whole) {
        found.push(captured(&regex, &captures)?);
    }
    let ty = found.first().map_or(Type::Dynamic, Val::ty);
    Ok(V::List(ty, found.into()).into())
}

fn regex_replace(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let whole = c.text(0)?;
    let regex = pattern(c, 1)?;
    let replacement = c.text(2)?;
    let count = regex.find_iter(&whole).count();
    fits(
        whole.len().saturating_add(count.saturating_mul(whole.len().saturating_add(replacement.len()))).min(
            // Only a replacement with groups can grow with the text itself.
            if replacement.contains('$') {
                usize::MAX
            } else {
                whole.len() + count.saturating_mul(replacement.len())
            },
        ),
    )?;
    text(&regex.replace_all(&whole, &*replacement))
}
