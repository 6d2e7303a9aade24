//! Fetches a file once: from the cache, from where it lies, or over HTTP with resume, then verifies it.
//!
//! Main type: [`Downloader`]. Invariant: a file has its final name only after its checksum was verified (or none was
//! asked for), and while a file is being made, its lock keeps every other task and process away from it.
//!
//! ```text
//!  for each URL:  local path ─▶ used in place (copied only if a target is set) ──────────┐
//!                 http(s) ─▶ lock ─▶ there already? ─yes─▶ unchanged since verified? ────┤
//!                              │                               no │ re-hash ─ok──────────┤
//!                              │  no ◀──── removed ◀── mismatch ──┘                      ▼
//!                              └─▶ .part (resumed by Range) ─▶ verify ─▶ rename ─▶ opened file
//!                                            ▲      └─mismatch: removed, next URL
//!                                            └ connection lost: again, from where it stopped
//! ```

mod disk;
mod error;
mod http;
mod listing;
mod local;
mod place;
mod verified;

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

pub use error::{DownloadError, Failure};

use crate::digest::{Checksum, Digest, split_checksum_query};
use crate::egress::Egress;
use crate::{Progress, blocking::on_blocking};

/// What is wanted, and where it is kept.
#[derive(Clone, Debug)]
pub struct Fetch {
    /// Tried in order. `http`, `https`, `file` URLs and plain paths; a `?checksum=` in one replaces `checksum` for it.
    pub urls: Vec<String>,
    /// What the file must be; a list (`file:`) is fetched and searched for the first URL's base name.
    pub checksum: Checksum,
    /// The cache directory; made when missing. Also holds the record of what was verified.
    pub cache: PathBuf,
    /// Where to put the file instead of the cache: as it is, or a directory when it has no extension.
    pub target: Option<PathBuf>,
    /// Extension of the name in the cache, without a dot (`iso`).
    pub extension: Option<String>,
    /// What relative paths are relative to.
    pub base: PathBuf,
    /// Whether local paths may be named at all. Redirects to `file:` are never followed.
    pub allow_local: bool,
    /// The largest file accepted, in bytes.
    pub max_bytes: Option<u64>,
    /// Hash also what has not changed since it was verified.
    pub rehash: bool,
    /// The slowest transfer tolerated.
    pub pace: Pace,
}

impl Fetch {
    /// Wants `urls` in `cache`, with local files allowed relative to the working directory, and no other bounds than
    /// the default pace.
    #[must_use]
    pub fn new(urls: Vec<String>, checksum: Checksum, cache: PathBuf) -> Self {
        Self {
            urls,
            checksum,
            cache,
            target: None,
            extension: None,
            base: PathBuf::from("."),
            allow_local: true,
            max_bytes: None,
            rehash: false,
            pace: Pace::default(),
        }
    }
}

/// At least `bytes` have to arrive in each `window`, so that a server that drips does not hold a build for ever.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Length of the window.
    pub window: Duration,
    /// Bytes in it.
    pub bytes: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { window: Duration::from_secs(60), bytes: 64 * 1024 }
    }
}

/// How the file came to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A local file, used where it lies.
    InPlace,
    /// It was there already.
    Cached,
    /// It was transferred or copied now.
    Fetched,
}

/// The file, opened for reading, and what is known of it.
#[derive(Debug)]
pub struct Fetched {
    /// Opened after it was verified.
    pub file: File,
    /// Where it lies.
    pub path: PathBuf,
    /// The digest that was verified, if one was asked for.
    pub digest: Option<Digest>,
    /// Its bytes.
    pub size: u64,
    /// The URL or path that gave it, without credentials.
    pub url: String,
    /// How it came.
    pub origin: Origin,
}

/// Fetches files through an [`Egress`]. Cheap to clone.
#[derive(Clone)]
pub struct Downloader {
    egress: Egress,
}

impl Downloader {
    /// A downloader whose every request passes `egress`.
    #[must_use]
    pub fn new(egress: Egress) -> Self {
        Self { egress }
    }

