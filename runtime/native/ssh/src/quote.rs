//! Quoting for POSIX shells, and remote paths that cannot be mistaken for options.

/// Quotes `text` so that a POSIX shell reads it as one literal word.
pub fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./=:@%+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A remote path as sent: `~/x` is `x` below the login directory (where relative paths start), and a leading dash is no
/// option.
pub(crate) fn remote_path(path: &str) -> String {
    let below_home = match path {
        "~" | "~/" => ".",
        _ => path.strip_prefix("~/").unwrap_or(path),
    };
    if below_home.starts_with('-') { format!("./{below_home}") } else { below_home.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_cannot_end_the_word() {
        assert_eq!(quote("a'b; rm -rf /"), r"'a'\''b; rm -rf /'");
        assert_eq!(quote(""), "''");
        assert_eq!(quote("a\nb"), "'a\nb'");
        assert_eq!(quote("plain/path-1.txt"), "plain/path-1.txt");
    }

    #[test]
    fn remote_paths() {
        assert_eq!(remote_path("-rf"), "./-rf");
        assert_eq!(remote_path("~/x"), "x");
        assert_eq!(remote_path("~/-x"), "./-x");
        assert_eq!(remote_path("/tmp/-x"), "/tmp/-x");
    }
}
