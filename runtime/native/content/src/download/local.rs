//! Local sources: used in place, or copied when the user named a target.

use std::path::PathBuf;

use super::{DownloadError, Fetched, Job, Origin, disk, place};
use crate::blocking::on_blocking;

pub(crate) async fn fetch(job: &Job<'_>, url: &str, path: PathBuf) -> Result<Fetched, DownloadError> {
    if job.wanted.target.is_none() {
        ensure_cache(job).await?;
        return job.open_verified(path, url, Origin::InPlace).await;
    }
    let target = place::place(job.wanted, url, job.checksum);
    if disk::is_same(&path, &target) {
        return job.open_verified(path, url, Origin::InPlace).await;
    }
    ensure_cache(job).await?;
    let lock = disk::Lock::acquire(&target).await?;
    if job.checksum.is_some()
        && disk::exists(&target)
        && let Ok(fetched) = job.open_verified(target.clone(), url, Origin::Cached).await
    {
        return Ok(fetched);
    }
    let part = place::beside(&target, ".part");
    let (to, held, max) = (part.clone(), lock.clone(), job.wanted.max_bytes);
    on_blocking(move || {
        let (from, size) = disk::open(&path)?;
        if let Some(limit) = max.filter(|limit| size > *limit) {
            return Err(DownloadError::TooLarge { limit });
        }
        let copied = disk::copy(from, &to);
        drop(held);
        copied
    })
    .await??;
    // The copy is what is used, so the copy is what is verified.
    if let Err(error) = job.open_verified(part.clone(), url, Origin::Fetched).await {
        disk::remove(&part)?;
        return Err(error);
    }
    disk::rename(&part, &target)?;
    let fetched = job.open_verified(target, url, Origin::Fetched).await;
    drop(lock);
    fetched
}

async fn ensure_cache(job: &Job<'_>) -> Result<(), DownloadError> {
    if job.checksum.is_none() {
        return Ok(());
    }
    let cache = job.wanted.cache.clone();
    on_blocking(move || disk::make_directory(&cache)).await?
}
