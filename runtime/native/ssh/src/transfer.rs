//! Files and directories to and from a machine.
//!
//! Four ways, behind one function per direction: `sftp` (pipelined, on a channel that stays open), `tar` streams for
//! directories, the old `scp` protocol for servers without SFTP, and `cat` (`stream`) as the last resort. Invariants:
//! local trees are read and written below an opened directory only; whatever a machine sends is bounded in size, count
//! and depth, and its names are judged before anything is created; modes are kept exactly (their lower 12 bits, without
//! setuid and the like for downloads).

mod flow;
mod order;
mod scp;
pub(crate) mod sftp;
mod stream;
mod tarball;
mod tree;

use std::sync::Arc;

use bytes::Bytes;
use cap_std::fs::Dir;
use tokio::io::AsyncRead;

use crate::error::Result;
use crate::session::Session;

/// Called with the bytes of content moved so far, from any thread, often.
pub type Progress = Arc<dyn Fn(u64) + Send + Sync>;

/// Says of a file's or directory's own name whether it is left out of an upload.
pub type Excludes = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// Which way to move data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// The fastest that the machine offers.
    #[default]
    Auto,
    /// SFTP first.
    Sftp,
    /// The scp protocol first.
    Scp,
    /// `cat` and `tar` over a command first.
    Stream,
}

/// How to transfer. A method that the machine does not offer is replaced by the next best.
#[derive(Clone)]
pub struct TransferOptions {
    /// The preferred way.
    pub method: Method,
    /// Told about progress.
    pub progress: Option<Progress>,
    /// Most bytes of content of one download.
    pub max_bytes: u64,
    /// Most files and directories of one transfer.
    pub max_entries: u64,
    /// What is left out of an uploaded directory.
    pub excludes: Option<Excludes>,
}

impl Default for TransferOptions {
    /// Automatic, without progress, 1 TiB, a million entries.
    fn default() -> Self {
        Self {
            method: Method::Auto,
            progress: None,
            max_bytes: 1 << 40,
            max_entries: 1_000_000,
            excludes: None,
        }
    }
}

/// Where the bytes of an upload come from.
pub enum Content {
    /// An opened file, from its beginning.
    File(std::fs::File),
    /// From memory.
    Bytes(Bytes),
    /// From a stream; such an upload cannot be tried again another way once it has begun.
    Reader(Box<dyn AsyncRead + Send + Unpin>),
}

/// A file to upload.
pub struct FileSource {
    /// Its content.
    pub content: Content,
    /// Exactly as many bytes are sent; fewer in the content are an error.
    pub size: u64,
    /// Permissions on the machine, lower 12 bits.
    pub mode: u32,
}

impl FileSource {
    /// Bytes from memory.
    pub fn bytes(content: impl Into<Bytes>, mode: u32) -> Self {
        let content = content.into();
        Self { size: content.len() as u64, content: Content::Bytes(content), mode }
    }

    /// An opened file with its own size and, on Unix, its own mode (elsewhere 0644).
    ///
    /// # Errors
    /// If its metadata cannot be read.
    pub fn file(file: std::fs::File) -> std::io::Result<Self> {
        let metadata = file.metadata()?;
        let mode = tree::mode_of(&metadata);
        Ok(Self { content: Content::File(file), size: metadata.len(), mode })
    }
}

/// What a transfer moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transferred {
    /// Bytes of content.
    pub bytes: u64,
    /// Files and directories, the root of a directory not counted.
    pub entries: u64,
    /// How: `sftp`, `scp`, `tar` or `cat`.
    pub method: &'static str,
    /// The mode of a downloaded file, where the method tells it.
    pub mode: Option<u32>,
    /// Downloaded trees: what was left out because it is neither file nor directory (links, devices); the first 100.
    pub skipped: Vec<String>,
}

impl Transferred {
    fn new(method: &'static str) -> Self {
        Self { bytes: 0, entries: 0, method, mode: None, skipped: Vec::new() }
    }

    fn skip(&mut self, name: String) {
        if self.skipped.len() < 100 {
            self.skipped.push(name);
        }
    }
}

impl Session {
    /// Writes a file at exactly `remote` (relative paths start at the login directory, `~/` too). Directories above it
    /// must exist; a file that is there is replaced in place.
    ///
    /// # Errors
    /// [`crate::Error::Remote`] with the machine's reason, [`crate::Error::Local`] if the content cannot be read,
    /// [`crate::Error::Disconnected`].
    pub async fn upload(
        &self,
        source: FileSource,
        remote: &str,
        options: &TransferOptions,
    ) -> Result<Transferred> {
        order::upload(self, source, remote, options).await
    }

    /// Copies the contents of `dir` to the directory `remote`, which is made (with its parents) if it does not exist.
    ///
    /// For Packer's rule of the trailing slash use [`directory_target`]. Links inside the tree are followed; a link that
    /// leads out of it is an error. Existing files are replaced, others are left alone.
    ///
    /// # Errors
    /// As [`Session::upload`].
    pub async fn upload_directory(
        &self,
        dir: Dir,
        remote: &str,
        options: &TransferOptions,
    ) -> Result<Transferred> {
        order::upload_directory(self, dir, remote, options).await
    }

    /// Reads the file `remote` into `sink`, from its present position.
    ///
    /// # Errors
    /// As [`Session::upload`], and [`crate::Error::TooLarge`].
    pub async fn download(
        &self,
        remote: &str,
        sink: std::fs::File,
        options: &TransferOptions,
    ) -> Result<Transferred> {
        order::download(self, remote, sink, options).await
    }

    /// Copies the contents of the directory `remote` into `into`. Links and special files are skipped and named in the
    /// result; names that would leave `into` are an error.
    ///
    /// # Errors
    /// As [`Session::download`], and [`crate::Error::Protocol`] for hostile names.
    pub async fn download_directory(
        &self,
        remote: &str,
        into: Dir,
        options: &TransferOptions,
    ) -> Result<Transferred> {
        order::download_directory(self, remote, into, options).await
    }
}

/// Where a directory that the user wrote as `source` goes below `destination`: `src/` puts its contents there, `src`
/// puts `src` itself there.
pub fn directory_target(source: &str, destination: &str) -> String {
    let name = source.rsplit('/').next().unwrap_or_default();
    if name.is_empty() || name == "." || name == ".." {
        return destination.to_owned();
    }
    format!("{}/{name}", destination.strip_suffix('/').unwrap_or(destination))
}