    /// Returns the wanted file, fetching it if it is not there. Two callers that want the same file, in this process or
    /// another, get it with one transfer.
    ///
    /// # Errors
    /// [`DownloadError::All`] with the reason of each URL; [`DownloadError::DiskFull`] and
    /// [`DownloadError::Cancelled`] at once.
    pub async fn fetch(
        &self,
        wanted: &Fetch,
        progress: Progress,
        cancel: CancellationToken,
    ) -> Result<Fetched, DownloadError> {
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(DownloadError::Cancelled),
            fetched = self.fetch_any(wanted, &progress, &cancel) => fetched,
        }
    }

    /// The normal form of `checksum`, in which a list has been replaced by the digest that it gives for `url`.
    ///
    /// # Errors
    /// As [`Self::fetch`]; [`DownloadError::Checksum`] when the list does not name the file.
    pub async fn resolve_checksum(
        &self,
        wanted: &Fetch,
        cancel: CancellationToken,
    ) -> Result<Checksum, DownloadError> {
        let url = wanted.urls.first().ok_or(DownloadError::NoUrl)?;
        let (url, written) = split_checksum_query(url);
        let checksum = written.map_or(Ok(wanted.checksum.clone()), |text| Checksum::parse(&text))?;
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(DownloadError::Cancelled),
            checksum = listing::resolve(&self.egress, wanted, checksum, &url) => checksum,
        }
    }

    async fn fetch_any(
        &self,
        wanted: &Fetch,
        progress: &Progress,
        cancel: &CancellationToken,
    ) -> Result<Fetched, DownloadError> {
        let first = wanted.urls.first().ok_or(DownloadError::NoUrl)?;
        let mut failures = Vec::new();
        // The list is looked up once, for the first URL's base name: mirrors may use other names.
        let mut common = None;
        for url in &wanted.urls {
            let (plain, written) = split_checksum_query(url);
            let attempt = async {
                let checksum = match written {
                    Some(text) => {
                        listing::resolve(&self.egress, wanted, Checksum::parse(&text)?, &plain).await?
                    }
                    None => match &common {
                        Some(checksum) => Checksum::clone(checksum),
                        None => {
                            let (first, _) = split_checksum_query(first);
                            let found =
                                listing::resolve(&self.egress, wanted, wanted.checksum.clone(), &first)
                                    .await?;
                            common.insert(found).clone()
                        }
                    },
                };
                self.fetch_one(wanted, &plain, &checksum, progress, cancel).await
            };
            match attempt.await {
                Ok(fetched) => return Ok(fetched),
                Err(error @ (DownloadError::Cancelled | DownloadError::DiskFull { .. })) => {
                    return Err(error);
                }
                Err(error) => {
                    let url = place::shown(&plain);
                    tracing::warn!(%url, %error, "cannot fetch");
                    failures.push(Failure { url, error });
                }
            }
        }
        Err(DownloadError::All(failures))
    }

    async fn fetch_one(
        &self,
        wanted: &Fetch,
        url: &str,
        checksum: &Checksum,
        progress: &Progress,
        cancel: &CancellationToken,
    ) -> Result<Fetched, DownloadError> {
        let job = Job { wanted, checksum: checksum.digest(), progress, cancel };
        match place::source(url, wanted)? {
            place::Source::Local(path) => local::fetch(&job, url, path).await,
            place::Source::Remote(remote) => http::fetch(&self.egress, &job, url, remote).await,
        }
    }
}

/// One URL's work, as its steps see it.
struct Job<'a> {
    wanted: &'a Fetch,
    checksum: Option<&'a Digest>,
    progress: &'a Progress,
    cancel: &'a CancellationToken,
}

impl Job<'_> {
    /// Opens `path`, verifies it (or finds it unchanged since it was), and returns it.
    async fn open_verified(
        &self,
        path: PathBuf,
        url: &str,
        origin: Origin,
    ) -> Result<Fetched, DownloadError> {
        let (cache, at) = (self.wanted.cache.clone(), path.clone());
        let asked = self.checksum.cloned().filter(|_| !self.wanted.rehash);
        let (file, size, known) = on_blocking(move || {
            let (file, size) = disk::open(&at)?;
            let known = asked.is_some_and(|digest| verified::is_recorded(&cache, &at, &file, &digest));
            Ok::<_, DownloadError>((file, size, known))
        })
        .await??;
        if let Some(limit) = self.wanted.max_bytes
            && size > limit
        {
            return Err(DownloadError::TooLarge { limit });
        }
        if let Some(expected) = self.checksum
            && !known
        {
            self.verify(&file, &path, expected).await?;
        }
        let url = place::shown(url);
        Ok(Fetched { file, path, digest: self.checksum.cloned(), size, url, origin })
    }

    async fn verify(
        &self,
        file: &File,
        path: &std::path::Path,
        expected: &Digest,
    ) -> Result<(), DownloadError> {
        let again = file.try_clone().map_err(|e| DownloadError::io("read", path, e))?;
        let found = crate::digest::hash_file(
            again,
            &[expected.algorithm()],
            self.progress.clone(),
            self.cancel.clone(),
        )
        .await?;
        let found = found.into_iter().next().ok_or(DownloadError::Cancelled)?;
        expected.compare(found)?;
        let (cache, path, expected) = (self.wanted.cache.clone(), path.to_owned(), expected.clone());
        let file = file.try_clone().map_err(|e| DownloadError::io("read", &path, e))?;
        on_blocking(move || {
            // The hash moved the shared position.
            disk::rewind(&file, &path)?;
            verified::record(&cache, &path, &file, Some(&expected), None);
            Ok::<_, DownloadError>(())
        })
        .await?
    }
}
