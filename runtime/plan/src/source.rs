//! Where a thing was written: files and byte ranges in them.

use std::sync::Arc;

/// A file of a [`SourceMap`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// Bytes `start..end` of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// Byte after the last.
    pub end: u32,
}

/// The texts that diagnostics quote. Cheap to clone once built.
#[derive(Debug, Clone, Default)]
pub struct SourceMap {
    files: Vec<(Arc<str>, Arc<str>)>,
}

impl SourceMap {
    /// Adds a file by the name that messages show.
    pub fn add(&mut self, name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> FileId {
        self.files.push((name.into(), text.into()));
        FileId(u32::try_from(self.files.len() - 1).unwrap_or(u32::MAX))
    }

    /// The name of a file; empty if it is not of this map.
    pub fn name(&self, file: FileId) -> &str {
        self.files.get(file.0 as usize).map_or("", |(name, _)| name)
    }

    /// The text of a file; empty if it is not of this map.
    pub fn text(&self, file: FileId) -> &str {
        self.files.get(file.0 as usize).map_or("", |(_, text)| text)
    }

    /// The same texts with asterisks in place of secrets, byte for byte, so that spans still fit. A secret
    /// of fewer than four bytes stays: it would be found in half of all words.
    #[must_use]
    pub fn without(&self, secrets: &[String]) -> Self {
        let mask = |text: &Arc<str>| {
            let long = secrets.iter().filter(|secret| secret.len() >= 4 && text.contains(secret.as_str()));
            let masked = long.fold(None, |masked: Option<String>, secret| {
                let text = masked.as_deref().unwrap_or(text);
                Some(text.replace(secret.as_str(), &"*".repeat(secret.len())))
            });
            masked.map_or_else(|| Arc::clone(text), Arc::from)
        };
        Self { files: self.files.iter().map(|(name, text)| (Arc::clone(name), mask(text))).collect() }
    }

    /// Line and column of the start of `span`, counted from 1, columns in characters.
    pub fn position(&self, span: Span) -> (usize, usize) {
        let text = self.text(span.file);
        let mut at = (span.start as usize).min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let before = text.get(..at).unwrap_or("");
        let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        (line, column)
    }

    /// The line that holds the start of `span`, without its end.
    pub fn line(&self, span: Span) -> &str {
        let (line, _) = self.position(span);
        self.text(span.file).lines().nth(line - 1).unwrap_or("")
    }
}

#[cfg(test)]
mod tests {
    use super::SourceMap;

    #[test]
    fn secrets_are_masked_in_place() {
        let mut sources = SourceMap::default();
        let file = sources.add("a", "token = \"s3cret\" # s3cret\nlet = \"abc\"\n");
        let masked = sources.without(&["s3cret".to_owned(), "abc".to_owned(), "other".to_owned()]);
        assert_eq!(masked.text(file), "token = \"******\" # ******\nlet = \"abc\"\n");
        assert_eq!(masked.name(file), "a");
    }
}
