//! Writing a CD image: [`write_iso`]. Sources: ECMA-119 (ISO 9660), Joliet specification 1, IEEE P1281
//! (SUSP) and P1282 (Rock Ridge, RRIP_1991A).
//!
//! ```text
//! 0-15 empty | 16 volume | 17 Joliet volume | 18 end | path tables (L, M) x 2 | directories
//! | long Rock Ridge names | Joliet directories | files
//! ```
//! Directories are made twice: once to learn their sizes, once with the places that follow from them.
//! Invariant: what is written is exactly as long as the volume descriptors say.

use super::iso_tree::{Content, Flavor, Tree};
use super::{MediaError, MediaFile};
use std::collections::HashMap;
use std::io::{self, Read, Write};
use tokio_util::sync::CancellationToken;

const SECTOR: usize = 2048;
/// Empty sectors after the volume.
const PAD: usize = 150;
/// 1980-01-01, no zone: a CD has no clock, so that the same files give the same image.
const DATE: [u8; 7] = [80, 1, 1, 0, 0, 0, 0];
/// After 16 empty sectors and three descriptors.
const FIRST_FREE: u32 = 19;

/// How a CD is made.
#[derive(Debug, Clone, Default)]
pub struct IsoOptions {
    /// The volume's name, at most 32 bytes, as written (`cidata`); Joliet keeps the first 16.
    pub label: String,
}

/// Writes an image to `out`, files as they are read. Blocking; gives the image's length.
///
/// # Errors
/// [`MediaError`]; what was written by then is no image. A cancel is an I/O error of kind `Interrupted`.
pub fn write_iso(
    options: &IsoOptions,
    files: Vec<MediaFile>,
    out: &mut dyn Write,
    cancel: &CancellationToken,
) -> Result<u64, MediaError> {
    let printable = |byte: u8| byte.is_ascii_alphanumeric() || b" _-.".contains(&byte);
    if options.label.len() > 32 || !options.label.bytes().all(printable) {
        return Err(MediaError::Label { label: options.label.clone(), medium: "cd", longest: 32 });
    }
    let mut tree = Tree::build(files)?;
    let layout = Layout::plan(&tree)?;
    let failed = |source| MediaError::Io { medium: "a cd", source };
    out.write_all(&layout.metadata(&tree, &options.label)).map_err(failed)?;
    for entry in &mut tree.entries {
        if let Content::File { path, length, open } = &mut entry.content
            && let Some(open) = open.take()
        {
            let copied = copy(&mut *open().map_err(failed)?, *length, out, cancel).map_err(failed)?;
            if copied != *length {
                return Err(MediaError::Changed(path.clone()));
            }
        }
    }
    // Behind the volume, as every mastering program does: readers that look for a superblock (busybox)
    // read 68 KiB at once, and drives read ahead.
    out.write_all(&vec![0; PAD * SECTOR]).map_err(failed)?;
    out.flush().map_err(failed)?;
    Ok((u64::from(layout.end) + to_u64(PAD)) * to_u64(SECTOR))
}

/// Copies `length` bytes and fills the sector; gives what there was, one more if there was more.
fn copy(
    from: &mut dyn Read,
    length: u64,
    out: &mut dyn Write,
    cancel: &CancellationToken,
) -> io::Result<u64> {
    let mut buffer = vec![0; 256 * 1024];
    let mut copied = 0;
    let mut limited = from.take(length.saturating_add(1));
    loop {
        if cancel.is_cancelled() {
            return Err(io::Error::new(io::ErrorKind::Interrupted, "cancelled"));
        }
        let count = limited.read(&mut buffer)?;
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
        out.write_all(bytes)?;
        copied += to_u64(count);
    }
    let mut rest = Vec::new();
    pad(&mut rest, usize::try_from(copied % to_u64(SECTOR)).unwrap_or_default());
    out.write_all(&rest)?;
    Ok(copied)
}

/// Zeroes up to the end of the last sector.
fn fill(bytes: &mut Vec<u8>) {
    pad(bytes, bytes.len());
}

