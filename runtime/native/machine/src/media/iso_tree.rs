//! The directory tree of a CD with, for each entry, its names: the real one (Rock Ridge), an 8.3 one in
//! capitals (ISO 9660 level 1) and a UCS-2 one (Joliet). Invariant: in each directory the names of each
//! kind are unique.

use super::{MediaError, MediaFile, OpenFile, parts};
use std::collections::{HashMap, HashSet};

/// More entries than any installer medium has.
const MOST: usize = 100_000;
/// Joliet's longest name in UCS-2 units, without the version.
const JOLIET: usize = 64;

/// Which of the two directory hierarchies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flavor {
    /// ISO 9660 with Rock Ridge.
    Plain,
    /// Joliet.
    Joliet,
}

pub(super) struct Entry {
    pub(super) name: String,
    pub(super) parent: usize,
    pub(super) content: Content,
    plain: Vec<u8>,
    joliet: Vec<u8>,
}

pub(super) enum Content {
    Directory(Vec<usize>),
    File { path: String, length: u64, open: Option<OpenFile> },
}

impl Entry {
    pub(super) fn identifier(&self, flavor: Flavor) -> &[u8] {
        match flavor {
            Flavor::Plain => &self.plain,
            Flavor::Joliet => &self.joliet,
        }
    }

    pub(super) fn children(&self) -> &[usize] {
        match &self.content {
            Content::Directory(children) => children,
            Content::File { .. } => &[],
        }
    }

    pub(super) fn is_directory(&self) -> bool {
        matches!(self.content, Content::Directory(_))
    }
}

/// Entry 0 is the root.
pub(super) struct Tree {
    pub(super) entries: Vec<Entry>,
}

impl Tree {
    pub(super) fn build(files: Vec<MediaFile>) -> Result<Self, MediaError> {
        let root = Entry {
            name: String::new(),
            parent: 0,
            content: Content::Directory(Vec::new()),
            plain: vec![0],
            joliet: vec![0],
        };
        let mut tree = Self { entries: vec![root] };
        let mut known: HashMap<(usize, String), usize> = HashMap::new();
        for file in files {
            tree.add(file, &mut known)?;
        }
        tree.give_names();
        Ok(tree)
    }

    fn add(
        &mut self,
        file: MediaFile,
        known: &mut HashMap<(usize, String), usize>,
    ) -> Result<(), MediaError> {
        let MediaFile { path, length, open } = file;
        let refuse = |reason| MediaError::Name { path: path.clone(), medium: "cd", reason };
        if length > u64::from(u32::MAX) {
            return Err(MediaError::TooBig { medium: "cd", reason: format!("`{path}` has 4 GiB or more") });
        }
        let mut names = parts(&path, "cd")?;
        let last = if path.ends_with('/') { None } else { names.pop() };
        let mut at = 0;
        for name in names {
            let key = (at, name.to_owned());
            at = match known.get(&key) {
                Some(entry) => *entry,
                None => self.insert(at, name, Content::Directory(Vec::new()), known)?,
            };
            if !self.entries.get(at).is_some_and(Entry::is_directory) {
                return Err(refuse("a part of its path is a file"));
            }
        }
        let Some(name) = last else { return Ok(()) };
        if known.contains_key(&(at, name.to_owned())) {
            return Err(refuse("there is another with this name"));
        }
        let content = Content::File { path: path.clone(), length, open: Some(open) };
        self.insert(at, name, content, known).map(drop)
    }

    fn insert(
        &mut self,
        parent: usize,
        name: &str,
        content: Content,
        known: &mut HashMap<(usize, String), usize>,
    ) -> Result<usize, MediaError> {
        let number = self.entries.len();
        if number > MOST {
            return Err(MediaError::TooBig { medium: "cd", reason: format!("more than {MOST} files") });
        }
        if let Some(Entry { content: Content::Directory(children), .. }) = self.entries.get_mut(parent) {
            children.push(number);
        }
        known.insert((parent, name.to_owned()), number);
        self.entries.push(Entry {
            name: name.to_owned(),
            parent,
            content,
            plain: Vec::new(),
            joliet: Vec::new(),
        });
        Ok(number)
    }

    fn give_names(&mut self) {
        for directory in 0..self.entries.len() {
            let children =
                self.entries.get(directory).map(|entry| entry.children().to_vec()).unwrap_or_default();
            let (mut plain, mut joliet) = (HashSet::new(), HashSet::new());
            for child in children {
                let Some(entry) = self.entries.get_mut(child) else { continue };
                let file = !entry.is_directory();
                entry.plain = unique(&mut plain, |number| plain_name(&entry.name, file, number));
                entry.joliet = unique(&mut joliet, |number| joliet_name(&entry.name, file, number));
            }
        }
    }

    /// Children of `directory` in the order of a hierarchy's names.
    pub(super) fn sorted(&self, directory: usize, flavor: Flavor) -> Vec<usize> {
        let mut children =
            self.entries.get(directory).map(|entry| entry.children().to_vec()).unwrap_or_default();
        children.sort_by_key(|child| self.entries.get(*child).map(|entry| entry.identifier(flavor).to_vec()));
        children
    }

    /// All directories, parents first, in the order of the path table.
    pub(super) fn directories(&self, flavor: Flavor) -> Vec<usize> {
        let mut order = vec![0];
        let mut next = 0;
        while let Some(directory) = order.get(next).copied() {
            let children = self.sorted(directory, flavor);
            order.extend(
                children.into_iter().filter(|it| self.entries.get(*it).is_some_and(Entry::is_directory)),
            );
            next += 1;
        }
        order
    }
}

fn unique(taken: &mut HashSet<Vec<u8>>, name: impl Fn(usize) -> Vec<u8>) -> Vec<u8> {
    let mut number = 0;
    loop {
        let candidate = name(number);
        if taken.insert(candidate.clone()) {
            return candidate;
        }
        number += 1;
    }
}

/// `NAME.EXT;1` in the alphabet of ISO 9660 level 1; a number over 0 replaces the end of the name.
fn plain_name(name: &str, file: bool, number: usize) -> Vec<u8> {
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, extension)) if file && !stem.is_empty() => (stem, extension),
        _ => (name, ""),
    };
    let allowed = |character: char| match character.to_ascii_uppercase() {
        upper @ ('A'..='Z' | '0'..='9') => upper,
        _ => '_',
    };
    let suffix = if number == 0 { String::new() } else { number.to_string() };
    let room = 8_usize.saturating_sub(suffix.len());
    let stem: String = stem.chars().map(allowed).take(room).collect();
    let extension: String = extension.chars().map(allowed).take(3).collect();
    if file { format!("{stem}{suffix}.{extension};1") } else { format!("{stem}{suffix}") }.into_bytes()
}

/// UCS-2, big endian; characters that Joliet refuses become `_`.
fn joliet_name(name: &str, file: bool, number: usize) -> Vec<u8> {
    let suffix = if number == 0 { String::new() } else { format!("~{number}") };
    let refused = |character: char| if "*/:;?\\".contains(character) { '_' } else { character };
    let mut units: Vec<u16> = Vec::new();
    for character in name.chars().map(refused) {
        // Whole characters only: half a surrogate pair would be no name.
        if units.len() + character.len_utf16() + suffix.len() > JOLIET {
            break;
        }
        units.extend_from_slice(character.encode_utf16(&mut [0; 2]));
    }
    let version = if file { ";1" } else { "" };
    units
        .into_iter()
        .chain(suffix.encode_utf16())
        .chain(version.encode_utf16())
        .flat_map(u16::to_be_bytes)
        .collect()
}
