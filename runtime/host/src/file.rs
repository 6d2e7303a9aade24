//! Readable content behind handles: an opened file, bytes, text with sealed secrets, or parts of
//! them. Main type: [`File`].
//!
//! Invariant: a [`File`] that was opened stays the file that was judged, whatever becomes of its
//! name; sealed text stays sealed until [`File::plain`] is called by a sink.

use crate::bindings::kiln::host::types::ErrorCode;
use crate::error::{CallResult, fail};
use crate::secrets::Vault;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The most bytes of one read.
pub(crate) const MAX_READ: u32 = 1 << 20;
/// The most bytes of text or bytes made by a guest.
pub(crate) const MAX_HELD: usize = 16 << 20;

/// Readable content. Cheap to clone.
#[derive(Debug, Clone)]
pub struct File {
    name: Arc<str>,
    mode: u32,
    body: Body,
}

#[derive(Debug, Clone)]
enum Body {
    Opened { file: Arc<std::fs::File>, path: Arc<Path> },
    Bytes(Arc<[u8]>),
    Text(Arc<str>),
    Slice { of: Arc<File>, offset: u64, length: u64 },
    Concat(Arc<[File]>),
}

impl File {
    /// Text; sealed parts stay sealed.
    pub(crate) fn text(name: &str, text: &str) -> Self {
        Self { name: last_part(name), mode: 0o644, body: Body::Text(text.into()) }
    }

    /// Bytes.
    pub(crate) fn bytes(name: &str, bytes: &[u8]) -> Self {
        Self { name: last_part(name), mode: 0o644, body: Body::Bytes(bytes.into()) }
    }

    /// One after the other.
    pub(crate) fn concat(name: &str, parts: Vec<File>) -> Self {
        Self { name: last_part(name), mode: 0o644, body: Body::Concat(parts.into()) }
    }

