//! Disk images through `qemu-img`: [`QemuImg`].
//!
//! Invariant: an operation that fails or is cancelled leaves no partial output; a full disk is
//! [`ImageError::DiskFull`] and not a line of somebody else's English.

#![expect(clippy::disallowed_methods, reason = "partial images are removed and finished ones renamed here")]

use crate::process::{Finished, ProcessError, Program, RunLimits, Spawner};
use serde::Deserialize;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// `qemu-img info` of a hostile image may chew on it.
const INFO: Duration = Duration::from_secs(30);

/// Why an image could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// No room.
    #[error("the disk is full: no room for {0}; free some space or choose another output directory")]
    DiskFull(PathBuf),
    /// qemu-img refused.
    #[error("qemu-img {verb} failed: {message}")]
    Failed {
        /// Its subcommand.
        verb: &'static str,
        /// Its words, 4 KiB at most.
        message: String,
    },
    /// Its answer is not what it should be.
    #[error("qemu-img info of {path} is not understood: {message}")]
    Info {
        /// The image.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// The system refused.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// It could not be run, was cancelled, or took too long.
    #[error(transparent)]
    Process(#[from] ProcessError),
}

/// How an image is compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// zlib: every QEMU reads it (Packer's `disk_compression`).
    Zlib,
    /// zstd: 7 times faster and smaller; needs QEMU 5.1 to read.
    Zstd,
}

/// What an image is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ImageInfo {
    /// `qcow2`, `raw`, `vmdk`, …
    pub format: String,
    /// Bytes the guest sees.
    pub virtual_size: u64,
    /// Bytes on disk.
    #[serde(default)]
    pub actual_size: u64,
    /// The file below it, as written in the image.
    #[serde(default)]
    pub backing_filename: Option<String>,
    /// Another file holds the data (`data_file` of qcow2).
    #[serde(default)]
    pub format_specific: Option<serde_json::Value>,
}

/// Runs `qemu-img`.
#[derive(Debug, Clone)]
pub struct QemuImg {
    spawner: Spawner,
    binary: PathBuf,
    env: Vec<(OsString, OsString)>,
}

impl QemuImg {
    /// Uses `binary` (usually `qemu-img`) with exactly this environment.
    pub fn new(spawner: Spawner, binary: impl Into<PathBuf>, env: Vec<(OsString, OsString)>) -> Self {
        Self { spawner, binary: binary.into(), env }
    }

    /// A new empty image. `size` in QEMU's notation (`40960M`); `extra` as `qemu_img_args.create`.
    ///
    /// # Errors
    /// [`ImageError`].
    pub async fn create(
        &self,
        path: &Path,
        format: &str,
        size: &str,
        extra: &[String],
        cancel: &CancellationToken,
    ) -> Result<(), ImageError> {
        let args = words(["create", "-f", format], extra, [path.as_os_str(), size.as_ref()]);
        self.write("create", path, args, cancel).await
    }

    /// A new qcow2 on top of `backing`, which is never written; its format is said, so that a raw disk
    /// whose guest wrote a qcow2 header into it is not read as one.
    ///
    /// # Errors
    /// [`ImageError`].
    pub async fn overlay(
        &self,
        path: &Path,
        backing: &Path,
        backing_format: &str,
        size: Option<&str>,
        extra: &[String],
        cancel: &CancellationToken,
    ) -> Result<(), ImageError> {
        // A relative backing name would be relative to the overlay, not to us.
        let backing = absolute(backing)?;
        let mut args = words(["create", "-f", "qcow2"], extra, []);
        // The user's own -F wins, as with Packer, where it had to be given.
        if !extra.iter().any(|word| word == "-F") {
            args.extend(["-F".into(), backing_format.into()]);
        }
        args.extend(["-b".into(), backing.into_os_string(), path.into()]);
        args.extend(size.map(OsString::from));
        self.write("create", path, args, cancel).await
    }

    /// Writes `source` anew as `target`, flat and without holes. `source_format` is asked for, never
    /// guessed from content that a guest wrote.
    ///
    /// # Errors
    /// [`ImageError`]; `target` does not exist then.
    pub async fn convert(&self, job: Convert<'_>, cancel: &CancellationToken) -> Result<(), ImageError> {
        let mut args: Vec<OsString> = vec!["convert".into()];
        let qcow2 = job.format == "qcow2";
        match job.compression {
            Compression::Zstd if qcow2 => {
                args.extend(["-c", "-o", "compression_type=zstd", "-W", "-m", "16"].map(OsString::from));
            }
            Compression::Zlib if qcow2 => args.extend(["-c", "-W", "-m", "16"].map(OsString::from)),
            _ => {}
        }
        args.extend(job.extra.iter().map(OsString::from));
        args.extend(["-f", job.source_format, "-O", job.format].map(OsString::from));
        args.extend([job.source.into(), job.target.into()]);
        self.write("convert", job.target, args, cancel).await
    }

