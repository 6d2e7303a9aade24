//! Names and link targets that stay inside.
//!
//! Invariant: a [`SafeName`] is one or more plain components; joined to a directory it names something below it.

use super::ArchiveError;

/// Longest name and component that Linux takes (PATH_MAX, NAME_MAX), and a depth that no honest archive reaches.
const MAX_NAME: usize = 4096;
const MAX_COMPONENT: usize = 255;
const MAX_DEPTH: usize = 64;

/// A checked relative name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SafeName {
    parts: Vec<String>,
}

impl SafeName {
    /// `None` when the name stands for the directory itself (`./`).
    pub(crate) fn parse(name: &[u8]) -> Result<Option<Self>, ArchiveError> {
        let refuse = |why| refused(name, why);
        let text = std::str::from_utf8(name).map_err(|_| refuse("its name is not UTF-8"))?;
        if text.is_empty() || text.len() > MAX_NAME {
            return Err(refuse("its name is empty or too long"));
        }
        if text.starts_with('/') || text.contains('\\') || text.as_bytes().get(1) == Some(&b':') {
            return Err(refuse("its name is absolute or has a drive or backslash"));
        }
        if text.contains('\0') {
            return Err(refuse("its name has a zero byte"));
        }
        let parts: Vec<String> =
            text.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect();
        if parts.iter().any(|part| part == "..") {
            return Err(refuse("its name leads upwards"));
        }
        if parts.len() > MAX_DEPTH || parts.iter().any(|part| part.len() > MAX_COMPONENT) {
            return Err(refuse("its name is too deep or too long"));
        }
        Ok((!parts.is_empty()).then_some(Self { parts }))
    }

    /// The whole name, with `/`.
    pub(crate) fn path(&self) -> String {
        self.parts.join("/")
    }

    /// The directory part, empty at the top.
    pub(crate) fn parent(&self) -> String {
        self.parts.split_last().map(|(_, front)| front.join("/")).unwrap_or_default()
    }

    /// Whether a symbolic link at this name to `target` stays inside at every step.
    pub(crate) fn link_stays_inside(&self, target: &str) -> bool {
        if target.is_empty()
            || target.len() > MAX_NAME
            || target.starts_with('/')
            || target.contains(['\\', '\0'])
        {
            return false;
        }
        let start = self.parts.len() - 1;
        target
            .split('/')
            .try_fold(start, |depth, part| match part {
                "" | "." => Some(depth),
                ".." => depth.checked_sub(1),
                _ => Some(depth + 1),
            })
            .is_some()
    }
}

pub(crate) fn refused(name: &[u8], why: &'static str) -> ArchiveError {
    let name = String::from_utf8_lossy(name).chars().filter(|c| !c.is_control()).take(200).collect();
    ArchiveError::Refused { name, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_relative_names_pass() {
        for (name, path) in [
            ("a", "a"),
            ("./a/b", "a/b"),
            ("a//b/", "a/b"),
            ("a/./b", "a/b"),
            ("...", "..."),
            ("a/..b", "a/..b"),
        ] {
            assert_eq!(SafeName::parse(name.as_bytes()).unwrap().unwrap().path(), path);
        }
        assert_eq!(SafeName::parse(b"./").unwrap(), None);
        let long = "x".repeat(256);
        let deep = "d/".repeat(65);
        for name in ["", "/a", "..", "a/../b", "../a", "a/..", "a\\b", "C:/x", "c:x", "a\0b", &long, &deep] {
            assert!(SafeName::parse(name.as_bytes()).is_err(), "{name}");
        }
        assert!(SafeName::parse(b"a\xff").is_err());
    }

    #[test]
    fn link_targets_are_followed_in_thought() {
        let name = SafeName::parse(b"a/b/link").unwrap().unwrap();
        for target in ["x", "../x", "../../x", "./y/../x", "../../a/b"] {
            assert!(name.link_stays_inside(target), "{target}");
        }
        for target in ["/etc/passwd", "../../../x", "../../a/../../x", "", "..\\..\\x"] {
            assert!(!name.link_stays_inside(target), "{target}");
        }
    }
}
