//! A remote file: found in the cache, or transferred into a part file that survives interruptions.
//!
//! Beside the part file lies a note of the URL and the validator (strong `ETag`, else `Last-Modified`) it came with.
//! Invariant: bytes are appended only when the server said, by `206` with the right range under `If-Range`, that they
//! continue the same version, or when a checksum will judge the whole; anything else starts over.

use std::path::PathBuf;
use std::time::Duration;

use http::header::{
    ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, HeaderName, HeaderValue,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, LAST_MODIFIED, RANGE,
};
use http::{Response, StatusCode};
use http_body_util::BodyExt as _;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::disk::{self, Lock, Part};
use super::place::{Remote, beside, place, shown};
use super::{DownloadError, Fetched, Job, Origin, verified};
use crate::blocking::on_blocking;
use crate::egress::{Egress, ResponseBody, get_following};

/// Attempts at one URL, as long as each but the first got further than the one before.
const MAX_ATTEMPTS: u32 = 8;
/// Attempts that may fail without any progress.
const MAX_IDLE_ATTEMPTS: u32 = 3;
/// Pieces on their way from the network to the disk.
const QUEUE: usize = 64;

pub(crate) async fn fetch(
    egress: &Egress,
    job: &Job<'_>,
    url: &str,
    remote: Remote,
) -> Result<Fetched, DownloadError> {
    let target = place(job.wanted, url, job.checksum);
    let cache = job.wanted.cache.clone();
    on_blocking(move || disk::make_directory(&cache)).await??;
    let lock = Lock::acquire(&target).await?;
    let mut transfer = Transfer {
        egress,
        job,
        remote,
        note: beside(&target, ".part.meta"),
        part: beside(&target, ".part"),
        lock,
        fresh: None,
    };
    if disk::exists(&target) {
        match job.open_verified(target.clone(), url, Origin::Cached).await {
            Ok(fetched) if job.checksum.is_some() => return Ok(fetched),
            Ok(fetched) => {
                transfer.fresh = verified::validator(&job.wanted.cache, &target, &fetched.file);
                if transfer.fresh.is_some() && transfer.run().await?.is_none() {
                    return Ok(fetched);
                }
            }
            Err(DownloadError::Checksum(_)) => disk::remove(&target)?,
            Err(error) => return Err(error),
        }
    }
    let validator = match transfer.fresh.take() {
        // The revalidation above already brought the new version.
        Some(_) => transfer.validator(),
        None => {
            transfer.run_until_verified().await?;
            transfer.validator()
        }
    };
    disk::rename(&transfer.part, &target)?;
    disk::remove(&transfer.note)?;
    let (file, size) = disk::open(&target)?;
    verified::record(&job.wanted.cache, &target, &file, job.checksum, validator.as_deref());
    Ok(Fetched {
        file,
        path: target,
        digest: job.checksum.cloned(),
        size,
        url: shown(url),
        origin: Origin::Fetched,
    })
}

/// The transfer of one URL into one part file.
struct Transfer<'a> {
    egress: &'a Egress,
    job: &'a Job<'a>,
    remote: Remote,
    part: PathBuf,
    note: PathBuf,
    lock: Lock,
    /// The validator of a copy that is there already: ask only for something newer.
    fresh: Option<String>,
}

/// What one request brought.
enum Brought {
    Whole,
    /// The copy that is there is still the right one.
    NotModified,
}