    /// Replaces an image by its compact form: `convert` to `PATH.convert`, then rename.
    ///
    /// # Errors
    /// [`ImageError`]; the image is as it was then.
    pub async fn compact(
        &self,
        path: &Path,
        format: &str,
        compression: Compression,
        extra: &[String],
        cancel: &CancellationToken,
    ) -> Result<(), ImageError> {
        let mut name = path.as_os_str().to_owned();
        name.push(".convert");
        let target = PathBuf::from(name);
        let job =
            Convert { source: path, source_format: format, target: &target, format, compression, extra };
        self.convert(job, cancel).await?;
        std::fs::rename(&target, path).map_err(|source| {
            let _ = std::fs::remove_file(&target);
            ImageError::File { path: path.to_owned(), source }
        })
    }

    /// Changes the size the guest sees; `extra` as `qemu_img_args.resize`.
    ///
    /// # Errors
    /// [`ImageError`].
    pub async fn resize(
        &self,
        path: &Path,
        format: &str,
        size: &str,
        extra: &[String],
        cancel: &CancellationToken,
    ) -> Result<(), ImageError> {
        let args = words(["resize", "-f", format], extra, [path.as_os_str(), size.as_ref()]);
        self.run("resize", path, args, RunLimits::default(), cancel).await.map(drop)
    }

    /// What an image is, without opening what it names as backing file. `format` none guesses from the
    /// content: only for files the user named, never for what a guest wrote.
    ///
    /// # Errors
    /// [`ImageError`].
    pub async fn info(
        &self,
        path: &Path,
        format: Option<&str>,
        cancel: &CancellationToken,
    ) -> Result<ImageInfo, ImageError> {
        let mut args: Vec<OsString> = ["info", "--output=json", "-U"].map(OsString::from).into();
        args.extend(format.into_iter().flat_map(|format| ["-f".into(), format.into()]));
        args.push(path.into());
        let limits = RunLimits { timeout: Some(INFO), keep: 1024 * 1024 };
        let finished = self.run("info", path, args, limits, cancel).await?;
        serde_json::from_slice(&finished.stdout)
            .map_err(|error| ImageError::Info { path: path.to_owned(), message: error.to_string() })
    }

    /// Runs something that makes `output`; removes that if it fails and did not exist before.
    async fn write(
        &self,
        verb: &'static str,
        output: &Path,
        args: Vec<OsString>,
        cancel: &CancellationToken,
    ) -> Result<(), ImageError> {
        let existed = output.exists();
        let done = self.run(verb, output, args, RunLimits::default(), cancel).await;
        if done.is_err() && !existed {
            let _ = std::fs::remove_file(output);
        }
        done.map(drop)
    }

    async fn run(
        &self,
        verb: &'static str,
        output: &Path,
        args: Vec<OsString>,
        limits: RunLimits,
        cancel: &CancellationToken,
    ) -> Result<Finished, ImageError> {
        let mut program = Program::new(&self.binary, args);
        program.env.clone_from(&self.env);
        // Its messages are read for "no space left".
        program.env.push(("LC_ALL".into(), "C".into()));
        let finished = self.spawner.run(program, limits, cancel).await?;
        if finished.exit.success() {
            return Ok(finished);
        }
        let text = String::from_utf8_lossy(&finished.stderr);
        if text.contains("No space left on device") || text.contains("Disk quota exceeded") {
            return Err(ImageError::DiskFull(output.to_owned()));
        }
        let message: String = text.trim().trim_start_matches("qemu-img: ").chars().take(4096).collect();
        let message = if message.is_empty() { finished.exit.to_string() } else { message };
        Err(ImageError::Failed { verb, message })
    }
}

/// A conversion.
#[derive(Debug, Clone, Copy)]
pub struct Convert<'a> {
    /// From.
    pub source: &'a Path,
    /// Its format.
    pub source_format: &'a str,
    /// To; replaced if it exists.
    pub target: &'a Path,
    /// The wanted format.
    pub format: &'a str,
    /// Compression; ignored unless the format is qcow2.
    pub compression: Compression,
    /// `qemu_img_args.convert`.
    pub extra: &'a [String],
}

fn words<const A: usize, const B: usize>(
    first: [&str; A],
    extra: &[String],
    last: [&std::ffi::OsStr; B],
) -> Vec<OsString> {
    let first = first.into_iter().map(OsString::from);
    first.chain(extra.iter().map(OsString::from)).chain(last.into_iter().map(OsString::from)).collect()
}

fn absolute(path: &Path) -> Result<PathBuf, ImageError> {
    std::path::absolute(path).map_err(|source| ImageError::File { path: path.to_owned(), source })
}
