//! A 1.44 MB floppy with FAT12 and long names: [`floppy_image`].

use super::{MediaError, MediaFile, parts};
use std::io::{self, Cursor, Read, Write};

/// 80 cylinders, 2 heads, 18 sectors.
const SIZE: u32 = 1_474_560;
const SECTORS: u32 = SIZE / 512;
/// Characters FAT refuses in long names.
const REFUSED: &[char] = &['"', '*', ':', '<', '>', '?', '|'];

fn failed(source: io::Error) -> MediaError {
    if source.kind() == io::ErrorKind::WriteZero || source.to_string().contains("No space") {
        let reason = format!("they need more than {SIZE} bytes, or their names more than the root directory");
        return MediaError::TooBig { medium: "floppy", reason };
    }
    MediaError::Io { medium: "a floppy", source }
}

/// Makes the image. Names differ by more than case; `label` has at most 11 bytes and may be empty.
///
/// # Errors
/// [`MediaError`].
pub fn floppy_image(label: &str, files: Vec<MediaFile>) -> Result<Vec<u8>, MediaError> {
    let needed = files.iter().fold(0_u64, |sum, file| sum.saturating_add(file.length));
    if needed > u64::from(SIZE) {
        let reason = format!("they have {needed} bytes and a floppy holds {SIZE}");
        return Err(MediaError::TooBig { medium: "floppy", reason });
    }
    let mut image = Cursor::new(vec![0_u8; usize::try_from(SIZE).unwrap_or_default()]);
    let options = fatfs::FormatVolumeOptions::new()
        .fat_type(fatfs::FatType::Fat12)
        .bytes_per_sector(512)
        .bytes_per_cluster(512)
        .total_sectors(SECTORS)
        .max_root_dir_entries(224)
        .sectors_per_track(18)
        .heads(2)
        .media(0xf0)
        .drive_num(0)
        // The clock would make two images of the same files differ.
        .volume_id(0x6b69_6c6e)
        .volume_label(volume_label(label)?);
    fatfs::format_volume(&mut image, options).map_err(failed)?;
    let volume = fatfs::FileSystem::new(&mut image, fatfs::FsOptions::new()).map_err(failed)?;
    for file in files {
        copy(&volume.root_dir(), file)?;
    }
    volume.unmount().map_err(failed)?;
    Ok(image.into_inner())
}

fn volume_label(label: &str) -> Result<[u8; 11], MediaError> {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b" _-".contains(&byte);
    let mut padded = [b' '; 11];
    if label.len() > padded.len() || !label.bytes().all(valid) {
        return Err(MediaError::Label { label: label.to_owned(), medium: "floppy", longest: padded.len() });
    }
    for (slot, byte) in padded.iter_mut().zip(label.bytes()) {
        *slot = byte.to_ascii_uppercase();
    }
    if label.is_empty() {
        padded = *b"NO NAME    ";
    }
    Ok(padded)
}

fn copy(root: &fatfs::Dir<'_, &mut Cursor<Vec<u8>>>, file: MediaFile) -> Result<(), MediaError> {
    let MediaFile { path, length, open } = file;
    let refuse = |reason| MediaError::Name { path: path.clone(), medium: "floppy", reason };
    let mut names = parts(&path, "floppy")?;
    if names.iter().any(|name| name.contains(REFUSED) || name.ends_with([' ', '.'])) {
        return Err(refuse("FAT has no such names"));
    }
    let last = if path.ends_with('/') { None } else { names.pop() };
    let mut directory = root.clone();
    for name in names {
        directory = directory.create_dir(name).map_err(failed)?;
    }
    let Some(name) = last else { return Ok(()) };
    if directory.open_file(name).is_ok() {
        return Err(refuse("there is another with this name, perhaps in other case"));
    }
    let mut target = directory.create_file(name).map_err(failed)?;
    let mut source = open().map_err(failed)?.take(length.saturating_add(1));
    let mut buffer = vec![0; 32 * 1024];
    let mut copied = 0_u64;
    loop {
        let count = source.read(&mut buffer).map_err(failed)?;
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
        target.write_all(bytes).map_err(failed)?;
        copied = copied.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
    }
    target.flush().map_err(failed)?;
    if copied == length { Ok(()) } else { Err(MediaError::Changed(path)) }
}
