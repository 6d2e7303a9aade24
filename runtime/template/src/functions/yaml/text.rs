//! YAML's texts: which are written as a literal block, which in quotes and how those are folded;
//! and texts that are read as times.

use super::super::time;
use std::fmt::Write as _;

/// The column after which a quoted text goes on in the next line.
const WIDTH: usize = 80;

/// Writes text, its further lines indented by `level`.
pub(super) fn write(text: &str, level: usize, out: &mut String) {
    if is_literal(text) { literal(text, level, out) } else { quote(text, level, out) }
}

/// Whether a literal block gives the text back: several lines, no space before a line's end.
fn is_literal(text: &str) -> bool {
    text.contains('\n')
        && text.chars().all(|c| c == '\n' || is_plain(c))
        && !text.contains(" \n")
        && !text.ends_with(' ')
}

/// Whether a character may be written as it is.
fn is_plain(c: char) -> bool {
    matches!(c, ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
        && c != '\u{feff}'
}

fn literal(text: &str, level: usize, out: &mut String) {
    let body = text.trim_end_matches('\n');
    out.push('|');
    if text.starts_with([' ', '\n']) {
        out.push('2');
    }
    out.push_str(match (text.len() - body.len(), body.is_empty()) {
        (0, _) => "-",
        (1, false) => "",
        _ => "+",
    });
    for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
        out.push('\n');
        if !line.is_empty() {
            out.push_str(&"  ".repeat(level));
            out.push_str(line);
        }
    }
    out.push('\n');
}

/// Writes text in quotes, folded at spaces.
pub(super) fn quote(text: &str, level: usize, out: &mut String) {
    let mut column = out.rsplit('\n').next().map_or(0, |line| line.chars().count());
    let mut before = out.len();
    let mut after_space = false;
    out.push('"');
    let mut chars = text.chars().enumerate().peekable();
    while let Some((at, c)) = chars.next() {
        column += out.get(before..).map_or(0, |new| new.chars().count());
        before = out.len();
        let next = chars.peek().map(|(_, next)| *next);
        let folds = c == ' ' && !after_space && column > WIDTH && at > 0 && next.is_some();
        after_space = c == ' ';
        if folds {
            let _ = write!(out, "\n{}", "  ".repeat(level));
            column = 2 * level;
            before = out.len();
            if next == Some(' ') {
                out.push('\\');
            }
        } else {
            escape(c, out);
        }
    }
    out.push('"');
}

fn escape(c: char, out: &mut String) {
    let short = match c {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        c if is_plain(c) => return out.push(c),
        c => {
            let code = u32::from(c);
            let _ = match code {
                0..=0xff => write!(out, "\\x{code:02X}"),
                0x100..=0xffff => write!(out, "\\u{code:04X}"),
                _ => write!(out, "\\U{code:08X}"),
            };
            return;
        }
    };
    out.push('\\');
    out.push(short);
}

/// A plain text that YAML takes for a time, as RFC 3339 writes it: `2020-1-2`,
/// `2020-01-02 10:00:00`, `2020-01-02t10:00:00.5+02:00`.
pub(super) fn timestamp(text: &str) -> Option<String> {
    let mut date = text.splitn(3, '-');
    let (year, month, rest) = (date.next()?, date.next()?, date.next()?);
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (day, rest) = rest.split_at_checked(end)?;
    let short = |text: &str| (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if year.len() != 4 || !short(month) || !short(day) {
        return None;
    }
    let clock = match rest.strip_prefix(['T', 't', ' ']) {
        Some(clock) => clock.trim_start(),
        None if rest.is_empty() => "00:00:00Z",
        None => return None,
    };
    let zoned = clock.ends_with('Z') || clock.contains(['+', '-']);
    // Only the form with a space has no zone.
    if !zoned && !rest.starts_with(' ') {
        return None;
    }
    let zone = if zoned { "" } else { "Z" };
    time::canonical(&format!("{year}-{month:0>2}-{day:0>2}T{clock}{zone}"))
}
