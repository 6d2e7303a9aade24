//! GET with redirects, each judged anew as if it had been asked for directly.
//!
//! Invariant: credentials given for one origin never travel to another, and a redirect never leads out of http(s) nor
//! from https down to http.

use bytes::Bytes;
use http::header::{AUTHORIZATION, COOKIE, LOCATION};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::Empty;
use url::Url;

use super::{Egress, EgressError, ResponseBody};

/// As many as browsers and Go follow.
pub(crate) const MAX_REDIRECTS: usize = 10;

impl Egress {
    /// GETs `url` with `headers`, follows at most ten redirects, and returns the last response and its URL.
    ///
    /// # Errors
    /// As [`Egress::send`], and [`EgressError::BadRedirect`], [`EgressError::TooManyRedirects`].
    pub async fn get(
        &self,
        url: &str,
        headers: HeaderMap,
    ) -> Result<(Response<ResponseBody>, String), EgressError> {
        let url = Url::parse(url)
            .map_err(|e| EgressError::InvalidUrl { url: url.to_owned(), why: e.to_string() })?;
        get_following(self, url, headers).await.map(|(response, url)| (response, url.into()))
    }
}

/// See [`Egress::get`].
pub(crate) async fn get_following(
    egress: &Egress,
    start: Url,
    mut headers: HeaderMap,
) -> Result<(Response<ResponseBody>, Url), EgressError> {
    let mut url = start.clone();
    for _ in 0..=MAX_REDIRECTS {
        let mut request = Request::new(Empty::<Bytes>::new());
        *request.method_mut() = Method::GET;
        url.set_fragment(None);
        *request.uri_mut() = url.as_str().parse().map_err(|e: http::uri::InvalidUri| {
            EgressError::InvalidUrl { url: shown(&url), why: e.to_string() }
        })?;
        *request.headers_mut() = headers.clone();
        let sent = egress.send(request, None).await?;
        let Some(next) = location(&sent.response, &url)? else {
            return Ok((sent.response, url));
        };
        if next.origin() != url.origin() {
            headers.remove(AUTHORIZATION);
            headers.remove(COOKIE);
        }
        tracing::debug!(from = %shown(&url), to = %shown(&next), "redirected");
        url = next;
    }
    Err(EgressError::TooManyRedirects { url: shown(&start), limit: MAX_REDIRECTS })
}

fn location(response: &Response<ResponseBody>, from: &Url) -> Result<Option<Url>, EgressError> {
    let followed = [
        StatusCode::MOVED_PERMANENTLY,
        StatusCode::FOUND,
        StatusCode::SEE_OTHER,
        StatusCode::TEMPORARY_REDIRECT,
        StatusCode::PERMANENT_REDIRECT,
    ];
    if !followed.contains(&response.status()) {
        return Ok(None);
    }
    let text = response.headers().get(LOCATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let bad =
        |why| EgressError::BadRedirect { url: shown(from), location: text.chars().take(200).collect(), why };
    if text.is_empty() {
        return Err(bad("it has no readable location"));
    }
    let next = from.join(text).map_err(|_| bad("it is not a URL"))?;
    match (from.scheme(), next.scheme()) {
        ("https", "http") => Err(bad("it gives up encryption")),
        (_, "http" | "https") if !next.username().is_empty() || next.password().is_some() => {
            Err(bad("it carries a user name"))
        }
        (_, "http" | "https") => Ok(Some(next)),
        _ => Err(bad("only http and https are followed")),
    }
}

/// The URL for messages: without user and password.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // Both fail only for URLs that cannot have them.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}
