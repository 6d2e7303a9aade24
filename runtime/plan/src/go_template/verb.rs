//! One verb of `printf` and the value that it shows, as Go's package fmt does.

use super::number::{binary, general, hexadecimal, scientific};
use super::print::type_name;
use super::quote::{can_backquote, is_print, quote};
use serde_json::Value as Json;

/// Text that is no longer than a limit.
pub(super) struct Out {
    text: String,
    limit: usize,
    over: bool,
}

impl Out {
    pub(super) fn new(limit: usize) -> Self {
        Self { text: String::new(), limit, over: false }
    }

    pub(super) fn push_str(&mut self, text: &str) {
        self.over |= self.text.len() + text.len() > self.limit;
        if !self.over {
            self.text.push_str(text);
        }
    }

    /// `count` times the same sign.
    fn fill(&mut self, sign: char, count: usize) {
        self.over |= self.text.len() + count > self.limit;
        if !self.over {
            self.text.extend(std::iter::repeat_n(sign, count));
        }
    }

    /// Whether there was more than fits; from there on everything is lost.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    pub(super) fn finish(self) -> Result<String, String> {
        if self.over { Err(format!("more than {} bytes", self.limit)) } else { Ok(self.text) }
    }
}

/// How a verb shows its value: what stands between `%` and the letter.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Verb {
    pub(super) minus: bool,
    pub(super) plus: bool,
    pub(super) zero: bool,
    pub(super) sharp: bool,
    pub(super) space: bool,
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
    /// `%#v`: as Go's source would say it.
    source: bool,
}

impl Verb {
    /// Shows an argument.
    pub(super) fn print(mut self, letter: char, argument: Option<&Json>, out: &mut Out) {
        let value = argument.filter(|value| !value.is_null());
        // `%w` is the verb of another function, which takes the flags of `%v`.
        if matches!(letter, 'v' | 'w') {
            self.source = std::mem::take(&mut self.sharp);
            self.plus = false;
        }
        match (letter, value) {
            ('v' | 'T', None) => self.pad("<nil>", out),
            (_, None) => out.push_str(&format!("%!{letter}(<nil>)")),
            ('T', Some(value)) => self.pad(&self.clip(type_name(value)), out),
            ('w', Some(value)) => self.wrong(letter, value, out),
            (_, Some(value)) => self.value(letter, value, out),
        }
    }

    fn value(mut self, letter: char, value: &Json, out: &mut Out) {
        let text = match value {
            Json::Null => {
                out.push_str(if self.source { "interface {}(nil)" } else { "<nil>" });
                return;
            }
            Json::Array(items) => return self.list(letter, items, out),
            Json::Object(map) => return self.map(letter, map, out),
            Json::Bool(truth) => matches!(letter, 'v' | 't').then(|| truth.to_string()),
            Json::String(text) => self.text(letter, text),
            Json::Number(n) if n.is_f64() => n.as_f64().and_then(|n| self.float(letter, n)),
            Json::Number(n) => {
                let n = n.as_i64().map(i128::from).or(n.as_u64().map(i128::from));
                n.and_then(|n| self.integer(letter, n))
            }
        };
        match text {
            Some(text) => self.pad(&text, out),
            None => self.wrong(letter, value, out),
        }
    }

    /// A value that the verb does not take.
    fn wrong(self, letter: char, value: &Json, out: &mut Out) {
        out.push_str(&format!("%!{letter}({}=", type_name(value)));
        self.value('v', value, out);
        out.push_str(")");
    }

    /// Each item is shown, and padded, by itself.
    fn list(self, letter: char, items: &[Json], out: &mut Out) {
        let (begin, between, end) =
            if self.source { ("[]interface {}{", ", ", "}") } else { ("[", " ", "]") };
        out.push_str(begin);
        for (i, item) in items.iter().enumerate() {
            if out.over {
                break;
            }
            out.push_str(if i > 0 { between } else { "" });
            self.value(letter, item, out);
        }
        out.push_str(end);
    }

    /// The same for the names and values of a map, in the order of the names.
    fn map(self, letter: char, map: &serde_json::Map<String, Json>, out: &mut Out) {
        let (begin, between, end) =
            if self.source { ("map[string]interface {}{", ", ", "}") } else { ("map[", " ", "]") };
        let mut entries: Vec<_> = map.iter().collect();
        entries.sort_unstable_by_key(|(name, _)| *name);
        out.push_str(begin);
        for (i, (name, value)) in entries.into_iter().enumerate() {
            if out.over {
                break;
            }
            out.push_str(if i > 0 { between } else { "" });
            self.value(letter, &Json::from(name.as_str()), out);
            out.push_str(":");
            self.value(letter, value, out);
        }
        out.push_str(end);
    }

    /// As much of a text as the precision leaves.
    fn clip(self, text: &str) -> String {
        self.precision.map_or_else(|| text.to_owned(), |most| text.chars().take(most).collect())
    }

    fn text(self, letter: char, text: &str) -> Option<String> {
        match letter {
            'v' if !self.source => Some(self.clip(text)),
            's' => Some(self.clip(text)),
            'q' | 'v' => {
                let text = self.clip(text);
                let raw = self.sharp && can_backquote(&text);
                Some(if raw { format!("`{text}`") } else { quote(&text, '"', self.plus) })
            }
            'x' | 'X' => Some(self.bytes(letter, text.as_bytes())),
            _ => None,
        }
    }

