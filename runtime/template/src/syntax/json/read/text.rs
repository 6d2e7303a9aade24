//! Texts in quotes, in wrong quotes and in none.

use super::scan::{self, is_balanced, line_end};
use super::{Content, Reader};
use crate::syntax::recover::mistake;
use kiln_plan::Diagnostic;
use kiln_plan::code::template as code;
use std::ops::Range;

/// What may stand behind a text that has no quote at its end.
const CLOSING: [char; 9] = [']', ')', '}', ',', '{', '[', ' ', '\t', '\r'];
/// The longest text that a help repeats, in bytes.
const MAX_SHOWN: usize = 40;

impl Reader<'_> {
    /// Text in quotes. The end of a name is more easily found if it has no quote.
    pub(super) fn string(&mut self, is_name: bool) -> String {
        let start = self.at;
        let mut values = serde_json::Deserializer::from_str(self.rest()).into_iter::<String>();
        let read = values.next().and_then(Result::ok);
        if read.is_some() {
            self.at += values.byte_offset();
        } else if let Some(end) = scan::text_end(self.text, start) {
            self.wrong_sign(start..end);
        } else {
            self.unended(start, is_name);
            return String::new();
        }
        if self.more_follows() {
            self.inner_quote(start, is_name);
        }
        read.unwrap_or_default()
    }

    /// An escape or a sign that may not be in a text; the first one.
    fn wrong_sign(&mut self, place: Range<usize>) {
        self.at = place.end;
        let mut signs = self.part(place.clone()).char_indices().map(|(at, sign)| (place.start + at, sign));
        while let Some((at, sign)) = signs.next() {
            let mistake = match sign {
                '\t' => self.syntax("a tab inside a text is written `\\t`", at..at + 1),
                '\0'..='\x1f' => {
                    let what = format!("this sign inside a text is written `\\u{:04x}`", u32::from(sign));
                    self.syntax(&what, at..at + 1)
                }
                '\\' => match self.wrong_escape(at) {
                    Some(mistake) => mistake,
                    None => {
                        signs.next();
                        continue;
                    }
                },
                _ => continue,
            };
            return self.doubt(mistake);
        }
        self.doubt(self.syntax("this text has a wrong escape", place));
    }

    fn wrong_escape(&self, at: usize) -> Option<Diagnostic> {
        let escaped = self.part(at + 1..self.text.len());
        let sign = escaped.chars().next()?;
        let digits = escaped.bytes().skip(1).take_while(u8::is_ascii_hexdigit).take(4).count();
        match sign {
            '"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't' => None,
            'u' if digits == 4 => None,
            'u' => Some(self.syntax("`\\u` needs four hexadecimal digits", at..at + 2 + digits)),
            _ => {
                let what = format!("JSON has no escape `\\{sign}`");
                let mistake = self.syntax(&what, at..at + 1 + sign.len_utf8());
                Some(mistake.help("write `\\\\` for a backslash"))
            }
        }
    }

    /// A text without a quote at its end, or one of several lines.
    fn unended(&mut self, start: usize, is_name: bool) {
        let line_end = line_end(self.text, start);
        let line = self.part(start..line_end);
        let next = self.part(line_end..self.text.len()).find('"').map(|quote| line_end + quote + 1);
        let (end, help) = match next.filter(|end| scan::is_end_of_value(self.text, *end)) {
            Some(end) => (end, "write `\\n` for the end of a line inside a text"),
            None => (start + unended_length(line, is_name), "add `\"` at the end of the text"),
        };
        let place = self.span(start..start + line.trim_end().len());
        self.go(end);
        let mistake = Diagnostic::error(code::UNCLOSED, "text in quotes must end on its line");
        self.doubt(mistake.at(place).help(help));
        self.trusted = false;
    }

    /// Whether something is right behind the text that was read, and cannot begin something else.
    fn more_follows(&self) -> bool {
        match self.next() {
            None => false,
            Some('"') => !scan::text_end(self.text, self.at).is_some_and(|end| scan::is_end(self.text, end)),
            Some(sign) => !sign.is_whitespace() && !",:;=]}[{/#".contains(sign),
        }
    }

    /// A quote inside a text ended it.
    fn inner_quote(&mut self, start: usize, is_name: bool) {
        let quote = self.at.saturating_sub(1);
        let mistake = self.syntax("the text ends at this quote, but more follows", quote..self.at);
        self.doubt(mistake.help("write `\\\"` for a quote inside a text"));
        match scan::closing(self.text, start + 1, |sign| sign == '"') {
            // A value with a name behind it has no quote at its end.
            Some(end)
                if end > quote
                    && (is_name || scan::is_end_of_value(self.text, end))
                    && scan::has_pairs(self.text, end) =>
            {
                self.go(end);
            }
            _ => self.lose(),
        }
    }

    /// Text in quotes that JSON does not know.
    pub(super) fn wrong_quotes(&mut self) -> String {
        let start = self.at;
        let from = start + self.next().map_or(0, char::len_utf8);
        let closing = scan::closing(self.text, from, |sign| sign == '"' || scan::is_wrong_quote(sign));
        let line =
            start..start + self.part(start..line_end(self.text, start)).trim_end_matches(CLOSING).len();
        let place = closing.map_or(line, |end| start..end);
        let inner = self.part(from..place.end);
        let text = inner.char_indices().next_back().and_then(|(last, _)| inner.get(..last)).unwrap_or("");
        let mistake = mistake::wrong_quotes(self.text, place.clone(), self.file);
        match closing {
            Some(end) if !text.contains(['\\', '"', '\t']) => {
                self.go(end);
                self.tell(mistake);
            }
            Some(end) => {
                self.go(end);
                self.doubt(mistake);
            }
            None => {
                self.doubt(mistake);
                self.lose();
            }
        }
        text.to_owned()
    }

    /// A value that is no JSON, text without quotes as a rule.
    pub(super) fn unquoted(&mut self) -> Content {
        let place = self.at..scan::run_end(self.text, self.at);
        let run = self.part(place.clone());
        let short = if run.len() > MAX_SHOWN || run.contains('"') { "…" } else { run };
        let quoted = format!("\"{}\"", short.replace('\\', "\\\\"));
        let mistake = if let Some(word) = word_of_json(run) {
            self.syntax("a JSON value is expected here", place.clone()).help(format!("write {word}"))
        } else if run.trim_start_matches(['+', '-', '.']).starts_with(|c: char| c.is_ascii_digit()) {
            self.syntax("this is not a number as JSON writes it", place.clone())
                .help(format!("write {quoted} if it is a text"))
        } else if run.starts_with(|c: char| c.is_alphanumeric() || "_/.$~<{%*".contains(c)) {
            Diagnostic::error(code::WRONG_QUOTES, "text needs double quotes")
                .at(self.span(place.clone()))
                .help(format!("write {quoted}"))
        } else {
            self.syntax("a JSON value is expected here", place.clone())
        };
        self.doubt(mistake);
        self.skip_run(place.end);
        Content::Null
    }

    /// Goes behind something without quotes, and behind a quote that is only at its end; gives up
    /// unless it seems to end there.
    pub(super) fn skip_run(&mut self, end: usize) {
        let end = end + usize::from(self.part(end..self.text.len()).starts_with('"'));
        if is_balanced(self.part(self.at..end)) && scan::is_end(self.text, end) {
            self.go(end);
        } else {
            self.lose();
        }
    }
}

/// How much of a line is of a text that has no quote at its end.
fn unended_length(line: &str, is_name: bool) -> usize {
    if let Some(colon) = line.find(':').filter(|_| is_name) {
        return colon;
    }
    let kept = line.trim_end_matches(CLOSING).len().max(1);
    let is_whole = |length: &usize| line.get(..*length).is_some_and(is_balanced);
    // `{{user `x`}},` has brackets of its own.
    (kept..line.len()).take(8).find(is_whole).unwrap_or(kept)
}

/// The word of JSON for what other languages call it.
fn word_of_json(run: &str) -> Option<&'static str> {
    match run {
        "True" | "TRUE" => Some("true"),
        "False" | "FALSE" => Some("false"),
        "Null" | "NULL" | "None" | "nil" | "undefined" => Some("null"),
        _ => None,
    }
}
