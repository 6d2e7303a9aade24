//! What broken JSON looks like from afar: where texts end, whether brackets fit.

/// A quotation mark that JSON does not know.
pub(super) fn is_wrong_quote(sign: char) -> bool {
    matches!(sign, '\'' | '`' | '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{2018}' | '\u{2019}')
}

fn bytes(text: &str, from: usize) -> &[u8] {
    text.as_bytes().get(from..).unwrap_or_default()
}

pub(super) fn line_end(text: &str, at: usize) -> usize {
    bytes(text, at).iter().position(|b| *b == b'\n').map_or(text.len(), |length| at + length)
}

/// The end of the text whose quote is at `at`, behind its other quote; none if that is not on its line.
pub(super) fn text_end(text: &str, at: usize) -> Option<usize> {
    let mut escaped = false;
    for (index, byte) in bytes(text, at + 1).iter().enumerate() {
        match byte {
            b'\n' => return None,
            b'"' if !escaped => return Some(at + 1 + index + 1),
            _ => escaped = *byte == b'\\' && !escaped,
        }
    }
    None
}

fn behind_blanks(text: &str, at: usize) -> Option<u8> {
    bytes(text, at).iter().find(|b| !matches!(b, b' ' | b'\t' | b'\r')).copied()
}

/// Whether a value or a name may end at `at`, by what follows.
pub(super) fn is_end(text: &str, at: usize) -> bool {
    is_end_of_value(text, at) || behind_blanks(text, at) == Some(b':')
}

/// Whether a value may end at `at`, by what follows.
pub(super) fn is_end_of_value(text: &str, at: usize) -> bool {
    matches!(behind_blanks(text, at), None | Some(b'\n' | b',' | b']' | b'}'))
}

/// Whether a name and its colon are at `at`, in whatever quotes.
pub(super) fn is_name(text: &str, at: usize) -> bool {
    let rest = text.get(at..).unwrap_or("");
    let end = match rest.chars().next() {
        Some('"') => text_end(text, at),
        Some(sign) if is_wrong_quote(sign) => closing(text, at + sign.len_utf8(), is_wrong_quote),
        // An address has a colon too.
        _ => Some(at + name_end(rest))
            .filter(|end| *end > at && !text.get(*end..).is_some_and(|rest| rest.starts_with("://"))),
    };
    end.is_some_and(|end| behind_blanks(text, end) == Some(b':'))
}

/// Whether it begins with a template of Go, which is text.
pub(super) fn is_go_template(rest: &str) -> bool {
    let inner = rest.strip_prefix("{{").map(|inner| inner.trim_start_matches([' ', '-']));
    inner.is_some_and(|inner| inner.starts_with(|c: char| c.is_alphanumeric() || ".`(".contains(c)))
}

/// How long a name without quotes is.
pub(super) fn name_end(rest: &str) -> usize {
    let ends = |c: char| c.is_whitespace() || ":=,;{}[]()\"".contains(c) || is_wrong_quote(c);
    rest.find(ends).unwrap_or(rest.len())
}

/// How brackets change the count of the open ones.
fn step(byte: u8) -> i64 {
    match byte {
        b'(' | b'[' | b'{' => 1,
        b')' | b']' | b'}' => -1,
        _ => 0,
    }
}

/// Whether as many brackets close as open, and none before it opens; of whatever kind.
pub(super) fn is_balanced(part: &str) -> bool {
    let mut depth = 0;
    part.bytes().all(|byte| {
        depth += step(byte);
        depth >= 0
    }) && depth == 0
}

/// The end of a text that begins at `from`, behind its other quote: the first that nothing follows which
/// must still be of the text, and before which all brackets are closed.
pub(super) fn closing(text: &str, from: usize, is_quote: fn(char) -> bool) -> Option<usize> {
    let (mut depth, mut escaped) = (0, false);
    for (index, sign) in text.get(from..)?.char_indices() {
        let end = from + index + sign.len_utf8();
        if sign == '\n' {
            return None;
        }
        if is_quote(sign) && !escaped && depth == 0 && is_end(text, end) {
            return Some(end);
        }
        escaped = sign == '\\' && !escaped;
        depth += u8::try_from(sign).map_or(0, step);
    }
    None
}

/// Whether the quotes on the rest of the line come in pairs.
pub(super) fn has_pairs(text: &str, from: usize) -> bool {
    let mut at = from;
    let end = line_end(text, from);
    while let Some(quote) = text.get(at..end).and_then(|rest| rest.find('"')) {
        match text_end(text, at + quote) {
            Some(end) => at = end,
            None => return false,
        }
    }
    true
}

/// The end of something that is not in quotes: at the bracket, the comma or the end of the line.
pub(super) fn run_end(text: &str, from: usize) -> usize {
    let mut depth = 0;
    let rest = text.get(from..).unwrap_or("");
    let ends = |(index, sign): &(usize, char)| {
        let next = bytes(text, from + index + 1).first();
        let parts = next.is_none_or(|b| b.is_ascii_whitespace() || b"\"{}[]".contains(b));
        let ends = match sign {
            '\n' => true,
            '"' | ']' | '}' => depth == 0,
            ',' => depth == 0 && parts,
            _ => false,
        };
        depth = (depth + u8::try_from(*sign).map_or(0, step)).max(0);
        ends
    };
    let length = rest.char_indices().find(ends).map_or(rest.len(), |(index, _)| index);
    let first = rest.chars().next().map_or(0, char::len_utf8);
    from + rest.get(..length).map_or(0, |run| run.trim_end().len()).max(first)
}

/// The bracket that a bracket closes.
pub(super) fn opening(close: u8) -> u8 {
    if close == b'}' { b'{' } else { b'[' }
}

/// Where the brackets in `open` are closed up to the first `kept` of them, behind the last closing one;
/// or else how far they fit.
pub(super) fn closed(text: &str, mut at: usize, mut open: Vec<u8>, kept: usize) -> Result<usize, usize> {
    while open.len() > kept {
        let Some(byte) = bytes(text, at).first() else { return Err(at) };
        at += 1;
        match byte {
            b'#' => at = line_end(text, at),
            b'/' if bytes(text, at).first() == Some(&b'/') => at = line_end(text, at),
            b'"' => at = text_end(text, at - 1).unwrap_or_else(|| line_end(text, at)),
            b'{' | b'[' => open.push(*byte),
            b'}' | b']' if open.pop() != Some(opening(*byte)) => return Err(at),
            _ => {}
        }
    }
    Ok(at)
}

/// How far the text from `at` on closes the brackets in `open`, and has nothing behind them; more than
/// its length if it does so to the end.
pub(super) fn reach(text: &str, at: usize, open: Vec<u8>) -> usize {
    match closed(text, at, open, 0) {
        Ok(end) => {
            let rest = text.get(end..).unwrap_or("").trim_start();
            let is_end = rest.is_empty() || rest.starts_with('#') || rest.starts_with('/');
            if is_end { text.len() + 1 } else { text.len() - rest.len() }
        }
        Err(at) => at,
    }
}

/// The white space before the line of `at`, if that is the first sign of it or `anywhere`.
pub(super) fn indent(text: &str, at: usize, anywhere: bool) -> Option<usize> {
    let before = text.get(..at)?;
    let line = before.get(before.rfind('\n')? + 1..)?;
    let indent = line.len() - line.trim_start().len();
    (anywhere || indent == line.len()).then_some(indent)
}
