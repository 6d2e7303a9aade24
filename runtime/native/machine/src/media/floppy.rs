//! A 1.44 MB floppy with FAT12 and long names: [`floppy_image`]. Sources: Microsoft's FAT specification
//! 1.03, ECMA-107.
//!
//! ```text
//! sector 0 boot | 1-9 FAT | 10-18 its copy | 19-32 root, 224 entries | 33- clusters 2 to 2848
//! ```
//! Clusters are given out one after the other, so every file is in one piece. (The crate `fatfs` was
//! tried first: it gives `.` and `..` long names, which `fsck.fat` calls damage.)

use super::{MediaError, MediaFile, parts};
use std::collections::{BTreeMap, HashSet};
use std::io::{self, Read};

const SECTOR: usize = 512;
const SECTORS: usize = 2880;
const ROOT_SECTOR: usize = 19;
const ROOT_ENTRIES: usize = 224;
const DATA_SECTOR: usize = 33;
const CLUSTERS: usize = SECTORS - DATA_SECTOR;
const LAST_IN_CHAIN: u16 = 0xfff;
/// 1980-01-01, the first day FAT knows: the same files give the same image.
const DATE: u16 = 0x21;
/// Characters FAT refuses in long names.
const REFUSED: &[char] = &['"', '*', ':', '<', '>', '?', '|'];

/// Makes the image. Names differ by more than case; `label` has at most 11 bytes and may be empty.
///
/// # Errors
/// [`MediaError`].
pub fn floppy_image(label: &str, files: Vec<MediaFile>) -> Result<Vec<u8>, MediaError> {
    let label = volume_label(label)?;
    let mut root = Directory::default();
    for file in files {
        insert(&mut root, file)?;
    }
    let mut disk = Disk { image: vec![0; SECTOR * SECTORS], chain: vec![0xff0, 0xfff] };
    let mut records = Vec::new();
    if let Some(label) = label {
        records.extend(record(&label, 0x08, 0, 0));
    }
    disk.fill(root, 0, &mut records)?;
    if records.len() > ROOT_ENTRIES * 32 {
        let reason = "too many files, or too long names, in the root directory; put them into a directory";
        return Err(MediaError::TooBig { medium: "floppy", reason: reason.into() });
    }
    disk.put(ROOT_SECTOR * SECTOR, &records);
    disk.put(0, &boot_sector(&label.unwrap_or(*b"NO NAME    ")));
    let table = disk.table();
    disk.put(SECTOR, &table);
    disk.put(10 * SECTOR, &table);
    Ok(disk.image)
}

fn volume_label(label: &str) -> Result<Option<[u8; 11]>, MediaError> {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b" _-".contains(&byte);
    if label.len() > 11 || !label.bytes().all(valid) {
        return Err(MediaError::Label { label: label.to_owned(), medium: "floppy", longest: 11 });
    }
    Ok((!label.is_empty()).then(|| padded(&label.to_ascii_uppercase())))
}

/// Filled up with blanks.
fn padded<const N: usize>(text: &str) -> [u8; N] {
    let mut bytes = [b' '; N];
    for (slot, byte) in bytes.iter_mut().zip(text.bytes()) {
        *slot = byte;
    }
    bytes
}

/// By lower-case name, since FAT ignores case: the real name and what it is.
type Directory = BTreeMap<String, (String, Item)>;

enum Item {
    Directory(Directory),
    File(MediaFile),
}

fn insert(root: &mut Directory, file: MediaFile) -> Result<(), MediaError> {
    let path = file.path.clone();
    let refuse = |reason| MediaError::Name { path: path.clone(), medium: "floppy", reason };
    let mut names = parts(&path, "floppy")?;
    if names.iter().any(|name| name.contains(REFUSED) || name.ends_with([' ', '.'])) {
        return Err(refuse("FAT has no such names"));
    }
    let last = if path.ends_with('/') { None } else { names.pop() };
    let mut directory = root;
    for name in names {
        let entry = directory
            .entry(name.to_lowercase())
            .or_insert_with(|| (name.to_owned(), Item::Directory(Directory::new())));
        match &mut entry.1 {
            Item::Directory(inner) => directory = inner,
            Item::File(_) => return Err(refuse("a part of its path is a file")),
        }
    }
    if let Some(name) = last {
        if directory.contains_key(&name.to_lowercase()) {
            return Err(refuse("there is another with this name, perhaps in other case"));
        }
        directory.insert(name.to_lowercase(), (name.to_owned(), Item::File(file)));
    }
    Ok(())
}

