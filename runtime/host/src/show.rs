//! Making hostile text fit to be shown: by guests, machines and programs.
//!
//! Removed: terminal control sequences, other control characters, characters that change the
//! direction of text. Broken up: what CI systems take for a command at the start of a line.
//! Bounded: the length of a line. Secrets are redacted by whoever calls, after this.

/// Starts of lines that a CI system would obey.
const MARKERS: &[&str] = &["##vso[", "##[", "##teamcity[", "::"];

/// `text` fit to be shown; lines longer than `line` bytes are cut.
pub(crate) fn clean(text: &str, line: usize) -> String {
    let plain = without_controls(text);
    let mut out = String::with_capacity(plain.len());
    for (index, one) in plain.split('\n').enumerate() {
        if index > 0 {
            out.push('\n');
        }
        push_line(&mut out, one, line);
    }
    out
}

fn push_line(out: &mut String, text: &str, limit: usize) {
    let indent = text.len() - text.trim_start().len();
    let (space, body) = text.split_at_checked(indent).unwrap_or(("", text));
    out.push_str(space);
    let mut body = body.to_owned();
    if let Some(marker) = MARKERS.iter().find(|marker| body.starts_with(**marker)) {
        // A space after the first character keeps it readable and means nothing to anybody.
        body.insert(marker.chars().next().map_or(0, char::len_utf8), ' ');
    }
    if body.len() > limit {
        let mut cut = limit;
        while !body.is_char_boundary(cut) {
            cut -= 1;
        }
        out.push_str(body.get(..cut).unwrap_or(""));
        out.push_str(&format!(" … ({} bytes left out)", body.len() - cut));
    } else {
        out.push_str(&body);
    }
}

/// `text` without control sequences and control characters; line ends become `\n`, a bare CR ends
/// what was written over.
fn without_controls(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' | '\t' => out.push(c),
            '\r' => {
                if chars.peek() != Some(&'\n') {
                    out.push('\n');
                }
            }
            '\u{1b}' => skip_escape(&mut chars),
            // The 8-bit forms of the same sequences.
            '\u{9b}' => skip_csi(&mut chars),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => skip_string(&mut chars),
            c if c.is_control() || is_bidi(c) => {}
            c => out.push(c),
        }
    }
    out
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn skip_escape(chars: &mut Chars<'_>) {
    match chars.peek() {
        Some('[') => {
            chars.next();
            skip_csi(chars);
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            chars.next();
            skip_string(chars);
        }
        Some(' '..='/') => {
            chars.next();
            chars.next();
        }
        Some('0'..='~') => {
            chars.next();
        }
        _ => {}
    }
}

/// Parameters and the final character of a control sequence. A line end is not a part of one.
fn skip_csi(chars: &mut Chars<'_>) {
    while let Some(c) = chars.peek().copied() {
        match c {
            ' '..='?' => {
                chars.next();
            }
            '@'..='~' => {
                chars.next();
                return;
            }
            _ => return,
        }
    }
}

/// A string up to BEL or ST. One without an end hides the rest of the line only.
fn skip_string(chars: &mut Chars<'_>) {
    while let Some(c) = chars.peek().copied() {
        match c {
            '\n' => return,
            '\u{7}' | '\u{9c}' => {
                chars.next();
                return;
            }
            '\u{1b}' => {
                chars.next();
                if chars.peek() == Some(&'\\') {
                    chars.next();
                }
                return;
            }
            _ => {
                chars.next();
            }
        }
    }
}

/// Characters that change the direction of text or hide in it.
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// How many lines a step may show: so many each second, more at once when it was quiet before.
#[derive(Debug)]
pub(crate) struct LineBudget {
    per_second: f64,
    tokens: f64,
    bytes: u64,
    last: std::time::Instant,
    dropped: u64,
}

impl LineBudget {
    pub(crate) fn new(per_second: u32, bytes: u64) -> Self {
        let per_second = f64::from(per_second);
        Self { per_second, tokens: per_second * 2.0, bytes, last: std::time::Instant::now(), dropped: 0 }
    }

    /// Whether `text` may be shown; and how many were left out before, if any.
    pub(crate) fn take(&mut self, text: &str) -> Option<u64> {
        let now = std::time::Instant::now();
        let lines = f64::from(u32::try_from(text.lines().count().max(1)).unwrap_or(u32::MAX));
        self.tokens = (self.tokens + now.duration_since(self.last).as_secs_f64() * self.per_second)
            .min(self.per_second * 2.0);
        self.last = now;
        let size = text.len() as u64 + 1;
        if self.tokens < lines || self.bytes < size {
            self.dropped += 1;
            return None;
        }
        self.tokens -= lines;
        self.bytes -= size;
        Some(std::mem::take(&mut self.dropped))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_removed() {
        for (text, wanted) in [
            ("plain ä\ttab", "plain ä\ttab"),
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}x", "x"),
            ("\u{1b}]8;;http://e\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{9b}2Jx", "x"),
            ("\u{1b}Pq#0;\u{1b}\\x", "x"),
            ("a\u{202e}b\u{2066}c\u{200b}", "abc"),
            ("50%\r100%", "50%\n100%"),
            ("a\r\nb", "a\nb"),
            ("bell\u{7}\u{8}\0", "bell"),
            ("\u{1b}", ""),
            ("\u{1b}[", ""),
            ("\u{1b}]never ends\nnext", "\nnext"),
            ("\u{1b}(Bx", "x"),
        ] {
            assert_eq!(clean(text, 1000), wanted, "{text:?}");
        }
    }

    #[test]
    fn commands_of_ci_systems_are_broken_up() {
        for marker in [
            "##vso[task.setvariable]x",
            "  ::set-output name=a::b",
            "::add-mask::x",
            "##[error]x",
            "##teamcity[x]",
            "\u{1b}[0m::warning::x",
            "a\r::error::x",
        ] {
            let shown = clean(marker, 1000);
            for line in shown.lines() {
                assert!(!MARKERS.iter().any(|m| line.trim_start().starts_with(m)), "{shown:?}");
            }
        }
        assert_eq!(clean("std::fmt and a ##[x]", 1000), "std::fmt and a ##[x]");
    }

    #[test]
    fn lines_are_bounded() {
        assert_eq!(clean(&"x".repeat(10), 10), "x".repeat(10));
        assert!(clean(&"x".repeat(11), 10).starts_with("xxxxxxxxxx …"));
        assert!(clean("äääää", 3).starts_with("ä …"));
    }

    #[test]
    fn floods_are_bounded() {
        let mut budget = LineBudget::new(10, 1_000_000);
        let shown = (0..1000).filter(|_| budget.take("x").is_some()).count();
        assert!((20..40).contains(&shown), "{shown}");
        let mut budget = LineBudget::new(1000, 10);
        assert!(budget.take("123456789").is_some() && budget.take("").is_none());
    }
}
