//! What is reported between values, and how the reader goes on.

use super::{Content, Item, Reader, scan};
use crate::syntax::recover::mistake;
use kiln_plan::Diagnostic;
use kiln_plan::code::template as code;
use std::ops::Range;

/// The longest part that a message repeats, in bytes.
const MAX_SHOWN: usize = 40;

impl Reader<'_> {
    /// Reports a mistake; it is known what was meant.
    pub(super) fn tell(&mut self, mistake: Diagnostic) {
        if !self.lost {
            self.mistakes.push(mistake);
        }
        if self.mistakes.len() >= super::MOST {
            self.lose();
        }
    }

    /// Reports a mistake; what was meant is not known for sure.
    pub(super) fn doubt(&mut self, mistake: Diagnostic) {
        self.certain = false;
        self.tell(mistake);
    }

    /// Gives up: whatever was reported from here on might be no mistake.
    pub(super) fn lose(&mut self) {
        self.certain = false;
        self.lost = true;
        self.at = self.text.len();
    }

    /// Goes behind white space, and reports comments; those in a row once.
    pub(super) fn space(&mut self) {
        let (mut comment, mut is_open) = (None, false);
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
            let rest = self.rest();
            let start = self.at;
            let end = if rest.starts_with('#') || rest.starts_with("//") {
                scan::line_end(self.text, start)
            } else if rest.starts_with("/*") {
                rest.find("*/").map_or(usize::MAX, |length| start + length + 2)
            } else {
                break;
            };
            self.at = end.min(self.text.len());
            is_open |= end == usize::MAX;
            comment.get_or_insert(start..self.at);
        }
        if let Some(place) = comment {
            let line = self.part(place.clone()).lines().next().unwrap_or("").trim_end();
            let mistake = self.syntax("JSON has no comments", place.start..place.start + line.len());
            self.tell(mistake.help("remove it"));
        }
        if is_open {
            self.lose();
        }
    }

    /// The name of a member; none if there is something else, which is skipped.
    pub(super) fn name(&mut self, depth: usize) -> Option<String> {
        match self.next() {
            Some('"') => return Some(self.string(true)),
            Some(sign) if scan::is_wrong_quote(sign) => return Some(self.wrong_quotes()),
            Some('{' | '[') => {
                self.doubt_kind(self.syntax("a name in quotes is expected here", self.at..self.at));
                self.value(depth + 1);
                self.separated = true;
                return None;
            }
            _ => {}
        }
        let place = self.at..self.at + scan::name_end(self.rest());
        let name = self.part(place.clone());
        if !name.starts_with(|c: char| c.is_alphanumeric() || "_-$.".contains(c)) {
            self.doubt(self.syntax("a name in quotes is expected here", self.at..self.at));
            self.skip_run(scan::run_end(self.text, self.at));
            return None;
        }
        let mistake = Diagnostic::error(code::WRONG_QUOTES, "a name needs double quotes");
        let mistake = mistake.at(self.span(place.clone())).help(format!("write \"{name}\""));
        if self.name_is_next() {
            self.tell(mistake);
        } else {
            self.doubt_kind(mistake);
        }
        self.go(place.end);
        if self.rest().starts_with('"') {
            self.go(place.end + 1);
        }
        Some(name.to_owned())
    }

    /// Skips what is behind a name that has no value, up to the next member.
    pub(super) fn skip_to_member(&mut self) {
        self.separated = true;
        if !matches!(self.next(), None | Some(',' | '}' | ']')) && !self.name_is_next() {
            self.skip_run(scan::run_end(self.text, self.at));
        }
    }

    /// Skips a name in a list, where the first is reported.
    pub(super) fn name_in_list(&mut self, is_known: bool) {
        let start = self.at;
        self.string(true);
        if !is_known {
            let mistake = self.syntax("the values of a list have no names", start..self.at);
            self.doubt_kind(mistake.help("values that have names stand between `{` and `}`"));
        }
        self.take(':');
    }

    /// Takes what is between a name and its value; whether there is a value.
    pub(super) fn colon(&mut self, name: Range<usize>) -> bool {
        if self.take(':') {
            return true;
        }
        match self.next() {
            None => false,
            Some('=') => {
                let signs = self.rest().len() - self.rest().trim_start_matches(['=', '>']).len();
                let what = format!("`:` is expected here, not `{}`", if signs == 1 { "=" } else { "=>" });
                self.tell(self.syntax(&what, self.at..self.at + signs.min(2)));
                self.go(self.at + signs);
                true
            }
            Some(',' | '}' | ']') => {
                self.doubt_kind(self.syntax("`:` and a value are expected behind this name", name));
                false
            }
            _ if self.value_is_next() && !self.name_is_next() => {
                self.tell(self.syntax("`:` is expected behind this name", name));
                true
            }
            _ => {
                self.doubt_kind(self.syntax("`:` and a value are expected behind this name", name));
                self.skip_to_member();
                false
            }
        }
    }

    /// The value of a member, unless that is missing and the next member is there.
    pub(super) fn member_value(&mut self, depth: usize) -> Item {
        let place = self.at.saturating_sub(1)..self.at;
        self.space();
        if self.next() == Some('"') && self.name_is_next() {
            if !self.skip_without_brace() {
                self.doubt_kind(self.syntax("a JSON value is expected behind this sign", place.clone()));
                self.separated = true;
            }
            return Item { content: Content::Null, span: self.span(place) };
        }
        self.value(depth)
    }

    /// A value that is not there. A bracket of another kind is reported as such.
    pub(super) fn no_value(&mut self) -> Content {
        if self.is_other_bracket() {
            self.certain = false;
        } else {
            self.doubt_kind(self.syntax("a JSON value is expected here", self.at..self.at));
        }
        Content::Null
    }

    /// A value before which there are signs too many: `: = 1`.
    pub(super) fn value_behind_signs(&mut self, depth: usize) -> Item {
        let signs = self.rest().len() - self.rest().trim_start_matches(['=', ':', '>']).len();
        self.doubt(self.syntax("a JSON value is expected here", self.at..self.at + signs));
        self.go(self.at + signs);
        self.value(depth + 1)
    }

    pub(super) fn name_is_next(&self) -> bool {
        scan::is_name(self.text, self.at)
    }

    pub(super) fn value_is_next(&self) -> bool {
        let rest = self.rest();
        let word = rest.get(..scan::name_end(rest)).unwrap_or("");
        let sign = rest.chars().next().unwrap_or(' ');
        "\"{[-".contains(sign)
            || scan::is_wrong_quote(sign)
            || sign.is_ascii_digit()
            || ["true", "false", "null"].contains(&word)
    }

    /// Takes what is between two parts; the place of a comma.
    pub(super) fn comma(&mut self, close: char) -> Option<usize> {
        let end = self.at;
        self.space();
        let separated = std::mem::take(&mut self.separated);
        match self.next() {
            Some(',') => {
                self.at += 1;
                return Some(self.at - 1);
            }
            None | Some('}' | ']') => {}
            _ if separated => {}
            Some(';') => {
                self.tell(self.syntax("`,` is expected here, not `;`", self.at..self.at + 1));
                self.go(self.at + 1);
            }
            _ if if close == '}' { self.name_is_next() } else { self.value_is_next() } => {
                self.missing_comma(end);
            }
            _ => {
                let what = format!("`,` or `{close}` is expected here");
                self.doubt(self.syntax(&what, self.at..self.at));
                self.skip_run(scan::run_end(self.text, self.at));
                self.separated = true;
                return self.comma(close);
            }
        }
        None
    }

    fn missing_comma(&mut self, before: usize) {
        let rest = self.rest();
        let text = || scan::text_end(self.text, self.at).map(|end| end - self.at);
        let word = match rest.chars().next() {
            Some('"') => text().unwrap_or(1),
            Some('{' | '[') => 1,
            _ => scan::name_end(rest),
        };
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let length = if word == 0 || word > MAX_SHOWN { first } else { word };
        let place = self.at..self.at + length;
        let summary = format!("a comma is missing before `{}`", self.part(place.clone()));
        let help = if self.part(before..self.at).contains('\n') {
            format!("add `,` at the end of line {}", mistake::line_of(self.text, before))
        } else {
            "add `,` between the two".to_owned()
        };
        self.tell(Diagnostic::error(code::MISSING_COMMA, summary).at(self.span(place)).help(help));
    }
}
