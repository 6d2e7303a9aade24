//! Globs: `*`, `?`, `[a-z]`, `{a,b}`. Matching is a bounded search without recursion on the text.

/// A pattern.
#[derive(Debug, Clone)]
pub(crate) struct Glob {
    regex: regex::Regex,
}

impl Glob {
    /// Compiles a pattern. With `paths`, `*` stops at `/` and `**` does not.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn new(pattern: &str, paths: bool) -> Result<Self, String> {
        let mut source = String::from("(?s)^");
        let mut braces = 0usize;
        let mut chars = pattern.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '*' if paths && chars.next_if_eq(&'*').is_some() => {
                    if chars.next_if_eq(&'/').is_some() {
                        source.push_str("(?:.*/)?");
                    } else {
                        source.push_str(".*");
                    }
                }
                '*' => source.push_str(if paths { "[^/]*" } else { ".*" }),
                '?' => source.push_str(if paths { "[^/]" } else { "." }),
                '[' => class(&mut chars, &mut source)?,
                '{' => {
                    braces += 1;
                    source.push_str("(?:");
                }
                '}' if braces > 0 => {
                    braces -= 1;
                    source.push(')');
                }
                ',' if braces > 0 => source.push('|'),
                '\\' => {
                    let escaped = chars.next().ok_or("the pattern ends in \\")?;
                    source.push_str(&regex::escape(&escaped.to_string()));
                }
                c => source.push_str(&regex::escape(&c.to_string())),
            }
        }
        if braces > 0 {
            return Err(format!("`{{` is not closed in the pattern `{pattern}`"));
        }
        source.push('$');
        let regex = regex::RegexBuilder::new(&source).size_limit(1 << 20).build();
        Ok(Self { regex: regex.map_err(|_| format!("`{pattern}` is not a pattern"))? })
    }

    /// Whether the whole text matches.
    pub(crate) fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

fn class(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, source: &mut String) -> Result<(), String> {
    source.push('[');
    if chars.next_if(|c| matches!(c, '!' | '^')).is_some() {
        source.push('^');
    }
    for c in chars.by_ref() {
        match c {
            ']' => {
                source.push(']');
                return Ok(());
            }
            '-' => source.push('-'),
            c => source.push_str(&regex::escape(&c.to_string())),
        }
    }
    Err("`[` is not closed in the pattern".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows() {
        for (pattern, text, expected) in [
            ("qemu.*", "qemu.a.b", true),
            ("*", "a.b/c", true),
            ("{qemu,null}.x", "null.x", true),
            ("q?mu.[a-c]", "qemu.b", true),
            ("q?mu.[!a-c]", "qemu.b", false),
            ("qemu", "qemu.a", false),
        ] {
            assert_eq!(Glob::new(pattern, false).unwrap().matches(text), expected, "{pattern} {text}");
        }
        assert!(Glob::new("*.sh", true).unwrap().matches("a.sh"));
        assert!(!Glob::new("*.sh", true).unwrap().matches("d/a.sh"));
        assert!(Glob::new("**/*.sh", true).unwrap().matches("d/e/a.sh"));
        assert!(Glob::new("{a", false).is_err());
        assert!(Glob::new("[a", false).is_err());
    }
}