struct Disk {
    image: Vec<u8>,
    /// The FAT: what follows each cluster; the first two are the medium's marks.
    chain: Vec<u16>,
}

impl Disk {
    fn put(&mut self, at: usize, bytes: &[u8]) {
        if let Some(slots) = self.image.get_mut(at..at + bytes.len()) {
            slots.copy_from_slice(bytes);
        }
    }

    /// Takes a chain for so many bytes; 0 is the cluster of an empty file.
    fn take(&mut self, bytes: usize) -> Result<u16, MediaError> {
        let count = bytes.div_ceil(SECTOR);
        let first = self.chain.len();
        if first + count > CLUSTERS + 2 {
            let reason = format!("they and their directories need more than {} bytes", CLUSTERS * SECTOR);
            return Err(MediaError::TooBig { medium: "floppy", reason });
        }
        if count == 0 {
            return Ok(0);
        }
        let next = (first + 1..first + count).map(to_u16);
        self.chain.extend(next.chain([LAST_IN_CHAIN]));
        Ok(to_u16(first))
    }

    fn put_at_cluster(&mut self, cluster: u16, bytes: &[u8]) {
        self.put((DATA_SECTOR + usize::from(cluster).saturating_sub(2)) * SECTOR, bytes);
    }

    /// Writes what is in a directory and appends its records. `own` is its cluster, 0 for the root.
    fn fill(&mut self, directory: Directory, own: u16, records: &mut Vec<u8>) -> Result<(), MediaError> {
        let mut taken = HashSet::new();
        for (name, item) in directory.into_values() {
            let (short, long) = short_name(&name, &mut taken);
            if long {
                records.extend(long_name(&name, &short));
            }
            match item {
                Item::File(file) => {
                    let bytes = read(file)?;
                    let cluster = self.take(bytes.len())?;
                    self.put_at_cluster(cluster, &bytes);
                    records.extend(record(&short, 0x20, cluster, bytes.len()));
                }
                Item::Directory(inner) => {
                    // Its size must be known before what is in it gets its place; names alone decide it.
                    let cluster = self.take(directory_size(&inner))?;
                    let mut bytes = record(&padded("."), 0x10, cluster, 0).to_vec();
                    bytes.extend(record(&padded(".."), 0x10, own, 0));
                    self.fill(inner, cluster, &mut bytes)?;
                    self.put_at_cluster(cluster, &bytes);
                    records.extend(record(&short, 0x10, cluster, 0));
                }
            }
        }
        Ok(())
    }

    /// The FAT as 12-bit numbers.
    fn table(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for pair in self.chain.chunks(2) {
            let (first, second) = (pair.first().copied().unwrap_or(0), pair.get(1).copied().unwrap_or(0));
            let [a, b, c, _] = (u32::from(first) | u32::from(second) << 12).to_le_bytes();
            bytes.extend([a, b, c]);
        }
        bytes
    }
}