/// Zeroes up to the end of the sector in which `used` bytes are used.
fn pad(bytes: &mut Vec<u8>, used: usize) {
    bytes.resize(bytes.len() + (SECTOR - used % SECTOR) % SECTOR, 0);
}

fn to_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn to_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// First sector and length in bytes.
type Place = (u32, u32);

#[derive(Default)]
struct Layout {
    /// Of directories, by entry, in each hierarchy.
    plain: HashMap<usize, Place>,
    joliet: HashMap<usize, Place>,
    files: HashMap<usize, Place>,
    /// First sectors of the path tables: L then M of each hierarchy.
    plain_tables: [u32; 2],
    joliet_tables: [u32; 2],
    continuation: u32,
    end: u32,
}

impl Layout {
    fn plan(tree: &Tree) -> Result<Self, MediaError> {
        let mut layout = Self::default();
        let mut next = u64::from(FIRST_FREE);
        let too_big = || MediaError::TooBig { medium: "cd", reason: "more than 8 TiB".into() };
        let mut take = |bytes: u64| -> Result<u32, MediaError> {
            let at = u32::try_from(next).map_err(|_| too_big())?;
            next += bytes.div_ceil(to_u64(SECTOR));
            Ok(at)
        };
        for flavor in [Flavor::Plain, Flavor::Joliet] {
            let length = to_u64(layout.path_table(tree, flavor, false).len());
            let tables = [take(length)?, take(length)?];
            match flavor {
                Flavor::Plain => layout.plain_tables = tables,
                Flavor::Joliet => layout.joliet_tables = tables,
            }
        }
        for flavor in [Flavor::Plain, Flavor::Joliet] {
            let mut continuation = Vec::new();
            for directory in tree.directories(flavor) {
                let bytes = layout.directory(tree, directory, flavor, &mut continuation);
                let place = (take(to_u64(bytes.len()))?, to_u32(bytes.len()));
                layout.places_mut(flavor).insert(directory, place);
            }
            if flavor == Flavor::Plain {
                layout.continuation = take(to_u64(continuation.len()))?;
            }
        }
        for (number, entry) in tree.entries.iter().enumerate() {
            if let Content::File { length, .. } = &entry.content {
                let bytes = u32::try_from(*length).map_err(|_| too_big())?;
                layout.files.insert(number, (take(*length)?, bytes));
            }
        }
        layout.end = take(0)?;
        Ok(layout)
    }

    fn places(&self, flavor: Flavor) -> &HashMap<usize, Place> {
        match flavor {
            Flavor::Plain => &self.plain,
            Flavor::Joliet => &self.joliet,
        }
    }

    fn places_mut(&mut self, flavor: Flavor) -> &mut HashMap<usize, Place> {
        match flavor {
            Flavor::Plain => &mut self.plain,
            Flavor::Joliet => &mut self.joliet,
        }
    }

    fn place(&self, entry: usize, flavor: Flavor) -> Place {
        self.places(flavor).get(&entry).or_else(|| self.files.get(&entry)).copied().unwrap_or_default()
    }

    /// Everything before the files.
    fn metadata(&self, tree: &Tree, label: &str) -> Vec<u8> {
        let mut bytes = vec![0; SECTOR * 16];
        bytes.extend(self.volume(tree, label, Flavor::Plain));
        bytes.extend(self.volume(tree, label, Flavor::Joliet));
        bytes.extend([255, b'C', b'D', b'0', b'0', b'1', 1]);
        fill(&mut bytes);
        for flavor in [Flavor::Plain, Flavor::Joliet] {
            for big_endian in [false, true] {
                bytes.extend(self.path_table(tree, flavor, big_endian));
                fill(&mut bytes);
            }
        }
        for flavor in [Flavor::Plain, Flavor::Joliet] {
            let mut continuation = Vec::new();
            for directory in tree.directories(flavor) {
                bytes.extend(self.directory(tree, directory, flavor, &mut continuation));
            }
            bytes.extend(continuation);
            fill(&mut bytes);
        }
        bytes
    }

