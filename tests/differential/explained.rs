//! The differences that docs/packer-compatibility.md explains: rows of its tables whose first cell
//! is a key in backticks, such as `console can(1 / 0)`. A key that ends in `…` is a prefix.

use std::collections::BTreeSet;
use std::path::Path;

/// The explained keys of one kind, and those that were met.
pub(crate) struct Explained {
    kind: &'static str,
    keys: Vec<String>,
    met: BTreeSet<String>,
    failures: Vec<String>,
}

impl Explained {
    /// The rows of `kind`, the first word of a key.
    pub(crate) fn of(kind: &'static str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/packer-compatibility.md");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut keys = Vec::new();
        for row in text.lines().filter_map(|line| line.strip_prefix("| `")) {
            let Some((key, reason)) = row.split_once("` | ") else { continue };
            let Some(key) = key.strip_prefix(kind).and_then(|key| key.strip_prefix(' ')) else { continue };
            assert!(reason.trim_end_matches(" |").len() > 5, "`{kind} {key}` has no reason");
            // A pipe in a table is written with a backslash.
            keys.push(key.replace("\\|", "|"));
        }
        Self { kind, keys, met: BTreeSet::new(), failures: Vec::new() }
    }

    /// Notes a difference in `case`; both texts are shown if nothing explains it.
    pub(crate) fn differs(&mut self, case: &str, kiln: &str, packer: &str) {
        let explains = |key: &&String| match key.strip_suffix('…') {
            Some(prefix) => case.starts_with(prefix),
            None => **key == case,
        };
        match self.keys.iter().find(explains) {
            Some(key) => {
                self.met.insert(key.clone());
            }
            None => self.failures.push(format!("{} {case}\n  kiln   {kiln}\n  packer {packer}", self.kind)),
        }
    }

    /// The same for two texts that may be equal.
    pub(crate) fn compare(&mut self, case: &str, kiln: &str, packer: &str) {
        if kiln != packer {
            self.differs(case, kiln, packer);
        }
    }

    /// Fails if something is not explained, or an explanation was not needed.
    pub(crate) fn end(self) {
        Self::end_all([self]);
    }

    /// The same for several kinds, all of which are told.
    pub(crate) fn end_all(all: impl IntoIterator<Item = Self>) {
        let (mut failures, mut unused) = (Vec::new(), Vec::new());
        for one in all {
            let met = &one.met;
            unused.extend(
                one.keys.into_iter().filter(|k| !met.contains(k)).map(|k| format!("{} {k}", one.kind)),
            );
            failures.extend(one.failures);
        }
        assert!(
            failures.is_empty() && unused.is_empty(),
            "{} differences that docs/packer-compatibility.md does not explain:\n{}\nexplanations that explain nothing: {unused:?}",
            failures.len(),
            failures.join("\n")
        );
    }
}
