//! Looks a digest up in a published list of checksums (`file:` form).

use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use super::place::{Source, shown, source};
use super::{DownloadError, Fetch, disk};
use crate::blocking::on_blocking;
use crate::digest::{Checksum, find_in_listing};
use crate::egress::{Egress, EgressError, get_following};

/// The longest list that is read; the largest seen in the wild is a tenth of it.
const MAX_LISTING: usize = 8 * 1024 * 1024;

/// `checksum` with a list replaced by the digest that it gives for the base name of `url`.
pub(crate) async fn resolve(
    egress: &Egress,
    wanted: &Fetch,
    checksum: Checksum,
    url: &str,
) -> Result<Checksum, DownloadError> {
    let Checksum::Listing(place) = checksum else {
        return Ok(checksum);
    };
    let text = read(egress, wanted, &place)
        .await
        .map_err(|source| DownloadError::Listing { place: shown(&place), source: Box::new(source) })?;
    Ok(Checksum::Digest(find_in_listing(&String::from_utf8_lossy(&text), url)?))
}

async fn read(egress: &Egress, wanted: &Fetch, place: &str) -> Result<Bytes, DownloadError> {
    let remote = match source(place, wanted)? {
        Source::Local(path) => {
            return on_blocking(move || disk::read_bounded(&path, MAX_LISTING as u64))
                .await?
                .map(Bytes::from);
        }
        Source::Remote(remote) => remote,
    };
    let (response, _) = get_following(egress, remote.url, remote.headers).await?;
    if response.status() != http::StatusCode::OK {
        return Err(DownloadError::Status { status: response.status() });
    }
    let body =
        tokio::time::timeout(wanted.pace.window, Limited::new(response.into_body(), MAX_LISTING).collect())
            .await
            .map_err(|_| DownloadError::TooSlow { bytes: MAX_LISTING as u64, window: wanted.pace.window })?;
    match body {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) => match error.downcast::<EgressError>() {
            Ok(error) => Err((*error).into()),
            Err(error) if error.is::<LengthLimitError>() => {
                Err(DownloadError::TooLarge { limit: MAX_LISTING as u64 })
            }
            Err(_) => Err(DownloadError::BadRange),
        },
    }
}
