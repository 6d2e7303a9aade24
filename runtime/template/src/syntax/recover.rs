//! A file in spite of its mistakes: the parser stops at the first, so what is broken is reported,
//! taken out, and the rest is parsed.
//!
//! Nothing here runs for a file without mistakes. Otherwise strings that do not end are replaced,
//! the file is split into its top-level items by the brackets, and in each item one statement after
//! the other is taken out until the item parses. Spaces replace what is taken out, so every place
//! stays what it was.

mod items;
pub(super) mod mistake;

use super::Body;
use super::hcl::{Stop, parse_part};
use crate::layout::lex::{self, Kind, Token};
use items::Item;
use kiln_plan::{Diagnostics, FileId};
use std::ops::Range;

/// The most mistakes that are looked for in one item, and in one file.
const MOST_IN_ITEM: usize = 10;
const MOST: usize = 50;

/// What may stand behind a text on its line.
const CLOSING: [char; 8] = [']', ')', '}', ',', '{', ' ', '\t', '\r'];

/// What a file has and what is wrong with it.
pub(crate) struct Parsed {
    /// All that could be read.
    pub(crate) body: Body,
    /// Syntax errors, in the order of the file.
    pub(crate) mistakes: Diagnostics,
}

/// Parses a file.
pub(crate) fn parse_file(text: &str, file: FileId) -> Parsed {
    // The language ignores a byte order mark.
    let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let first = match parse_part(text.get(start..).unwrap_or(""), start, file) {
        Ok(Ok(body)) => return Parsed { body, mistakes: Diagnostics::new() },
        Ok(Err(found)) => *found,
        Err(stop) => mistake::at(text, &lex::scan(text).0, start + stop.offset, &stop.message, file),
    };
    let parsed = Parsed { body: Body::default(), mistakes: Diagnostics::new() };
    let (unended, misquoted) = (Vec::new(), Vec::new());
    let recovery = Recovery { file, original: text, text: text.to_owned(), parsed, unended, misquoted };
    let mut parsed = recovery.run(start);
    if parsed.mistakes.is_empty() {
        parsed.mistakes.push(first);
    }
    parsed
}

struct Recovery<'t> {
    file: FileId,
    original: &'t str,
    /// With what is broken taken out.
    text: String,
    parsed: Parsed,
    /// Where a text does not end.
    unended: Vec<usize>,
    /// Where a text in wrong quotes is, which ends.
    misquoted: Vec<usize>,
}

