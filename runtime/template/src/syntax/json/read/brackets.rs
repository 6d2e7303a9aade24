//! Where objects and lists end, also if a bracket is forgotten, wrong or too many: what may have been
//! meant is tried out on the rest of the text, and believed if it is the only thing that makes the
//! brackets fit. Whatever else seems to be wrong while they do not fit may come of a bracket.

use super::Reader;
use super::scan::{self, closed, opening, reach};
use crate::syntax::recover::mistake;
use kiln_plan::Diagnostic;
use kiln_plan::code::template as code;

/// How often at most: each time takes as long as reading the text a few times.
const MOST_GUESSES: usize = 8;

/// What comes of something that cannot be in the innermost bracket.
enum Misplaced {
    /// The bracket ends before it, or with it.
    Ends,
    /// It was taken.
    Taken,
    /// It is read.
    Stays,
}

impl Reader<'_> {
    /// Whether the innermost bracket ends here; takes the closing one.
    pub(super) fn ends(&mut self, close: char, mut comma: Option<usize>) -> bool {
        loop {
            self.space();
            let Some(sign) = self.next() else { return self.ends_with_the_text() };
            if sign == close {
                if !self.is_surplus(comma) {
                    self.close(comma);
                    return true;
                }
            } else if self.is_other_bracket() {
                if self.other_bracket(close) {
                    return true;
                }
            } else if self.is_misplaced(close) {
                match self.misplaced(close, comma) {
                    Misplaced::Ends => return true,
                    Misplaced::Taken => {}
                    Misplaced::Stays if sign == ',' => self.surplus_commas(close),
                    Misplaced::Stays => return false,
                }
            } else {
                return false;
            }
            comma = None;
        }
    }

    fn close(&mut self, comma: Option<usize>) {
        if let Some(comma) = comma {
            let mistake = self.syntax("nothing follows this comma", comma..comma + 1);
            self.tell(mistake.help("remove it"));
        }
        self.go(self.at + 1);
    }

    fn ends_with_the_text(&mut self) -> bool {
        if self.trusted {
            self.doubt(self.unclosed(None));
        }
        self.lose();
        true
    }

    fn surplus_commas(&mut self, close: char) {
        let what = if close == '}' { "a name in quotes" } else { "a JSON value" };
        let mistake = self.syntax(&format!("{what} is expected here"), self.at..self.at + 1);
        self.doubt_kind(mistake.help("remove the `,` if nothing is missing"));
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([',', ' ', '\t', '\r', '\n']).len();
    }

    /// Reports what may come of a bracket; if the brackets do not fit nothing else is reported.
    pub(super) fn doubt_kind(&mut self, mistake: Diagnostic) {
        let fits = self.fits();
        self.doubt(mistake);
        if !fits {
            self.lose();
        }
    }

    /// The kinds of the brackets that are open.
    fn kinds(&self) -> Vec<u8> {
        let kind = |at: &usize| self.text.as_bytes().get(*at).copied().unwrap_or_default();
        self.open.iter().map(kind).collect()
    }

    fn fits(&mut self) -> bool {
        let fits = self.fits.unwrap_or_else(|| self.reach(self.at, self.kinds()) > self.text.len());
        self.fits = Some(fits);
        fits
    }

    fn reach(&self, at: usize, open: Vec<u8>) -> usize {
        reach(self.text, at, open)
    }

    /// Whether a bracket may be what is wrong, and another meaning may be tried out.
    fn may_guess(&mut self) -> bool {
        if self.fits() || !self.trusted || self.guesses >= MOST_GUESSES {
            return false;
        }
        self.guesses += 1;
        // A quote without its other takes the brackets of its line.
        scan::has_pairs(self.text, self.at)
    }

    /// Reports what is wrong with a bracket; those behind it may fit then.
    fn report_bracket(&mut self, mistake: Diagnostic) {
        self.doubt(mistake);
        self.fits = None;
    }

    /// Goes behind the innermost of the brackets in `open`.
    fn skip_group(&mut self, open: Vec<u8>) {
        let kept = open.len().saturating_sub(1);
        match closed(self.text, self.at, open, kept) {
            Ok(end) => self.go(end),
            Err(_) => self.lose(),
        }
    }

    /// Whether it is not of the kind of the innermost one, in a list a name and in an object none.
    fn is_misplaced(&self, close: char) -> bool {
        match self.next() {
            Some(',') => true,
            Some('"') if close == ']' => self.name_is_next(),
            _ => close == '}' && self.value_is_next() && !self.name_is_next(),
        }
    }

    fn misplaced(&mut self, close: char, comma: Option<usize>) -> Misplaced {
        if !self.may_guess() {
            return Misplaced::Stays;
        }
        let (all, outer, open) = (self.kinds(), self.outer(), self.open.last().copied().unwrap_or_default());
        let mut switched = outer.clone();
        switched.push(opening(if close == '}' { b']' } else { b'}' }));
        let full = |open: &[u8]| self.reach(self.at, open.to_vec()) > self.text.len();
        let in_column = scan::indent(self.text, self.at, false)
            .is_some_and(|indent| scan::indent(self.text, open, true) == Some(indent))
            && self.reach(self.at, outer.clone()) > self.reach(self.at, all);
        let ended = !outer.is_empty() && (in_column || full(&outer));
        if ended && self.next() == Some('{') && self.part(open + 1..self.at).trim().is_empty() {
            self.report_bracket(self.unclosed(None).help("remove it"));
            self.go(self.at + 1);
            return Misplaced::Taken;
        }
        if ended {
            self.report_bracket(self.unclosed(Some(self.at)));
            self.separated = comma.is_some();
            return Misplaced::Ends;
        }
        if self.next() != Some(',') && full(&switched) {
            let (wanted, found) = if close == '}' { ('[', '{') } else { ('{', '[') };
            let what = format!("`{wanted}` is expected here, not `{found}`");
            self.report_bracket(self.syntax(&what, open..open + 1));
            self.skip_group(switched);
            return Misplaced::Ends;
        }
        if close == ']' && self.skip_without_brace() {
            self.take(',');
            return Misplaced::Taken;
        }
        Misplaced::Stays
    }

    /// Goes behind members that are no object only because its `{` is missing.
    pub(super) fn skip_without_brace(&mut self) -> bool {
        let mut open = self.kinds();
        open.push(b'{');
        if self.fits() || !self.trusted || self.reach(self.at, open.clone()) <= self.text.len() {
            return false;
        }
        self.report_bracket(self.syntax("`{` is expected before this name", self.at..self.at));
        self.skip_group(open);
        true
    }

    /// Whether the innermost bracket would end behind a comma, and that is what makes the brackets not
    /// fit; takes the closing one.
    fn is_surplus(&mut self, comma: Option<usize>) -> bool {
        if comma.is_none() || !self.may_guess() {
            return false;
        }
        let is_surplus = self.reach(self.at + 1, self.kinds()) > self.text.len();
        if is_surplus {
            self.take_surplus();
        }
        is_surplus
    }

    fn take_surplus(&mut self) {
        let place = self.at..self.at + 1;
        self.report_bracket(mistake::nothing_open(self.part(place.clone()), self.span(place.clone())));
        self.go(place.end);
        self.take(',');
    }

    fn outer(&self) -> Vec<u8> {
        let mut outer = self.kinds();
        outer.pop();
        outer
    }

    /// Whether a closing bracket is here that does not close the innermost one.
    pub(super) fn is_other_bracket(&self) -> bool {
        match self.next() {
            Some('}') => self.kinds().last() != Some(&b'{'),
            Some(']') => self.kinds().last() != Some(&b'['),
            _ => false,
        }
    }

    /// A closing bracket of the other kind: one was forgotten, this one is wrong, or there is one too
    /// many. Whether the innermost bracket ends.
    fn other_bracket(&mut self, close: char) -> bool {
        if !self.may_guess() {
            let what = format!("`,` or `{close}` is expected here");
            if self.trusted {
                self.doubt(self.syntax(&what, self.at..self.at + 1));
            }
            self.lose();
            return true;
        }
        let found = self.text.as_bytes().get(self.at).copied().unwrap_or_default();
        let (all, outer, behind) = (self.kinds(), self.outer(), self.at + 1);
        let matching = outer.iter().rposition(|kind| *kind == opening(found));
        let try_with = |open: &[u8]| self.reach(behind, open.to_vec());
        let forgotten = matching.and_then(|at| outer.get(..at)).map_or(0, try_with);
        let (wrong, surplus) = (try_with(&outer), try_with(&all));
        let furthest = forgotten.max(wrong).max(surplus);
        match (forgotten == furthest, wrong == furthest, surplus == furthest) {
            (true, false, false) => self.report_bracket(self.unclosed(Some(self.at))),
            (false, true, false) => {
                let what = format!("`{close}` is expected here, not `{}`", char::from(found));
                self.report_bracket(self.syntax(&what, self.at..behind));
                self.go(behind);
            }
            (false, false, true) => {
                self.take_surplus();
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
