//! Looking for many texts at once in bytes that come in pieces.
//!
//! Main types: [`Patterns`], what is looked for; [`Replacing`], which puts other texts in their
//! places. Invariant: a text that is cut by the end of a piece is found as well.

use aho_corasick::{AhoCorasick, MatchKind};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Texts to look for. Of those that begin at one place the longest is found.
#[derive(Debug)]
pub(crate) struct Patterns {
    pub(super) search: AhoCorasick,
    longest: usize,
}

impl Patterns {
    /// `None` if there is nothing to look for, or too much.
    pub(super) fn new(texts: impl Iterator<Item: AsRef<[u8]>> + Clone) -> Option<Self> {
        let longest = texts.clone().map(|text| text.as_ref().len()).max()?;
        let search = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(texts).ok()?;
        Some(Self { search, longest })
    }

    /// How much of the beginning of `bytes` nothing that follows can change: no text that is looked
    /// for is cut by it.
    pub(crate) fn certain(&self, bytes: &[u8]) -> usize {
        let mut certain = (bytes.len() + 1).saturating_sub(self.longest);
        for found in self.search.find_iter(bytes) {
            if found.start() >= certain {
                break;
            }
            certain = certain.max(found.end());
        }
        certain
    }
}

/// Puts texts in the places of others, in bytes that come in pieces.
#[derive(Debug, Clone, Default)]
pub(crate) struct Replacing {
    patterns: Option<Arc<Patterns>>,
    with: Arc<[String]>,
    held: Vec<u8>,
    found: BTreeSet<usize>,
}

impl Replacing {
    /// The first of each pair is replaced by the second.
    pub(crate) fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        let (from, with): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        Self { patterns: Patterns::new(from.iter()).map(Arc::new), with: with.into(), ..Self::default() }
    }

    /// Takes a piece; gives what is certain by now.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(piece);
        let certain = match &self.patterns {
            Some(patterns) => patterns.certain(&self.held),
            None => self.held.len(),
        };
        let rest = self.held.split_off(certain);
        let certain = std::mem::replace(&mut self.held, rest);
        self.replace(&certain)
    }

    /// The rest.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        let held = std::mem::take(&mut self.held);
        self.replace(&held)
    }

    /// Whether nothing is ever replaced.
    pub(crate) fn is_empty(&self) -> bool {
        self.patterns.is_none()
    }

    /// The places, in what was given to [`Replacing::new`], of the pairs that occurred.
    pub(crate) fn found(&self) -> &BTreeSet<usize> {
        &self.found
    }

    fn replace(&mut self, bytes: &[u8]) -> Vec<u8> {
        let Some(patterns) = &self.patterns else { return bytes.to_vec() };
        let mut out = Vec::with_capacity(bytes.len());
        patterns.search.replace_all_with_bytes(bytes, &mut out, |found, _, out| {
            let index = found.pattern().as_usize();
            self.found.insert(index);
            out.extend_from_slice(self.with.get(index).map_or(b"", |text| text.as_bytes()));
            true
        });
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_replaced_at_every_cut() {
        let pairs = [("token1", "a"), ("token12", "a much longer value"), ("x", "")];
        let pairs = pairs.map(|(from, with)| (from.to_owned(), with.to_owned()));
        let text = b"token1 token12token1 tokentoken1\xff x token";
        let whole = b"a a much longer valuea tokena\xff  token";
        for cut in 0..=text.len() {
            let mut replacing = Replacing::new(pairs.clone());
            let mut out = replacing.push(&text[..cut]);
            out.extend(replacing.push(&text[cut..]));
            out.extend(replacing.finish());
            assert_eq!(out, whole, "cut at {cut}");
            assert_eq!(replacing.found().len(), 3);
        }
        let mut replacing = Replacing::new(pairs);
        let mut out: Vec<u8> = text.iter().flat_map(|byte| replacing.push(&[*byte])).collect();
        out.extend(replacing.finish());
        assert_eq!(out, whole);
        assert_eq!(Replacing::new([]).push(b"token1"), b"token1");
    }
}