    /// A file that was opened and judged. Anything but a plain file is refused.
    pub(crate) fn opened(file: std::fs::File, path: &Path) -> io::Result<Self> {
        let meta = file.metadata()?;
        if !meta.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a plain file"));
        }
        let name = path.file_name().map_or_else(|| "file".into(), |name| name.to_string_lossy());
        Ok(Self {
            name: name.into(),
            mode: mode_of(&meta),
            body: Body::Opened { file: Arc::new(file), path: path.into() },
        })
    }

    /// The last part of its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same content by another name.
    #[must_use]
    pub fn renamed(mut self, name: &str) -> Self {
        self.name = last_part(name);
        self
    }

    /// POSIX permission bits.
    pub fn mode(&self) -> u32 {
        self.mode
    }

    /// Where it is on this machine, if it is a file there. For programs that the host starts.
    pub fn host_path(&self) -> Option<PathBuf> {
        match &self.body {
            Body::Opened { path, .. } => Some(path.to_path_buf()),
            _ => None,
        }
    }

    /// The opened file, if it is one. For code that wants the descriptor.
    pub fn as_opened(&self) -> Option<&Arc<std::fs::File>> {
        match &self.body {
            Body::Opened { file, .. } => Some(file),
            _ => None,
        }
    }

    /// Size in bytes; of an opened file as it is now.
    pub fn size(&self) -> io::Result<u64> {
        match &self.body {
            Body::Opened { file, .. } => Ok(file.metadata()?.len()),
            Body::Bytes(bytes) => Ok(bytes.len() as u64),
            Body::Text(text) => Ok(text.len() as u64),
            Body::Slice { length, .. } => Ok(*length),
            Body::Concat(parts) => parts.iter().map(File::size).sum(),
        }
    }

    /// Fills `buffer` from `offset`; short only at the end. Blocks on disks.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        match &self.body {
            Body::Opened { file, .. } => read_full(file, offset, buffer),
            Body::Bytes(bytes) => Ok(copy(bytes, offset, buffer)),
            Body::Text(text) => Ok(copy(text.as_bytes(), offset, buffer)),
            Body::Slice { of, offset: start, length } => {
                let left = usize::try_from(length.saturating_sub(offset)).unwrap_or(usize::MAX);
                let wanted = buffer.len().min(left);
                of.read_at(start.saturating_add(offset), buffer.get_mut(..wanted).unwrap_or(&mut []))
            }
            Body::Concat(parts) => read_parts(parts, offset, buffer),
        }
    }

    /// The content from its beginning. Blocks on disks.
    pub fn reader(&self) -> FileReader {
        FileReader { file: self.clone(), offset: 0 }
    }

    /// Whether it is in memory, so that reading it never waits.
    pub(crate) fn in_memory(&self) -> bool {
        match &self.body {
            Body::Opened { .. } => false,
            Body::Bytes(_) | Body::Text(_) => true,
            Body::Slice { of, .. } => of.in_memory(),
            Body::Concat(parts) => parts.iter().all(File::in_memory),
        }
    }

    /// A part of it. A part of sealed text is cut at once, so that it can be unsealed later.
    pub(crate) fn slice(&self, offset: u64, length: u64) -> CallResult<Self> {
        let size = self.size()?;
        if offset > size {
            return Err(fail(ErrorCode::Invalid, "the part begins after the end of the file"));
        }
        let length = length.min(size - offset);
        let body = match &self.body {
            Body::Text(text) => {
                let range = usize::try_from(offset).unwrap_or(usize::MAX)
                    ..usize::try_from(offset + length).unwrap_or(usize::MAX);
                match text.get(range.clone()) {
                    Some(part) => Body::Text(part.into()),
                    None => Body::Bytes(text.as_bytes().get(range).unwrap_or(&[]).into()),
                }
            }
            _ => Body::Slice { of: Arc::new(self.clone()), offset, length },
        };
        Ok(Self { name: self.name.clone(), mode: self.mode, body })
    }

    /// The content with secrets in place. Only for sinks.
    #[must_use]
    pub(crate) fn plain(&self, vault: &Vault) -> Self {
        let body = match &self.body {
            Body::Text(text) if vault.has_sealed(text) => Body::Bytes(vault.unseal(text).into_bytes().into()),
            Body::Concat(parts) => Body::Concat(parts.iter().map(|part| part.plain(vault)).collect()),
            Body::Slice { of, .. } if of.has_text() => match self.whole(MAX_HELD) {
                Ok(bytes) => Body::Bytes(vault.unseal(&String::from_utf8_lossy(&bytes)).into_bytes().into()),
                Err(_) => self.body.clone(),
            },
            other => other.clone(),
        };
        Self { name: self.name.clone(), mode: self.mode, body }
    }

    /// The whole content if it has at most `limit` bytes. Blocks on disks.
    pub(crate) fn whole(&self, limit: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.reader().take(limit as u64 + 1).read_to_end(&mut bytes)?;
        if bytes.len() > limit {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("`{}` has more than {limit} bytes", self.name),
            ));
        }
        Ok(bytes)
    }

    /// With LF for CRLF, if it can be done in memory.
    pub(crate) fn text_body(&self) -> Option<&str> {
        match &self.body {
            Body::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Bytes that it keeps in memory.
    pub(crate) fn held(&self) -> u64 {
        match &self.body {
            Body::Bytes(bytes) => bytes.len() as u64,
            Body::Text(text) => text.len() as u64,
            Body::Concat(parts) => parts.len() as u64 * 64,
            Body::Opened { .. } | Body::Slice { .. } => 0,
        }
    }

    /// How deeply parts are nested.
    pub(crate) fn depth(&self) -> usize {
        match &self.body {
            Body::Concat(parts) => 1 + parts.iter().map(File::depth).max().unwrap_or(0),
            Body::Slice { of, .. } => 1 + of.depth(),
            _ => 0,
        }
    }

    fn has_text(&self) -> bool {
        match &self.body {
            Body::Text(_) => true,
            Body::Slice { of, .. } => of.has_text(),
            Body::Concat(parts) => parts.iter().any(File::has_text),
            Body::Opened { .. } | Body::Bytes(_) => false,
        }
    }
}

/// Reads a [`File`] from beginning to end.
#[derive(Debug)]
pub struct FileReader {
    file: File,
    offset: u64,
}

impl Read for FileReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(self.offset, buffer)?;
        self.offset += count as u64;
        Ok(count)
    }
}

