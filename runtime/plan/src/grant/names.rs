//! Targets that are names: programs, environment variables, paths.

/// Whether `text` matches `pattern`, in which `*` stands for any characters. Linear in both for
/// each `*`; there is nothing to blow up.
pub fn glob_matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(first) = parts.next() else { return text.is_empty() };
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or(""),
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Whether the absolute path `pattern` covers the resolved absolute `path`: the same, or above it;
/// a `*` stands for characters within one part.
pub fn path_covers(pattern: &str, path: &str) -> bool {
    let mut wanted = parts(pattern);
    let mut given = parts(path);
    if parts(path).any(|part| part == "..") {
        return false;
    }
    loop {
        match (wanted.next(), given.next()) {
            (None, _) => return true,
            (Some(wanted), Some(given)) if glob_matches(wanted, given) => {}
            _ => return false,
        }
    }
}

/// Whether `pattern` covers somebody's home directory, or a hidden file in it: what a login runs.
pub(super) fn holds_a_home(pattern: &str) -> bool {
    let mut parts = parts(pattern);
    parts.next().is_some_and(|first| glob_matches(first, "home"))
        && parts.nth(1).is_none_or(|third| third.starts_with(['.', '*']))
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty() && *part != ".")
}

/// A program: a bare name or an absolute path, no pattern; or `*`, every program, which is what a
/// shell of the user's choice comes to.
pub(super) fn program(text: &str) -> Result<(), &'static str> {
    if text == "*" {
        return Ok(());
    }
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err("is not a program");
    }
    if text.contains('*') {
        return Err("must be one program, not a pattern");
    }
    if text.contains(['/', '\\']) && !is_absolute(text) {
        return Err("must be a bare name or an absolute path");
    }
    Ok(())
}

/// A variable or a pattern of variables; `*` is every variable, for programs that are the user's own
/// shell in all but name.
pub(super) fn variable(text: &str) -> Result<(), &'static str> {
    if text.is_empty() || !text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '*')) {
        return Err("is not the name of a variable");
    }
    Ok(())
}

/// An absolute path without `..`, not the root.
pub(super) fn path(text: &str) -> Result<(), &'static str> {
    if !is_absolute(text) {
        return Err("must be an absolute path");
    }
    if parts(text).any(|part| part == "..") {
        return Err("must not have `..`");
    }
    if parts(text).all(|part| part.chars().all(|c| c == '*')) {
        return Err("would be every file");
    }
    Ok(())
}

fn is_absolute(text: &str) -> bool {
    let drive = text.as_bytes();
    text.starts_with('/') || matches!(drive, [letter, b':', b'/' | b'\\', ..] if letter.is_ascii_alphabetic())
}