    /// A volume descriptor (ECMA-119 8.4 and 8.5).
    fn volume(&self, tree: &Tree, label: &str, flavor: Flavor) -> Vec<u8> {
        let joliet = flavor == Flavor::Joliet;
        let text = |text: &str, length: usize| -> Vec<u8> {
            let bytes: Vec<u8> = match flavor {
                Flavor::Plain => text.bytes().chain(std::iter::repeat(b' ')).take(length).collect(),
                Flavor::Joliet => {
                    let units = text.encode_utf16().chain(std::iter::repeat(0x20));
                    let mut bytes: Vec<u8> = units.take(length / 2).flat_map(u16::to_be_bytes).collect();
                    bytes.resize(length, 0);
                    bytes
                }
            };
            bytes
        };
        let tables = if joliet { self.joliet_tables } else { self.plain_tables };
        let [little, big] = tables;
        let mut it = vec![if joliet { 2 } else { 1 }];
        it.extend(b"CD001\x01\0");
        it.extend(text("", 32));
        it.extend(text(label, 32));
        it.extend([0; 8]);
        it.extend(both32(self.end));
        let mut escapes = [0_u8; 32];
        if joliet {
            // UCS-2 level 3.
            for (slot, byte) in escapes.iter_mut().zip(*b"%/E") {
                *slot = byte;
            }
        }
        it.extend(escapes);
        it.extend(both16(1));
        it.extend(both16(1));
        it.extend(both16(2048));
        it.extend(both32(to_u32(self.path_table(tree, flavor, false).len())));
        it.extend(little.to_le_bytes());
        it.extend([0; 4]);
        it.extend(big.to_be_bytes());
        it.extend([0; 4]);
        it.extend(record(&[0], self.place(0, flavor), true, &[]));
        // Volume set, publisher, preparer, application, then three file names.
        for length in [128, 128, 128] {
            it.extend(text("", length));
        }
        it.extend(text("KILN", 128));
        for length in [37, 37, 37] {
            it.extend(text("", length));
        }
        it.extend(b"1980010100000000\0");
        it.extend(b"1980010100000000\0");
        it.extend(b"0000000000000000\0");
        it.extend(b"0000000000000000\0");
        it.push(1);
        fill(&mut it);
        it
    }

    /// A path table (ECMA-119 9.4); parents by number from 1.
    fn path_table(&self, tree: &Tree, flavor: Flavor, big_endian: bool) -> Vec<u8> {
        let order = tree.directories(flavor);
        let numbers: HashMap<usize, usize> =
            order.iter().enumerate().map(|(index, directory)| (*directory, index + 1)).collect();
        let mut table = Vec::new();
        for directory in &order {
            let Some(entry) = tree.entries.get(*directory) else { continue };
            let identifier = entry.identifier(flavor);
            let parent = numbers.get(&entry.parent).copied().unwrap_or(1);
            let parent = u16::try_from(parent).unwrap_or(1);
            let (extent, _) = self.place(*directory, flavor);
            table.extend([u8::try_from(identifier.len()).unwrap_or_default(), 0]);
            table.extend(if big_endian { extent.to_be_bytes() } else { extent.to_le_bytes() });
            table.extend(if big_endian { parent.to_be_bytes() } else { parent.to_le_bytes() });
            table.extend(identifier);
            table.resize(table.len() + identifier.len() % 2, 0);
        }
        table
    }

