//! JSON with the place of every value, numbers as they are written.
//!
//! A mistake does not end the reading. It is reported, and the reader goes on where it is certain how;
//! if it is not, it gives up: a mistake too few is found in the next run, one that is none misleads.

mod brackets;
mod recover;
mod scan;
mod text;

use kiln_plan::code::template as code;
use kiln_plan::{Diagnostic, Diagnostics, FileId, Span};
use std::collections::BTreeSet;
use std::ops::Range;

/// The deepest nesting.
const MAX_DEPTH: usize = 64;
/// The most mistakes that are reported.
const MOST: usize = 50;
/// What editors may put before a text.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A value and its place.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) content: Content,
    pub(crate) span: Span,
}

/// The content of an [`Item`].
#[derive(Debug, Clone)]
pub(crate) enum Content {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Item>),
    Object(Vec<Entry>),
}

/// Name, its place, value.
pub(crate) type Entry = (String, Span, Item);

/// What a text has and what is wrong with it.
pub(crate) struct Parsed {
    /// None if mistakes leave a doubt about what is meant.
    pub(crate) item: Option<Item>,
    /// In the order of the text.
    pub(crate) mistakes: Diagnostics,
}

/// Reads one value and nothing behind it. A name may occur twice in an object only if `repeats`; the
/// last one counts then.
pub(crate) fn read(text: &str, file: FileId, repeats: bool) -> Parsed {
    let mut reader = Reader {
        text,
        at: 0,
        file,
        repeats,
        open: Vec::new(),
        mistakes: Diagnostics::new(),
        certain: true,
        lost: false,
        trusted: true,
        separated: false,
        fits: None,
        guesses: 0,
    };
    let item = reader.root();
    let (certain, mut mistakes) = (reader.certain, reader.mistakes);
    mistakes.sort_by_key(|mistake| mistake.span.map_or(0, |span| span.start));
    // Of one place one thing is said.
    mistakes.dedup_by(|second, first| second.span == first.span);
    Parsed { item: certain.then_some(item), mistakes }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    file: FileId,
    /// Whether a name may occur twice, the last one counting.
    repeats: bool,
    /// Where the brackets are that are open.
    open: Vec<usize>,
    mistakes: Diagnostics,
    /// Whether it is known what the mistakes so far were to mean.
    certain: bool,
    /// Whether it gave up.
    lost: bool,
    /// Whether no bracket can be in what was skipped.
    trusted: bool,
    /// Whether the next part needs no comma before it, as what is before it was reported.
    separated: bool,
    /// Whether the brackets of the rest fit to those that are open, if that is known.
    fits: Option<bool>,
    /// How often something else than what is there was tried out on the rest of the text.
    guesses: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn next(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn part(&self, range: Range<usize>) -> &'t str {
        self.text.get(range).unwrap_or("")
    }

    fn span(&self, range: Range<usize>) -> Span {
        let at = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Span { file: self.file, start: at(range.start), end: at(range.end) }
    }

    fn syntax(&self, what: &str, range: Range<usize>) -> Diagnostic {
        Diagnostic::error(code::SYNTAX, format!("syntax error: {what}")).at(self.span(range))
    }

    /// Goes on at a place further on.
    fn go(&mut self, at: usize) {
        if !self.lost {
            self.at = at;
        }
    }

    fn take(&mut self, sign: char) -> bool {
        self.space();
        let found = self.next() == Some(sign);
        self.at += usize::from(found);
        found
    }

    fn root(&mut self) -> Item {
        if self.rest().starts_with(BYTE_ORDER_MARK) {
            self.at += BYTE_ORDER_MARK.len_utf8();
            let mark = self.syntax("JSON does not begin with a byte order mark", 0..self.at);
            self.tell(mark.help("save the file as UTF-8 without it"));
        }
        self.space();
        if !self.value_is_next() {
            self.doubt(self.syntax("a JSON value is expected here", self.at..self.at));
            self.lose();
        }
        let item = self.value(0);
        self.space();
        if !self.rest().is_empty() {
            self.doubt(self.syntax("nothing is expected here", self.at..self.at));
        }
        item
    }

    fn value(&mut self, depth: usize) -> Item {
        self.space();
        let start = self.at;
        if depth > MAX_DEPTH {
            self.doubt(self.syntax("nested too deep", self.at..self.at));
            self.lose();
        }
        let content = match self.next() {
            Some('{') if !scan::is_go_template(self.rest()) => self.object(depth),
            Some('[') => self.list(depth),
            Some('"') => Content::Text(self.string(false)),
            Some(sign) if scan::is_wrong_quote(sign) => Content::Text(self.wrong_quotes()),
            Some('=' | ':') => return self.value_behind_signs(depth),
            None => Content::Null,
            Some(',' | '}' | ']') => self.no_value(),
            Some(_) => self.plain(),
        };
        Item { content, span: self.span(start..self.at) }
    }

    /// A number or a word, or what should have been text.
    fn plain(&mut self) -> Content {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"+-._".contains(c));
        let word = rest.get(..end.unwrap_or(rest.len())).unwrap_or("");
        let content = match word {
            // The quote before it is missing.
            _ if rest.get(word.len()..).is_some_and(|rest| rest.starts_with('"')) => return self.unquoted(),
            "null" => Content::Null,
            "true" => Content::Bool(true),
            "false" => Content::Bool(false),
            _ if is_number(word) => Content::Number(word.to_owned()),
            _ => return self.unquoted(),
        };
        self.at += word.len();
        content
    }

    fn list(&mut self, depth: usize) -> Content {
        let mut items = Vec::new();
        let mut is_named = false;
        self.group(']', &mut |reader| {
            if reader.next() == Some('"') && reader.name_is_next() {
                reader.name_in_list(is_named);
                is_named = true;
            }
            items.push(reader.value(depth + 1));
        });
        Content::List(items)
    }

    fn object(&mut self, depth: usize) -> Content {
        let mut entries = Vec::new();
        let mut seen = BTreeSet::new();
        self.group('}', &mut |reader| reader.member(depth, &mut entries, &mut seen));
        Content::Object(entries)
    }

    fn member(&mut self, depth: usize, entries: &mut Vec<Entry>, seen: &mut BTreeSet<String>) {
        let start = self.at;
        let known = self.mistakes.len();
        let Some(name) = self.name(depth) else { return };
        let place = start..self.at;
        self.space();
        if self.mistakes.len() > known && !self.rest().starts_with([':', '=']) {
            // What is wrong with the name may be why there is no colon.
            self.certain = false;
            return self.skip_to_member();
        }
        if !self.colon(place.clone()) {
            return;
        }
        let item = self.member_value(depth + 1);
        let span = self.span(place);
        if name != "//" && !seen.insert(name.clone()) && !self.repeats {
            self.doubt(Diagnostic::error(code::DUPLICATE, format!("\"{name}\" occurs twice")).at(span));
            return;
        }
        entries.push((name, span, item));
    }

    /// What is between brackets, each part read by `part`, which takes at least a sign.
    fn group(&mut self, close: char, part: &mut dyn FnMut(&mut Self)) {
        self.open.push(self.at);
        self.at += 1;
        let mut comma = None;
        while !self.ends(close, comma) {
            part(self);
            comma = self.comma(close);
        }
        self.open.pop();
    }
}

/// Whether digits lead, follow the point and follow the `e`, without zeros in front.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    let (number, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && digits(fraction)
        && digits(power.strip_prefix(['+', '-']).unwrap_or(power))
}

#[cfg(test)]
mod tests;
