//! What the template language may see of the real world: files, variables, clock, chance, secrets.
#![expect(
    clippy::disallowed_methods,
    reason = "this file is the template language's view of the file system"
)]

use crate::env_vars;
use crate::home::Home;
use crate::secret_stores::Stores;
use kiln_template::{Environment, FileKind, SecretQuery};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The real world, as it was when the run began.
#[derive(Debug)]
pub(crate) struct RealWorld {
    working: PathBuf,
    home: Option<PathBuf>,
    started: SystemTime,
    stores: Stores,
}

impl RealWorld {
    pub(crate) fn new(home: &Home) -> Self {
        Self {
            working: home.working.clone(),
            home: home.user.clone(),
            started: SystemTime::now(),
            stores: Stores::default(),
        }
    }
}

/// The largest file that a setting names, in bytes.
const MAX_NAMED: u64 = 1 << 20;

/// A file that a setting of the user names.
pub(crate) fn read_named(path: &str) -> io::Result<Vec<u8>> {
    read_bounded(Path::new(path), MAX_NAMED)
}

/// A file for reading. Opening a pipe that nobody writes to would wait for ever, and a device may have no
/// end, so nothing but a regular file is opened.
pub(crate) fn open(path: &Path) -> io::Result<std::fs::File> {
    match kind_of(&std::fs::metadata(path)?) {
        FileKind::File => std::fs::File::open(path),
        FileKind::Directory => Err(io::ErrorKind::IsADirectory.into()),
        FileKind::Other => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")),
    }
}

fn read_bounded(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}

impl Environment for RealWorld {
    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        read_bounded(&self.working.join(path), limit)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<(String, FileKind)>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(self.working.join(directory))? {
            let entry = entry?;
            // A link that leads nowhere is of no kind, and no reason to fail.
            let kind = std::fs::metadata(entry.path()).map_or(FileKind::Other, |found| kind_of(&found));
            if let Ok(name) = entry.file_name().into_string() {
                names.push((name, kind));
            }
        }
        Ok(names)
    }

    fn kind(&self, path: &Path) -> io::Result<FileKind> {
        std::fs::metadata(self.working.join(path)).map(|found| kind_of(&found))
    }

    fn variable(&self, name: &str) -> Option<String> {
        env_vars::text(name)
    }

    fn working_directory(&self) -> PathBuf {
        self.working.clone()
    }

    fn home(&self) -> Option<PathBuf> {
        self.home.clone()
    }

    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn started(&self) -> SystemTime {
        self.started
    }

    fn random(&self, bytes: &mut [u8]) {
        // Without chance there are no secrets; going on would make some that anybody can guess.
        if getrandom::fill(bytes).is_err() {
            std::process::abort();
        }
    }

    fn secret(&self, query: &SecretQuery) -> Result<String, String> {
        self.stores.get(query)
    }
}

fn kind_of(found: &std::fs::Metadata) -> FileKind {
    if found.is_file() {
        FileKind::File
    } else if found.is_dir() {
        FileKind::Directory
    } else {
        FileKind::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_and_kinds() {
        let working = std::env::temp_dir().join(format!("kiln-cli-env-{}", std::process::id()));
        std::fs::create_dir_all(working.join("d")).unwrap();
        std::fs::write(working.join("f"), "12345").unwrap();
        let world = RealWorld {
            working: working.clone(),
            home: None,
            started: SystemTime::now(),
            stores: Stores::default(),
        };
        assert_eq!(world.read(Path::new("f"), 5).unwrap(), b"12345");
        assert_eq!(world.read(Path::new("f"), 4).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert!(world.read(Path::new("d"), 4).is_err());
        let made = std::process::Command::new("mkfifo").arg(working.join("pipe")).status().unwrap();
        assert!(made.success(), "mkfifo: {made}");
        assert_eq!(world.read(Path::new("pipe"), 4).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert_eq!(world.kind(Path::new("d")).unwrap(), FileKind::Directory);
        assert_eq!(world.kind(Path::new("x")).unwrap_err().kind(), io::ErrorKind::NotFound);
        let mut names = world.list(Path::new(".")).unwrap();
        names.sort_by(|a, b| a.0.cmp(&b.0));
        let wanted = [("d", FileKind::Directory), ("f", FileKind::File), ("pipe", FileKind::Other)];
        assert_eq!(names, wanted.map(|(name, kind)| (name.to_owned(), kind)));
        std::fs::remove_dir_all(working).unwrap();
    }
}