impl Recovery<'_> {
    fn run(mut self, start: usize) -> Parsed {
        self.blank(0..start);
        self.replace_unended();
        let text = self.text.clone();
        let (tokens, _) = lex::scan(&text);
        for item in items::split(&tokens, text.len()) {
            if self.parsed.mistakes.len() >= MOST {
                break;
            }
            self.item(&item, &tokens);
        }
        self.parsed.mistakes.sort_by_key(|d| d.span.map_or(0, |span| span.start));
        self.parsed.mistakes.truncate(MOST);
        self.parsed
    }

    /// Reports strings, heredocs and comments that do not end, and strings in wrong quotes, and puts
    /// a name in their places.
    fn replace_unended(&mut self) {
        let text = self.text.clone();
        let (tokens, unclosed) = lex::scan(&text);
        for one in unclosed.into_iter().take(MOST) {
            // The other end of a text over several lines seems to begin one.
            let rest = text.get(one.from + 1..line_end(&text, one.from)).unwrap_or("");
            if self.unended.is_empty() || !rest.trim_matches(CLOSING).is_empty() {
                self.parsed.mistakes.push(mistake::unended(self.original, &one, self.file));
            }
            let to_end = matches!(one.what, lex::Unended::Heredoc(_) | lex::Unended::Comment);
            let end = if to_end { text.len() } else { line_end(&text, one.from) };
            self.replace(one.from..end);
            self.unended.push(one.from);
        }
        self.replace_misquoted(&text, &tokens);
    }

    fn replace_misquoted(&mut self, text: &str, tokens: &[Token<'_>]) {
        let mut behind = 0;
        for token in tokens.iter().filter(|t| t.kind == Kind::Operator && is_wrong_quote(t.text)) {
            if token.at < behind || self.unended.len() + self.misquoted.len() >= MOST {
                continue;
            }
            let line = token.at..line_end(text, token.at);
            let inner = text.get(line.start + token.text.len()..line.end).unwrap_or("");
            let closed = inner.char_indices().find(|(_, c)| is_wrong_quote(c.encode_utf8(&mut [0; 4])));
            let end = closed.map_or(line.end, |(at, c)| line.start + token.text.len() + at + c.len_utf8());
            self.parsed.mistakes.push(mistake::wrong_quotes(self.original, token.at..end, self.file));
            self.replace(token.at..end);
            let places = if closed.is_some() { &mut self.misquoted } else { &mut self.unended };
            places.push(token.at);
            behind = end;
        }
    }

    /// Puts a name in the place of a broken text. Brackets and commas at its end are taken for what
    /// stands behind it.
    fn replace(&mut self, range: Range<usize>) {
        let text = self.text.get(range.clone()).unwrap_or("");
        let kept = text.trim_end_matches(CLOSING).len().max(1);
        self.blank(range.start..range.start + kept);
        self.text.replace_range(range.start..=range.start, "x");
    }

    fn blank(&mut self, range: Range<usize>) {
        let spaces: String = self.text.get(range.clone()).map(blanked).unwrap_or_default();
        if spaces.len() == range.len() {
            self.text.replace_range(range, &spaces);
        }
    }

    fn item(&mut self, item: &Item, tokens: &[Token<'_>]) {
        // A string that does not end takes brackets with it.
        let is_broken = self.unended.iter().any(|at| item.range.contains(at));
        if !is_broken {
            let strays = item.strays.iter().take(MOST).map(|at| mistake::stray(tokens, *at, self.file));
            self.parsed.mistakes.extend(strays);
            let unclosed = item.unclosed.iter();
            let found = unclosed.map(|one| mistake::unclosed(self.original, tokens, one, self.file));
            self.parsed.mistakes.extend(found);
        }
        if item.unclosed.is_some() {
            return;
        }
        for token in item.strays.iter().take(MOST).filter_map(|at| tokens.get(*at)) {
            self.blank(token.at..token.at + token.text.len());
        }
        let tokens = tokens.get(item.tokens.clone()).unwrap_or_default();
        for _ in 0..MOST_IN_ITEM {
            let part = self.text.get(item.range.clone()).unwrap_or("");
            let (found, offset) = match parse_part(part, item.range.start, self.file) {
                Ok(Ok(body)) => {
                    self.parsed.body.attributes.extend(body.attributes);
                    self.parsed.body.blocks.extend(body.blocks);
                    return;
                }
                Ok(Err(found)) => {
                    let offset = found.span.map_or(item.range.start, |span| span.start as usize);
                    (*found, offset)
                }
                Err(Stop { offset, message }) => {
                    let offset = item.range.start + offset;
                    (mistake::at(self.original, tokens, offset, &message, self.file), offset)
                }
            };
            let statement = items::statement(tokens, offset).filter(|range| !self.is_blank(range));
            // Where a text was replaced it is known already.
            let is_near = |at: &usize| statement.as_ref().is_none_or(|range| range.contains(at));
            if !is_broken && !self.misquoted.iter().filter(|at| item.range.contains(at)).any(is_near) {
                self.parsed.mistakes.push(found);
            }
            match statement {
                Some(range) => self.blank(range),
                None => return,
            }
        }
    }

    fn is_blank(&self, range: &Range<usize>) -> bool {
        self.text.get(range.clone()).is_none_or(|text| text.trim().is_empty())
    }
}

fn blanked(text: &str) -> String {
    text.bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }).collect()
}

fn line_end(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |length| at + length)
}

/// A quotation mark that the language does not know.
fn is_wrong_quote(text: &str) -> bool {
    matches!(text, "'" | "`" | "\u{201c}" | "\u{201d}" | "\u{201e}" | "\u{2018}" | "\u{2019}")
}