fn copy(from: &[u8], offset: u64, buffer: &mut [u8]) -> usize {
    let rest = usize::try_from(offset).ok().and_then(|at| from.get(at..)).unwrap_or(&[]);
    let count = rest.len().min(buffer.len());
    for (to, from) in buffer.iter_mut().zip(rest) {
        *to = *from;
    }
    count
}

fn read_parts(parts: &[File], mut offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    for part in parts {
        let size = part.size()?;
        if offset >= size {
            offset -= size;
            continue;
        }
        filled += part.read_at(offset, buffer.get_mut(filled..).unwrap_or(&mut []))?;
        offset = 0;
        if filled == buffer.len() {
            break;
        }
    }
    Ok(filled)
}

fn read_full(file: &std::fs::File, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        let rest = buffer.get_mut(filled..).unwrap_or(&mut []);
        match read_some(file, offset + filled as u64, rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(unix)]
fn read_some(file: &std::fs::File, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_some(file: &std::fs::File, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}

#[cfg(unix)]
fn mode_of(meta: &std::fs::Metadata) -> u32 {
    std::os::unix::fs::MetadataExt::mode(meta) & 0o7777
}

#[cfg(not(unix))]
fn mode_of(meta: &std::fs::Metadata) -> u32 {
    if meta.permissions().readonly() { 0o444 } else { 0o644 }
}

/// The same file with a position of its own, if the system can open it by its descriptor.
#[cfg(target_os = "linux")]
#[expect(clippy::disallowed_methods, reason = "opens what is open already")]
pub(crate) fn reopen(file: &std::fs::File) -> Option<std::fs::File> {
    use std::os::fd::AsRawFd;
    std::fs::File::open(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()
}

/// Elsewhere content is copied.
#[cfg(not(target_os = "linux"))]
pub(crate) fn reopen(_: &std::fs::File) -> Option<std::fs::File> {
    None
}

/// The last part of a name that a guest chose; never empty, no separators, no control characters.
fn last_part(name: &str) -> Arc<str> {
    let part: String =
        name.rsplit(['/', '\\']).next().unwrap_or("").chars().filter(|c| !c.is_control()).take(255).collect();
    if matches!(part.as_str(), "" | "." | "..") { "file".into() } else { part.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::Redactor;

    #[test]
    fn parts_read_as_one() {
        let all =
            File::concat("x", vec![File::bytes("a", b"abc"), File::text("b", ""), File::text("c", "defgh")]);
        assert_eq!(all.size().unwrap(), 8);
        for offset in 0..10 {
            for length in 0..10 {
                let part = all.slice(offset.min(8), length).unwrap();
                let wanted: Vec<u8> =
                    b"abcdefgh".iter().copied().skip(offset.min(8) as usize).take(length as usize).collect();
                assert_eq!(part.whole(100).unwrap(), wanted);
            }
        }
        assert!(all.slice(9, 1).is_err());
        assert!(all.whole(7).is_err() && all.whole(8).is_ok());
    }

    #[test]
    fn names_have_one_part() {
        for (name, wanted) in [
            ("../../etc/passwd", "passwd"),
            ("", "file"),
            ("..", "file"),
            ("a\\b", "b"),
            ("a\n\u{1b}b", "ab"),
        ] {
            assert_eq!(File::text(name, "").name(), wanted);
        }
    }

    #[test]
    fn secrets_appear_only_when_plain() {
        let vault = Vault::new(Arc::new(Redactor::default()));
        let token = vault.seal("hunter2").unwrap();
        let file = File::concat("x", vec![File::bytes("a", b"pw="), File::text("b", &token)]);
        assert!(!file.whole(100).unwrap().windows(7).any(|w| w == b"hunter2"));
        assert_eq!(file.plain(&vault).whole(100).unwrap(), b"pw=hunter2");
        let cut = file.slice(0, 100).unwrap();
        assert_eq!(cut.plain(&vault).whole(100).unwrap(), b"pw=hunter2");
    }
}