impl Transfer<'_> {
    /// Transfers until the digest fits; a mismatch after a resume may be a mix of two versions, so it gets one more
    /// chance from the beginning.
    async fn run_until_verified(&self) -> Result<(), DownloadError> {
        let resumed = self.offset() > 0;
        match self.run().await {
            Err(DownloadError::Checksum(_)) if resumed => self.run().await.map(drop),
            other => other.map(drop),
        }
    }

    /// Requests until the file is whole, resuming after each interruption. `None` means not modified.
    async fn run(&self) -> Result<Option<()>, DownloadError> {
        let (mut idle, mut furthest) = (0, self.offset());
        for attempt in 1..=MAX_ATTEMPTS {
            let error = match self.request(self.offset()).await {
                Ok(Brought::Whole) => return Ok(Some(())),
                Ok(Brought::NotModified) => return Ok(None),
                Err(error) => error,
            };
            // Counted from the furthest point so far: a server without ranges begins at 0 each time.
            let reached = disk::length(&self.part);
            idle = if reached > furthest { 0 } else { idle + 1 };
            furthest = furthest.max(reached);
            if !error.is_transient() || idle >= MAX_IDLE_ATTEMPTS || attempt == MAX_ATTEMPTS {
                return Err(error);
            }
            tracing::warn!(url = %self.remote.url, %error, attempt, "interrupted, trying again");
            tokio::time::sleep(Duration::from_millis(200 << idle)).await;
        }
        Err(DownloadError::BadRange)
    }

    /// How much of the part file can be continued.
    fn offset(&self) -> u64 {
        let note = disk::read_small(&self.note).unwrap_or_default();
        let (url, validator) = note.split_once('\n').unwrap_or_default();
        let continues =
            url == self.remote.url.as_str() && (!validator.trim().is_empty() || self.job.checksum.is_some());
        if continues { disk::length(&self.part) } else { 0 }
    }

    /// The validator in the note.
    fn validator(&self) -> Option<String> {
        let note = disk::read_small(&self.note)?;
        note.lines().nth(1).filter(|line| !line.is_empty()).map(str::to_owned)
    }

    async fn request(&self, offset: u64) -> Result<Brought, DownloadError> {
        let headers = self.headers(offset);
        let (response, _) = get_following(self.egress, self.remote.url.clone(), headers).await?;
        let sent = validator_of(response.headers());
        match response.status() {
            StatusCode::OK => self.receive(response, 0, sent).await,
            StatusCode::NOT_MODIFIED if self.fresh.is_some() => Ok(Brought::NotModified),
            StatusCode::PARTIAL_CONTENT if offset > 0 => {
                let range = content_range(response.headers());
                let same =
                    self.validator().is_none_or(|known| sent.as_ref().is_none_or(|sent| *sent == known));
                match range {
                    Some((start, _)) if start == offset && same => {
                        self.receive(response, offset, sent.or_else(|| self.validator())).await
                    }
                    // The server broke its word; only a fresh start is safe.
                    _ => self.start_over(),
                }
            }
            StatusCode::RANGE_NOT_SATISFIABLE if offset > 0 => {
                let whole = unsatisfied_length(response.headers()) == Some(offset);
                if whole && self.job.checksum.is_some() {
                    self.complete(offset).await
                } else {
                    self.start_over()
                }
            }
            status => Err(DownloadError::Status { status }),
        }
    }

    /// Forgets the part, so that the next attempt begins at 0.
    fn start_over<T>(&self) -> Result<T, DownloadError> {
        self.forget()?;
        Err(DownloadError::BadRange)
    }

    fn headers(&self, offset: u64) -> HeaderMap {
        let mut headers = self.remote.headers.clone();
        // A stored encoding would make ranges and checksums speak of other bytes.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let put = |headers: &mut HeaderMap, name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        if offset > 0 {
            put(&mut headers, RANGE, &format!("bytes={offset}-"));
            if let Some(validator) = self.validator() {
                put(&mut headers, IF_RANGE, &validator);
            }
        } else if let Some(validator) = &self.fresh {
            let name = if validator.starts_with('"') { IF_NONE_MATCH } else { IF_MODIFIED_SINCE };
            put(&mut headers, name, validator);
        }
        headers
    }

    /// Streams the body behind the first `offset` bytes of the part, then verifies the whole.
    async fn receive(
        &self,
        response: Response<ResponseBody>,
        offset: u64,
        validator: Option<String>,
    ) -> Result<Brought, DownloadError> {
        let length = response
            .headers()
            .get(CONTENT_LENGTH)
            .and_then(|v| v.to_str().ok())
            .and_then(|v| v.parse::<u64>().ok());
        let total = length.map(|length| length.saturating_add(offset));
        let limit = self.job.wanted.max_bytes.unwrap_or(u64::MAX);
        if total.is_some_and(|total| total > limit) {
            return Err(DownloadError::TooLarge { limit });
        }
        let part = self.open_part(offset, validator).await?;
        let (send, pieces) = mpsc::channel(QUEUE);
        let writing = tokio::spawn(part.write_all(pieces, self.lock.clone()));
        let arrived = self.pump(response.into_body(), send, offset, total, limit).await;
        let written = writing.await.map_err(|_| DownloadError::Cancelled)?;
        // A full disk ends the pump too; its own error says more.
        let part = written?;
        arrived?;
        self.judge(part).await
    }

    async fn open_part(&self, offset: u64, validator: Option<String>) -> Result<Part, DownloadError> {
        let (path, note) = (self.part.clone(), self.note.clone());
        let algorithm = self.job.checksum.map(crate::digest::Digest::algorithm);
        let text = format!("{}\n{}\n", self.remote.url, validator.unwrap_or_default());
        let (cancel, lock) = (self.job.cancel.clone(), self.lock.clone());
        on_blocking(move || {
            let part = Part::open(path, offset, algorithm, &cancel)?;
            disk::write_small(&note, &text);
            drop(lock);
            Ok(part)
        })
        .await?
    }

    /// Network to channel, with progress, size bound and pace.
    async fn pump(
        &self,
        mut body: ResponseBody,
        send: mpsc::Sender<bytes::Bytes>,
        offset: u64,
        total: Option<u64>,
        limit: u64,
    ) -> Result<(), DownloadError> {
        let pace = self.job.wanted.pace;
        let too_slow = || DownloadError::TooSlow { bytes: pace.bytes, window: pace.window };
        let (mut done, mut in_window, mut window_ends) = (offset, 0, Instant::now() + pace.window);
        loop {
            let frame = match timeout_at(window_ends, body.frame()).await {
                Ok(None) => return Ok(()),
                Ok(Some(frame)) => frame?,
                Err(_) if in_window < pace.bytes => return Err(too_slow()),
                Err(_) => {
                    (in_window, window_ends) = (0, Instant::now() + pace.window);
                    continue;
                }
            };
            let Ok(data) = frame.into_data() else { continue };
            done += data.len() as u64;
            in_window += data.len() as u64;
            if done > limit {
                return Err(DownloadError::TooLarge { limit });
            }
            if send.send(data).await.is_err() {
                return Ok(());
            }
            (self.job.progress)(done, total);
        }
    }

    /// A part that was complete before this request.
    async fn complete(&self, size: u64) -> Result<Brought, DownloadError> {
        let part = self.open_part(size, self.validator()).await?;
        self.judge(part).await
    }

    async fn judge(&self, part: Part) -> Result<Brought, DownloadError> {
        let (_, found) = part.finish().await?;
        if let (Some(expected), Some(found)) = (self.job.checksum, found)
            && let Err(mismatch) = expected.compare(found)
        {
            self.forget()?;
            return Err(mismatch.into());
        }
        Ok(Brought::Whole)
    }

    fn forget(&self) -> Result<(), DownloadError> {
        disk::remove(&self.note)?;
        disk::remove(&self.part)
    }
}

/// A validator that may be used with `If-Range`: weak tags may not (RFC 9110 section 13.1.5).
fn validator_of(headers: &HeaderMap) -> Option<String> {
    let text =
        |name| headers.get(name).and_then(|v: &HeaderValue| v.to_str().ok()).filter(|v| v.len() < 1024);
    text(ETAG).filter(|tag| tag.starts_with('"')).or_else(|| text(LAST_MODIFIED)).map(str::to_owned)
}

/// `bytes 5-9/10` as (first byte, total if known).
fn content_range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let text = headers.get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes ")?;
    let (range, total) = text.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.trim().parse().ok()?, total.trim().parse().ok()))
}

/// The length in `bytes */10`.
fn unsatisfied_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes */")?.trim().parse().ok()
}
