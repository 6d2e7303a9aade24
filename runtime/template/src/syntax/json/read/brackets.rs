//! Where objects and lists end, also if a bracket is forgotten, wrong or too many: what was meant is
//! tried out on the rest of the text. Believed is what makes the brackets fit for longer than anything else.

use super::Reader;
use super::scan::{opening, reach};
use crate::syntax::recover::mistake;
use kiln_plan::Diagnostic;
use kiln_plan::code::template as code;

/// How often at most: each time takes as long as reading the text.
const MOST_GUESSES: usize = 8;

impl Reader<'_> {
    /// Whether the innermost bracket ends here; takes the closing one.
    pub(super) fn ends(&mut self, close: char, mut comma: Option<usize>) -> bool {
        loop {
            self.space();
            match self.next() {
                None => return self.ends_with_the_text(),
                Some(sign) if sign == close => {
                    if let Some(comma) = comma {
                        let mistake = self.syntax("nothing follows this comma", comma..comma + 1);
                        self.tell(mistake.help("remove it"));
                    }
                    self.go(self.at + 1);
                    return true;
                }
                Some('}' | ']') => {
                    if self.other_bracket(close) {
                        return true;
                    }
                }
                Some(',') => {
                    let what = if close == '}' { "a name in quotes" } else { "a JSON value" };
                    let mistake = self.syntax(&format!("{what} is expected here"), self.at..self.at + 1);
                    self.doubt(mistake.help("remove the `,` if nothing is missing"));
                    comma = None;
                    let rest = self.rest();
                    self.at += rest.len() - rest.trim_start_matches([',', ' ', '\t', '\r', '\n']).len();
                }
                Some('{') if close == '}' => return self.ended_before(comma),
                Some('"') if close == ']' && self.name_is_next() => return self.ended_before(comma),
                Some(_) => return false,
            }
        }
    }

    fn ends_with_the_text(&mut self) -> bool {
        if self.trusted {
            self.doubt(self.unclosed(None));
        }
        self.lose();
        true
    }

    /// The kinds of the brackets that are open.
    fn kinds(&self) -> Vec<u8> {
        let kind = |at: &usize| self.text.as_bytes().get(*at).copied().unwrap_or_default();
        self.open.iter().map(kind).collect()
    }

    fn may_guess(&mut self) -> bool {
        self.guesses += 1;
        self.trusted && self.guesses <= MOST_GUESSES
    }

    /// Something that cannot be in the innermost bracket: whether that should have ended before.
    fn ended_before(&mut self, comma: Option<usize>) -> bool {
        if !self.may_guess() {
            return false;
        }
        let all = self.kinds();
        let outer = all.split_last().map(|(_, outer)| outer.to_vec()).unwrap_or_default();
        let ended = !outer.is_empty() && reach(self.text, self.at, outer) > reach(self.text, self.at, all);
        if ended {
            self.doubt(self.unclosed(Some(self.at)));
            self.separated = comma.is_some();
        }
        ended
    }

    /// A closing bracket of the other kind: one was forgotten, this one is wrong, or there is one too
    /// many. Whether the innermost bracket ends.
    fn other_bracket(&mut self, close: char) -> bool {
        if !self.may_guess() {
            self.lose();
            return true;
        }
        let found = self.text.as_bytes().get(self.at).copied().unwrap_or_default();
        let all = self.kinds();
        let outer = all.split_last().map(|(_, outer)| outer).unwrap_or_default();
        let matching = outer.iter().rposition(|kind| *kind == opening(found));
        let behind = self.at + 1;
        let try_with = |open: &[u8]| reach(self.text, behind, open.to_vec());
        let forgotten = matching.and_then(|at| outer.get(..at)).map_or(0, try_with);
        let (wrong, surplus) = (try_with(outer), try_with(&all));
        let furthest = forgotten.max(wrong).max(surplus);
        match (forgotten == furthest, wrong == furthest, surplus == furthest) {
            (true, false, false) => self.doubt(self.unclosed(Some(self.at))),
            (false, true, false) => {
                let what = format!("`{close}` is expected here, not `{}`", char::from(found));
                self.doubt(self.syntax(&what, self.at..behind));
                self.go(behind);
            }
            (false, false, true) => {
                self.doubt(mistake::nothing_open(self.part(self.at..behind), self.span(self.at..behind)));
                self.go(behind);
                self.take(',');
                return false;
            }
            _ => {
                self.doubt(self.syntax(&format!("`,` or `{close}` is expected here"), self.at..behind));
                self.lose();
            }
        }
        true
    }

    /// The innermost bracket has no other; `found` shows that.
    fn unclosed(&self, found: Option<usize>) -> Diagnostic {
        let open = self.open.last().copied().unwrap_or_default();
        let shown = self.part(open..open + 1);
        let closing = if shown == "{" { "}" } else { "]" };
        let help = match found {
            Some(found) => {
                let sign = self.next().unwrap_or(' ');
                format!("add `{closing}` before the `{sign}` in line {}", mistake::line_of(self.text, found))
            }
            None => format!("add `{closing}`; the file ends before it"),
        };
        Diagnostic::error(code::UNCLOSED, format!("this `{shown}` is never closed"))
            .at(self.span(open..open + 1))
            .help(help)
    }
}
