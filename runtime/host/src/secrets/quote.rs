//! Quoting of hostile values, one function for each language that a sink may speak.

use base64::Engine as _;

/// How a value is quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Posix,
    PowerShell,
    Cmd,
    Json,
    Url,
    Base64,
    Xml,
}

/// `text` quoted; or why it cannot be.
pub(crate) fn quote(text: &str, style: Style) -> Result<String, &'static str> {
    if matches!(style, Style::Posix | Style::PowerShell | Style::Cmd) && text.contains('\0') {
        return Err("a command line cannot hold a NUL character");
    }
    Ok(match style {
        Style::Posix => format!("'{}'", text.replace('\'', r"'\''")),
        Style::PowerShell => powershell(text),
        Style::Cmd => cmd(text)?,
        Style::Json => json(text),
        Style::Url => url(text),
        Style::Base64 => base64::engine::general_purpose::STANDARD.encode(text),
        Style::Xml => xml(text)?,
    })
}

/// A verbatim string. PowerShell takes the typographic quotes for `'` as well, so each kind is
/// doubled.
fn powershell(text: &str) -> String {
    let mut out = String::from("'");
    for c in text.chars() {
        if matches!(c, '\'' | '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}') {
            out.push(c);
        }
        out.push(c);
    }
    out.push('\'');
    out
}

/// One argument as the C runtime splits a command line, with cmd.exe's own characters escaped by
/// `^` outside any quotes that cmd itself would see. Line ends end a command and cannot be quoted;
/// `%NAME%` is broken up by `^` between the signs.
fn cmd(text: &str) -> Result<String, &'static str> {
    if text.contains(['\r', '\n']) {
        return Err("a command line of cmd.exe cannot hold a line end");
    }
    let mut argument = String::from("\"");
    let mut backslashes = 0;
    for c in text.chars() {
        match c {
            '\\' => backslashes += 1,
            '"' => {
                argument.extend(std::iter::repeat_n('\\', backslashes + 1));
                backslashes = 0;
            }
            _ => backslashes = 0,
        }
        argument.push(c);
    }
    argument.extend(std::iter::repeat_n('\\', backslashes));
    argument.push('"');
    let mut out = String::new();
    for c in argument.chars() {
        if matches!(c, '"' | '^' | '&' | '|' | '<' | '>' | '(' | ')' | '%' | '!' | '@' | ',' | ';' | '=') {
            out.push('^');
        }
        out.push(c);
    }
    Ok(out)
}

fn json(text: &str) -> String {
    // A string always serialises.
    serde_json::to_string(text).unwrap_or_default()
}

/// RFC 3986: everything but the unreserved characters.
fn url(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Character data that is safe in attributes too. Line ends are written as references, so that no
/// parser normalises them.
fn xml(text: &str) -> Result<String, &'static str> {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\r' => out.push_str("&#13;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            c if u32::from(c) < 0x20 || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                return Err("XML cannot hold a control character");
            }
            c => out.push(c),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &[&str] = &[
        "",
        "plain",
        "it's",
        "'; rm -rf / #",
        "$(id)`id`",
        "a\nb\r\nc",
        "\\",
        "a\\'b",
        "''''",
        "\"",
        "%PATH%",
        "–—’",
        "-n",
        "* ?",
    ];

    /// The real shell reads back each value.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test asks the real shell")]
    fn posix_words_come_back_from_a_shell() {
        for value in HOSTILE {
            let line = format!("printf %s {}", quote(value, Style::Posix).unwrap());
            let output =
                std::process::Command::new("sh").arg("-c").arg(&line).output().expect("sh is installed");
            assert_eq!(String::from_utf8(output.stdout).unwrap(), *value, "{line}");
        }
    }

    #[test]
    fn each_form_reads_back() {
        for value in HOSTILE {
            assert_eq!(serde_json::from_str::<String>(&quote(value, Style::Json).unwrap()).unwrap(), *value);
            let plain = base64::engine::general_purpose::STANDARD
                .decode(quote(value, Style::Base64).unwrap())
                .unwrap();
            assert_eq!(plain, value.as_bytes());
            let url = quote(value, Style::Url).unwrap();
            assert!(url.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)), "{url}");
            let xml = quote(value, Style::Xml).unwrap();
            assert!(!xml.contains(['<', '>', '"', '\'', '\n', '\r']), "{xml}");
            assert!(quote(value, Style::PowerShell).unwrap().matches('\'').count().is_multiple_of(2));
        }
        assert_eq!(quote("’; x", Style::PowerShell).unwrap(), "'’’; x'");
        assert_eq!(quote("a\\\"b\\", Style::Cmd).unwrap(), "^\"a\\\\\\^\"b\\\\^\"");
        assert_eq!(quote("a&%b%", Style::Cmd).unwrap(), "^\"a^&^%b^%^\"");
    }

    #[test]
    fn what_cannot_be_quoted_is_refused() {
        for style in [Style::Posix, Style::PowerShell, Style::Cmd] {
            assert!(quote("a\0b", style).is_err());
        }
        assert!(quote("a\nb", Style::Cmd).is_err());
        assert!(quote("\u{1b}", Style::Xml).is_err());
    }
}
