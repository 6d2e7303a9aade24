//! Text and characters in Go's quotes: package strconv, `AppendQuote` and its relatives.

use std::fmt::Write as _;

/// Text between two `sign`s; `ascii` escapes all that is not ASCII.
pub(super) fn quote(text: &str, sign: char, ascii: bool) -> String {
    let mut out = String::from(sign);
    for c in text.chars() {
        if c == sign || c == '\\' {
            out.push('\\');
            out.push(c);
        } else if is_print(c) && (c.is_ascii() || !ascii) {
            out.push(c);
        } else {
            escape(c, &mut out);
        }
    }
    out.push(sign);
    out
}

fn escape(c: char, out: &mut String) {
    let code = u32::from(c);
    let letter = match c {
        '\x07' => 'a',
        '\x08' => 'b',
        '\x0c' => 'f',
        '\n' => 'n',
        '\r' => 'r',
        '\t' => 't',
        '\x0b' => 'v',
        _ => {
            let _ = match code {
                0..0x20 | 0x7f => write!(out, "\\x{code:02x}"),
                0x80..0x10000 => write!(out, "\\u{code:04x}"),
                _ => write!(out, "\\U{code:08x}"),
            };
            return;
        }
    };
    out.push('\\');
    out.push(letter);
}

/// Whether a character is seen: what Rust shows as it is in texts that are shown for debugging. Both
/// go by Unicode's categories, where they know the same version of it.
pub(super) fn is_print(c: char) -> bool {
    // Behind another, since marks that begin a text are escaped.
    match c {
        '"' | '\'' | '\\' => true,
        c => format!("a{c}").escape_debug().nth(1) == Some(c),
    }
}

/// Whether text can stand between back quotes.
pub(super) fn can_backquote(text: &str) -> bool {
    text.chars().all(|c| c == '\t' || c >= ' ' && c != '`' && c != '\x7f' && c != '\u{feff}')
}