    /// The records of a directory; none crosses a sector's end.
    fn directory(&self, tree: &Tree, number: usize, flavor: Flavor, continuation: &mut Vec<u8>) -> Vec<u8> {
        let Some(entry) = tree.entries.get(number) else { return Vec::new() };
        let plain = flavor == Flavor::Plain;
        let subdirectories = |number: usize| {
            let children =
                tree.entries.get(number).map(|entry| entry.children().to_vec()).unwrap_or_default();
            children
                .iter()
                .filter(|it| tree.entries.get(**it).is_some_and(super::iso_tree::Entry::is_directory))
                .count()
        };
        let links = |number: usize| to_u32(subdirectories(number)).saturating_add(2);
        let mut own = Vec::new();
        let mut parents = Vec::new();
        if plain {
            if number == 0 {
                own.extend(b"SP\x07\x01\xbe\xef\0");
            }
            own.extend(posix(true, links(number)));
            if number == 0 {
                own.extend(b"ER\x12\x01\x0a\0\0\x01RRIP_1991A");
            }
            parents = posix(true, links(entry.parent));
        }
        let mut bytes = Vec::new();
        append(&mut bytes, record(&[0], self.place(number, flavor), true, &own));
        append(&mut bytes, record(&[1], self.place(entry.parent, flavor), true, &parents));
        for child in tree.sorted(number, flavor) {
            let Some(entry) = tree.entries.get(child) else { continue };
            let directory = entry.is_directory();
            let mut system = Vec::new();
            if plain {
                system = posix(directory, if directory { links(child) } else { 1 });
                self.real_name(&entry.name, entry.identifier(flavor).len(), &mut system, continuation);
            }
            append(
                &mut bytes,
                record(entry.identifier(flavor), self.place(child, flavor), directory, &system),
            );
        }
        fill(&mut bytes);
        bytes
    }

    /// The name as Rock Ridge's NM; what does not fit into the record goes on in the continuation area.
    fn real_name(&self, name: &str, identifier: usize, system: &mut Vec<u8>, continuation: &mut Vec<u8>) {
        let used = 33 + identifier + 1 + system.len() + 1;
        let room = 255_usize.saturating_sub(used);
        if name.len() + 5 <= room {
            system.extend(name_entry(name.as_bytes(), false));
            return;
        }
        let (first, rest) = name.as_bytes().split_at(room.saturating_sub(5 + 28).min(name.len()));
        let more = name_entry(rest, false);
        if continuation.len() % SECTOR + more.len() > SECTOR {
            fill(continuation);
        }
        let sector = self.continuation.saturating_add(to_u32(continuation.len() / SECTOR));
        system.extend(name_entry(first, true));
        system.extend(b"CE\x1c\x01");
        system.extend(both32(sector));
        system.extend(both32(to_u32(continuation.len() % SECTOR)));
        system.extend(both32(to_u32(more.len())));
        continuation.extend(more);
    }
}

fn append(bytes: &mut Vec<u8>, record: Vec<u8>) {
    if bytes.len() % SECTOR + record.len() > SECTOR {
        pad(bytes, bytes.len());
    }
    bytes.extend(record);
}

fn name_entry(name: &[u8], continues: bool) -> Vec<u8> {
    let length = u8::try_from(name.len() + 5).unwrap_or(u8::MAX);
    [b"NM".as_slice(), &[length, 1, u8::from(continues)], name].concat()
}

/// PX: everybody may read and execute (scripts are run from CDs), nobody owns.
fn posix(directory: bool, links: u32) -> Vec<u8> {
    let mode = if directory { 0o040_555 } else { 0o100_555 };
    let mut entry = b"PX\x24\x01".to_vec();
    for value in [mode, links, 0, 0] {
        entry.extend(both32(value));
    }
    entry
}

/// A directory record (ECMA-119 9.1).
fn record(identifier: &[u8], (extent, length): Place, directory: bool, system: &[u8]) -> Vec<u8> {
    let mut it = vec![0, 0];
    it.extend(both32(extent));
    it.extend(both32(length));
    it.extend(DATE);
    it.extend([if directory { 2 } else { 0 }, 0, 0]);
    it.extend(both16(1));
    it.push(u8::try_from(identifier.len()).unwrap_or_default());
    it.extend(identifier);
    it.resize(it.len() + (it.len() % 2), 0);
    it.extend(system);
    it.resize(it.len() + (it.len() % 2), 0);
    let total = u8::try_from(it.len()).unwrap_or_default();
    if let Some(first) = it.first_mut() {
        *first = total;
    }
    it
}

fn both32(value: u32) -> [u8; 8] {
    let [a, b, c, d] = value.to_le_bytes();
    [a, b, c, d, d, c, b, a]
}

fn both16(value: u16) -> [u8; 4] {
    let [a, b] = value.to_le_bytes();
    [a, b, b, a]
}
