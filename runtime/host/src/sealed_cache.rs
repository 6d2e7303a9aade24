//! Files in a cache that nobody else may have written: native code and descriptions.
//!
//! A `.cwasm` is native code that is run, and a schema says what a component may touch, so an entry
//! is used only if its first 32 bytes are the HMAC-SHA-256 of its name and content under a key that
//! only this user can read. Foreign, truncated or changed entries are as good as absent. Writes are
//! atomic: a temporary file, then a rename.
#![expect(clippy::disallowed_methods, reason = "this file is the cache: it opens only its own two folders")]

use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// The length of the code at the start of an entry.
const CODE: usize = 32;
/// The largest entry that is read.
const MAX_ENTRY: u64 = 512 << 20;

/// A folder of authenticated entries. Without a usable folder everything is computed anew.
#[derive(Debug)]
pub(crate) struct SealedCache {
    folder: Option<PathBuf>,
    key: [u8; 32],
}

impl SealedCache {
    /// Opens the cache, and makes folder and key if they are not there.
    pub(crate) fn open(cache_dir: &Path, state_dir: &Path) -> Self {
        let folder = cache_dir.join("components");
        match private_folder(&folder).and_then(|()| private_folder(state_dir)).and_then(|()| key(state_dir)) {
            Ok(key) => Self { folder: Some(folder), key },
            Err(error) => {
                tracing::warn!(%error, "the component cache cannot be used");
                Self { folder: None, key: [0; 32] }
            }
        }
    }

    /// The entry, if it is there and ours.
    pub(crate) fn get(&self, name: &str) -> Option<Vec<u8>> {
        let path = self.folder.as_ref()?.join(name);
        let mut bytes = Vec::new();
        open_plain(&path).ok()?.take(MAX_ENTRY).read_to_end(&mut bytes).ok()?;
        let content = bytes.get(CODE..)?;
        let code = bytes.get(..CODE)?;
        if self.mac(name, content)?.verify_slice(code).is_err() {
            tracing::warn!(name, "an entry of the component cache is not ours; it is made anew");
            return None;
        }
        Some(bytes.split_off(CODE))
    }

    /// Puts an entry in place. A cache that cannot be written is no error.
    pub(crate) fn put(&self, name: &str, content: &[u8]) {
        let Some(folder) = &self.folder else { return };
        let Some(code) = self.mac(name, content) else { return };
        let code = code.finalize().into_bytes();
        let written = write_atomically(folder, name, &[&code, content]);
        if let Err(error) = written {
            tracing::warn!(name, %error, "the component cache cannot be written");
        }
    }

    /// The name is part of what is authenticated, so that entries cannot be swapped.
    fn mac(&self, name: &str, content: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        mac.update(&(name.len() as u64).to_le_bytes());
        mac.update(name.as_bytes());
        mac.update(content);
        Some(mac)
    }
}

/// Writes `parts` to `name` below `folder` by a temporary file.
pub(crate) fn write_atomically(folder: &Path, name: &str, parts: &[&[u8]]) -> io::Result<()> {
    let temporary = folder.join(format!(".{name}.{}", crate::secrets::random_hex(8)));
    let result = (|| {
        let mut file = create_private(&temporary)?;
        for part in parts {
            file.write_all(part)?;
        }
        drop(file);
        fs::rename(&temporary, folder.join(name))
    })();
    if result.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    result
}

/// The user's key; made once.
fn key(state_dir: &Path) -> io::Result<[u8; 32]> {
    let path = state_dir.join("cache.key");
    for _ in 0..2 {
        match open_plain(&path) {
            Ok(mut file) => {
                let mut key = [0; 32];
                file.read_exact(&mut key)?;
                return Ok(key);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut key = [0; 32];
                getrandom::fill(&mut key).map_err(io::Error::other)?;
                // Two processes may race: the rename of either is whole, and both read it again.
                write_atomically(state_dir, "cache.key", &[&key])?;
            }
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("the key of the cache cannot be made"))
}

/// A folder that only this user can enter.
pub(crate) fn private_folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)?;
    let meta = fs::symlink_metadata(path)?;
    if !meta.is_dir() {
        return Err(io::Error::other(format!("{} is not a directory", path.display())));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        if meta.uid() != rustix::process::geteuid().as_raw() {
            return Err(io::Error::other(format!("{} belongs to another user", path.display())));
        }
        if meta.mode() & 0o077 != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
        }
    }
    Ok(())
}

/// Opens a plain file of this user's that nobody else can write; links are not followed.
fn open_plain(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    }
    let file = options.open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(io::Error::other("not a plain file"));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if meta.uid() != rustix::process::geteuid().as_raw() || meta.mode() & 0o022 != 0 {
            return Err(io::Error::other("writable by others"));
        }
    }
    Ok(file)
}

fn create_private(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache() -> (tempfile::TempDir, SealedCache) {
        let dir = tempfile::tempdir().unwrap();
        let cache = SealedCache::open(&dir.path().join("cache"), &dir.path().join("state"));
        (dir, cache)
    }

    #[test]
    fn an_entry_comes_back() {
        let (_dir, cache) = cache();
        assert_eq!(cache.get("a"), None);
        cache.put("a", b"code");
        assert_eq!(cache.get("a").as_deref(), Some(&b"code"[..]));
    }

    #[test]
    fn entries_that_were_changed_are_absent() {
        let (dir, cache) = cache();
        let path = dir.path().join("cache/components/a");
        for case in 0..5 {
            cache.put("a", b"native code");
            cache.put("b", b"other code");
            let mut bytes = fs::read(&path).unwrap();
            match case {
                0 => bytes[40] ^= 1,
                1 => bytes[3] ^= 1,
                2 => bytes.truncate(38),
                3 => bytes.truncate(10),
                _ => bytes = fs::read(dir.path().join("cache/components/b")).unwrap(),
            }
            fs::write(&path, &bytes).unwrap();
            assert_eq!(cache.get("a"), None, "case {case}");
        }
    }

    #[test]
    fn entries_of_another_key_are_absent() {
        let (dir, cache) = cache();
        cache.put("a", b"code");
        fs::remove_file(dir.path().join("state/cache.key")).unwrap();
        let other = SealedCache::open(&dir.path().join("cache"), &dir.path().join("state"));
        assert_eq!(other.get("a"), None);
    }

    #[cfg(unix)]
    #[test]
    fn entries_that_others_can_write_and_links_are_absent() {
        use std::os::unix::fs::PermissionsExt;
        let (dir, cache) = cache();
        let path = dir.path().join("cache/components/a");
        cache.put("a", b"code");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        assert_eq!(cache.get("a"), None);
        cache.put("a", b"code");
        let aside = dir.path().join("aside");
        fs::rename(&path, &aside).unwrap();
        std::os::unix::fs::symlink(&aside, &path).unwrap();
        assert_eq!(cache.get("a"), None);
    }
}
