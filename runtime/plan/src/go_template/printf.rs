//! `printf`: the format, its verbs and which argument each takes, as Go's `Sprintf` reads them.
//! What is wrong is said in the text, as there: `%!d(string=a)`, `%!s(MISSING)`.

use super::print::type_name;
use super::verb::{Out, Verb};
use serde_json::Value as Json;

/// The largest width and precision. Go takes more; a template that wants more has another purpose.
const MAX_WIDTH: usize = 4096;

/// An argument; `None` for nil.
type Argument<'a> = Option<&'a Json>;

/// Go's `Sprintf`. Text longer than `limit` bytes is an error.
pub(super) fn printf(format: &str, arguments: &[Argument<'_>], limit: usize) -> Result<String, String> {
    let mut state =
        Printf { format, at: 0, arguments, next: 0, reordered: false, known: true, out: Out::new(limit) };
    while let Some(from) = state.rest().find('%') {
        let (before, _) = state.rest().split_at(from);
        state.out.push_str(before);
        state.at += from + 1;
        state.verb()?;
        if state.out.is_over() {
            break;
        }
    }
    let rest = state.rest();
    state.out.push_str(rest);
    if !state.reordered {
        state.extra();
    }
    state.out.finish()
}

struct Printf<'a> {
    format: &'a str,
    /// The next byte of it.
    at: usize,
    arguments: &'a [Argument<'a>],
    /// The next of them.
    next: usize,
    /// Whether the format ever chose an argument by its number: then it may leave some out.
    reordered: bool,
    /// Whether the present verb's argument is one that there is.
    known: bool,
    out: Out,
}

impl<'a> Printf<'a> {
    fn rest(&self) -> &'a str {
        self.format.get(self.at..).unwrap_or("")
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.rest().starts_with(wanted);
        self.at += if found { wanted.len_utf8() } else { 0 };
        found
    }

    /// What is behind a `%`.
    fn verb(&mut self) -> Result<(), String> {
        let mut verb = self.flags();
        self.known = true;
        let mut chosen = self.choice();
        chosen = self.width(&mut verb, chosen)?;
        chosen = self.precision(&mut verb, chosen)?;
        if !chosen {
            self.choice();
        }
        let Some(letter) = self.rest().chars().next() else {
            self.out.push_str("%!(NOVERB)");
            return Ok(());
        };
        self.at += letter.len_utf8();
        match self.arguments.get(self.next) {
            _ if letter == '%' => self.out.push_str("%"),
            _ if !self.known => self.out.push_str(&format!("%!{letter}(BADINDEX)")),
            None => self.out.push_str(&format!("%!{letter}(MISSING)")),
            Some(argument) => {
                self.next += 1;
                verb.print(letter, *argument, &mut self.out);
            }
        }
        Ok(())
    }

    fn flags(&mut self) -> Verb {
        let mut verb = Verb::default();
        loop {
            match self.rest().bytes().next() {
                Some(b'-') => verb.minus = true,
                Some(b'+') => verb.plus = true,
                Some(b'0') => verb.zero = true,
                Some(b'#') => verb.sharp = true,
                Some(b' ') => verb.space = true,
                _ => return verb,
            }
            self.at += 1;
        }
    }

    /// The number of an argument in brackets; whether there was one.
    fn choice(&mut self) -> bool {
        if !self.rest().starts_with('[') {
            return false;
        }
        self.reordered = true;
        // Go wants three bytes, one of them the number.
        let Some(end) = self.rest().find(']').filter(|_| self.rest().len() > 2) else {
            self.known = false;
            self.at += 1;
            return false;
        };
        let inside = self.rest().get(1..end).unwrap_or("");
        self.at += end + 1;
        let digits = inside.bytes().all(|b| b.is_ascii_digit());
        let number: Option<usize> = inside.parse().ok().filter(|_| digits);
        match number.and_then(|number| number.checked_sub(1)).filter(|at| *at < self.arguments.len()) {
            Some(at) => self.next = at,
            None => self.known = false,
        }
        number.is_some()
    }

    /// Reads the width. Gives whether what comes next has its argument chosen already.
    fn width(&mut self, verb: &mut Verb, chosen: bool) -> Result<bool, String> {
        if !self.take('*') {
            verb.width = self.digits()?;
            // An argument was chosen for the verb, and the verb has not come.
            self.known &= !(chosen && verb.width.is_some());
            return Ok(chosen);
        }
        match self.whole()? {
            Some(width) => {
                verb.width = usize::try_from(width.unsigned_abs()).ok();
                if width < 0 {
                    (verb.minus, verb.zero) = (true, false);
                }
            }
            None => self.out.push_str("%!(BADWIDTH)"),
        }
        Ok(false)
    }

    /// Reads the precision, as [`Printf::width`].
    fn precision(&mut self, verb: &mut Verb, chosen: bool) -> Result<bool, String> {
        // At the end of the format it is the verb.
        if self.rest() == "." || !self.take('.') {
            return Ok(chosen);
        }
        self.known &= !chosen;
        let chosen = self.choice();
        if !self.take('*') {
            verb.precision = Some(self.digits()?.unwrap_or(0));
            return Ok(chosen);
        }
        verb.precision = self.whole()?.and_then(|precision| usize::try_from(precision).ok());
        if verb.precision.is_none() {
            self.out.push_str("%!(BADPREC)");
        }
        Ok(false)
    }

    /// A width or a precision that is written.
    fn digits(&mut self) -> Result<Option<usize>, String> {
        let count = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        let (digits, _) = self.rest().split_at(count);
        self.at += count;
        match digits.parse() {
            _ if digits.is_empty() => Ok(None),
            Ok(number) if number <= MAX_WIDTH => Ok(Some(number)),
            _ => Err(too_wide()),
        }
    }

    /// The next argument, if it is a whole number.
    fn whole(&mut self) -> Result<Option<i64>, String> {
        let Some(argument) = self.arguments.get(self.next) else { return Ok(None) };
        self.next += 1;
        match argument.and_then(Json::as_i64) {
            Some(number) if number.unsigned_abs() > MAX_WIDTH as u64 => Err(too_wide()),
            number => Ok(number),
        }
    }

    /// Arguments that no verb took.
    fn extra(&mut self) {
        let Some(extra) = self.arguments.get(self.next..).filter(|extra| !extra.is_empty()) else { return };
        for (i, argument) in extra.iter().enumerate() {
            self.out.push_str(if i == 0 { "%!(EXTRA " } else { ", " });
            if let Some(value) = argument.filter(|value| !value.is_null()) {
                self.out.push_str(&format!("{}=", type_name(value)));
            }
            Verb::default().print('v', *argument, &mut self.out);
        }
        self.out.push_str(")");
    }
}

fn too_wide() -> String {
    format!("a width above {MAX_WIDTH}")
}