    /// Bytes in hexadecimal digits, with blanks between them if asked for.
    fn bytes(self, letter: char, bytes: &[u8]) -> String {
        let bytes = bytes.get(..self.precision.unwrap_or(bytes.len())).unwrap_or(bytes);
        let upper = letter == 'X';
        let prefix = if self.sharp { format!("0{letter}") } else { String::new() };
        let digits = |byte: &u8| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") };
        let all: Vec<String> = bytes.iter().map(digits).collect();
        match (all.is_empty(), self.space) {
            (true, _) => String::new(),
            (_, true) => format!("{prefix}{}", all.join(&format!(" {prefix}"))),
            (_, false) => format!("{prefix}{}", all.concat()),
        }
    }

    fn sign(self, negative: bool) -> &'static str {
        match (negative, self.plus, self.space) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        }
    }

    fn integer(&mut self, letter: char, n: i128) -> Option<String> {
        let size = n.unsigned_abs();
        let character = u32::try_from(n).ok().and_then(char::from_u32);
        let shown = character.unwrap_or(char::REPLACEMENT_CHARACTER);
        let digits = match letter {
            'c' => return Some(shown.to_string()),
            'q' => return Some(quote(&shown.to_string(), '\'', self.plus)),
            'U' => {
                self.zero = false;
                return Some(self.code_point(n, character));
            }
            'd' | 'v' => size.to_string(),
            'b' => format!("{size:b}"),
            'o' | 'O' => format!("{size:o}"),
            'x' => format!("{size:x}"),
            'X' => format!("{size:X}"),
            _ => return None,
        };
        let sign = self.sign(n < 0);
        let least = match (self.precision, self.width) {
            (Some(0), _) if n == 0 => {
                self.zero = false;
                return Some(String::new());
            }
            (Some(precision), _) => precision,
            (None, Some(width)) if self.zero && !self.minus => width.saturating_sub(sign.len()),
            _ => 0,
        };
        // The zeros are there by now.
        self.zero = false;
        let digits = "0".repeat(least.saturating_sub(digits.len())) + &digits;
        let prefix = match letter {
            'O' if self.sharp && !digits.starts_with('0') => "0o0",
            'O' => "0o",
            'b' if self.sharp => "0b",
            'o' if self.sharp && !digits.starts_with('0') => "0",
            'x' if self.sharp => "0x",
            'X' if self.sharp => "0X",
            _ => "",
        };
        Some(format!("{sign}{prefix}{digits}"))
    }

    /// `U+0041`, with the character itself if asked for.
    fn code_point(self, n: i128, character: Option<char>) -> String {
        // Go takes the 64 bits of a negative number.
        let bits = u64::try_from(n.rem_euclid(1 << 64)).unwrap_or(0);
        let digits = format!("{bits:X}");
        let zeros = "0".repeat(self.precision.unwrap_or(4).max(4).saturating_sub(digits.len()));
        match character.filter(|c| self.sharp && is_print(*c)) {
            Some(c) => format!("U+{zeros}{digits} '{c}'"),
            None => format!("U+{zeros}{digits}"),
        }
    }

    fn float(self, letter: char, n: f64) -> Option<String> {
        let size = n.abs();
        let digits = match letter {
            'f' | 'F' => format!("{size:.*}", self.precision.unwrap_or(6)),
            'e' | 'E' => scientific(size, self.precision.unwrap_or(6)),
            'g' | 'G' | 'v' => general(size, self.precision),
            'x' | 'X' => hexadecimal(size, self.precision),
            'b' => binary(size),
            _ => return None,
        };
        let digits = if self.sharp && letter != 'b' { self.with_point(letter, &digits) } else { digits };
        let digits = if matches!(letter, 'E' | 'G' | 'X') { digits.to_uppercase() } else { digits };
        let sign = self.sign(n.is_sign_negative());
        // A sign stands before the zeros that fill the width.
        let fills = self.zero && !self.minus && !sign.is_empty();
        let missing =
            if fills { self.width.unwrap_or(0).saturating_sub(sign.len() + digits.len()) } else { 0 };
        Some(format!("{sign}{}{digits}", "0".repeat(missing)))
    }

    /// Digits with a point and, where the others would be left out, zeros behind it.
    fn with_point(self, letter: char, digits: &str) -> String {
        let hexadecimal = matches!(letter, 'x' | 'X');
        let exponent = if hexadecimal { digits.find('p') } else { digits.find('e') };
        let (digits, exponent) = digits.split_at(exponent.unwrap_or(digits.len()));
        let wanted = if matches!(letter, 'g' | 'G' | 'x' | 'v') { self.precision.unwrap_or(6) } else { 0 };
        let significant = digits.trim_start_matches(['0', '.']).bytes().filter(|b| *b != b'.').count();
        let mut zeros = wanted.saturating_sub(significant);
        let mut out = digits.to_owned();
        if !digits.contains('.') {
            zeros = if digits == "0" { zeros.saturating_sub(1) } else { zeros };
            out.push('.');
        }
        out + &"0".repeat(zeros) + exponent
    }

    /// Fills the width: with blanks before, behind, or with zeros before.
    fn pad(self, text: &str, out: &mut Out) {
        let missing = self.width.unwrap_or(0).saturating_sub(text.chars().count());
        if self.minus {
            out.push_str(text);
            out.fill(' ', missing);
        } else {
            out.fill(if self.zero { '0' } else { ' ' }, missing);
            out.push_str(text);
        }
    }
}