fn to_u16(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

fn read(file: MediaFile) -> Result<Vec<u8>, MediaError> {
    let most = SECTOR * SECTORS;
    let length = usize::try_from(file.length).unwrap_or(usize::MAX);
    if length > most {
        let reason = format!("`{}` has {length} bytes and a floppy holds {most}", file.path);
        return Err(MediaError::TooBig { medium: "floppy", reason });
    }
    let failed = |source: io::Error| MediaError::Io { medium: "a floppy", source };
    let mut bytes = Vec::with_capacity(length);
    (file.open)().map_err(failed)?.take(file.length + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() == length { Ok(bytes) } else { Err(MediaError::Changed(file.path)) }
}

fn directory_size(directory: &Directory) -> usize {
    let mut taken = HashSet::new();
    let records = directory.values().map(|(name, _)| {
        let (short, long) = short_name(name, &mut taken);
        1 + if long { long_name(name, &short).len() / 32 } else { 0 }
    });
    (2 + records.sum::<usize>()) * 32
}

/// The 8.3 name, and whether the real one must be written besides.
fn short_name(name: &str, taken: &mut HashSet<[u8; 11]>) -> ([u8; 11], bool) {
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => (stem, extension),
        _ => (name, ""),
    };
    let allowed = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || "!#$%&'()-@^_`{}~".contains(c);
    let fits = stem.len() <= 8 && extension.len() <= 3 && stem.chars().chain(extension.chars()).all(allowed);
    let put = |stem: &str, extension: &str| {
        let joined = [padded::<8>(stem).as_slice(), &padded::<3>(extension)].concat();
        <[u8; 11]>::try_from(joined).unwrap_or([b'_'; 11])
    };
    let exact = put(stem, extension);
    if fits && taken.insert(exact) {
        return (exact, false);
    }
    let clean = |text: &str, length: usize| -> String {
        let upper = text.chars().filter(|c| !matches!(c, ' ' | '.')).map(|c| c.to_ascii_uppercase());
        upper.map(|c| if allowed(c) { c } else { '_' }).take(length).collect()
    };
    let extension = clean(extension, 3);
    let mut number = 1_usize;
    loop {
        let tail = format!("~{number}");
        let candidate =
            put(&format!("{}{tail}", clean(stem, 8_usize.saturating_sub(tail.len()))), &extension);
        if taken.insert(candidate) {
            return (candidate, true);
        }
        number += 1;
    }
}

/// The records that hold a long name, last piece first, 13 UTF-16 units each.
fn long_name(name: &str, short: &[u8; 11]) -> Vec<u8> {
    let checksum = short.iter().fold(0_u8, |sum, byte| sum.rotate_right(1).wrapping_add(*byte));
    let units: Vec<u16> = name.encode_utf16().collect();
    let pieces = units.chunks(13).count();
    let mut records = Vec::new();
    for (index, piece) in units.chunks(13).enumerate().rev() {
        // The first unused place is zero, the others are all ones.
        let mut places =
            piece.iter().copied().chain([0]).chain(std::iter::repeat(0xffff)).flat_map(u16::to_le_bytes);
        let mut take = |count: usize| -> Vec<u8> { places.by_ref().take(count).collect() };
        let last = if index + 1 == pieces { 0x40 } else { 0 };
        records.push(u8::try_from(index + 1).unwrap_or(0x3f) | last);
        records.extend(take(10));
        records.extend([0x0f, 0, checksum]);
        records.extend(take(12));
        records.extend([0, 0]);
        records.extend(take(4));
    }
    records
}

fn record(name: &[u8; 11], attributes: u8, cluster: u16, length: usize) -> [u8; 32] {
    let mut bytes = [0; 32];
    let date = DATE.to_le_bytes();
    let length = u32::try_from(length).unwrap_or_default().to_le_bytes();
    // Name, attributes, eight bytes of creation and access, high cluster, time, date, cluster, length.
    let fields = [name.as_slice(), &[attributes, 0, 0, 0, 0], &date, &date, &[0, 0, 0, 0], &date];
    let fields = fields.concat().into_iter().chain(cluster.to_le_bytes()).chain(length);
    for (slot, byte) in bytes.iter_mut().zip(fields) {
        *slot = byte;
    }
    bytes
}

/// BIOS parameter block of a 1.44 MB disk; a machine that boots from it hangs instead of running off.
fn boot_sector(label: &[u8; 11]) -> Vec<u8> {
    let mut bytes = b"\xeb\x3c\x90KILN    ".to_vec();
    // Bytes per sector, sectors per cluster, reserved, FATs, root entries, sectors, medium.
    bytes.extend([0x00, 0x02, 1, 1, 0, 2, 224, 0, 0x40, 0x0b, 0xf0]);
    // Sectors per FAT, per track, heads, hidden, large total, drive, reserved, signature, serial number.
    bytes.extend([9, 0, 18, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x29]);
    bytes.extend(b"kiln");
    bytes.extend(label);
    bytes.extend(b"FAT12   ");
    bytes.extend([0xf4, 0xeb, 0xfd]);
    bytes.resize(SECTOR - 2, 0);
    bytes.extend([0x55, 0xaa]);
    bytes
}
