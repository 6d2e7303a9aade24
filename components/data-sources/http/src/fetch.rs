//! One request over wasi:http, redirects followed as a browser would: at most ten, never from
//! https to http, credentials only to the server that they were written for.

use crate::url::Url;
use kiln_sdk::Error;
use std::collections::BTreeMap;
use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    Fields, IncomingBody, IncomingResponse, Method, OutgoingBody, OutgoingRequest, Scheme,
};
use wasip2::io::streams::StreamError;

const MAX_REDIRECTS: usize = 10;
/// The longest body that is taken, in bytes.
const MAX_BODY: usize = 10 << 20;
/// How much a body stream takes at once (wasi:io, `blocking-write-and-flush`).
const WRITE: usize = 4096;
const READ: u64 = 64 << 10;

/// What to ask.
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) url: Url,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// What came back.
pub(crate) struct Response {
    pub(crate) status: u16,
    /// By name as Go writes it (`Content-Type`); several values are joined.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// Sends a request and follows where it leads.
///
/// # Errors
/// `failed` if it could not be sent or its body is too long.
pub(crate) fn follow(mut request: Request) -> Result<Response, Error> {
    for _ in 0..=MAX_REDIRECTS {
        let response = send(&request)?;
        let Some(location) = response.headers.get("Location").filter(|_| redirects(response.status)) else {
            return Ok(response);
        };
        redirect(&mut request, response.status, location)?;
    }
    Err(Error::failed(format!("more than {MAX_REDIRECTS} redirects")))
}

fn redirects(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

fn redirect(request: &mut Request, status: u16, location: &str) -> Result<(), Error> {
    let url = request.url.join(location).filter(|url| url.secure || !request.url.secure);
    let url = url.ok_or_else(|| Error::failed(format!("refusing the redirect to `{location}`")))?;
    if !url.same_origin(&request.url) {
        request
            .headers
            .retain(|name, _| !["authorization", "cookie"].contains(&name.to_ascii_lowercase().as_str()));
    }
    if matches!(status, 301..=303) && request.method != "HEAD" {
        "GET".clone_into(&mut request.method);
        request.body.clear();
    }
    request.url = url;
    Ok(())
}

fn send(request: &Request) -> Result<Response, Error> {
    let fields = Fields::new();
    for (name, value) in &request.headers {
        fields
            .append(name, value.as_bytes())
            .map_err(|e| Error::invalid(format!("header `{name}` is refused: {e}")).at("/request_headers"))?;
    }
    let outgoing = OutgoingRequest::new(fields);
    let refused = |()| Error::invalid("the URL or method is refused");
    outgoing.set_method(&method(&request.method)).map_err(refused)?;
    let scheme = if request.url.secure { Scheme::Https } else { Scheme::Http };
    outgoing.set_scheme(Some(&scheme)).map_err(refused)?;
    outgoing.set_authority(Some(&request.url.authority)).map_err(refused)?;
    outgoing.set_path_with_query(Some(&request.url.path_with_query)).map_err(refused)?;
    let body = outgoing.body().map_err(refused)?;
    let pending = outgoing_handler::handle(outgoing, None).map_err(failed)?;
    write(body, &request.body)?;
    pending.subscribe().block();
    let response = pending
        .get()
        .ok_or_else(|| Error::failed("no answer came"))?
        .map_err(|()| Error::failed("the answer was taken twice"))?
        .map_err(failed)?;
    read(&response)
}

/// The host's reason, which says what grant was missing if one was.
fn failed(error: impl std::fmt::Display) -> Error {
    Error::failed(format!("the request failed: {error}"))
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "OPTIONS" => Method::Options,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    }
}

fn write(body: OutgoingBody, bytes: &[u8]) -> Result<(), Error> {
    if !bytes.is_empty() {
        let stream = body.write().map_err(|()| Error::failed("the request takes no body"))?;
        for chunk in bytes.chunks(WRITE) {
            stream.blocking_write_and_flush(chunk).map_err(failed)?;
        }
    }
    OutgoingBody::finish(body, None).map_err(failed)
}

fn read(response: &IncomingResponse) -> Result<Response, Error> {
    let status = response.status();
    let mut headers = BTreeMap::new();
    for (name, value) in response.headers().entries() {
        let value = String::from_utf8_lossy(&value).into_owned();
        headers
            .entry(canonical(&name))
            .and_modify(|all: &mut String| *all = format!("{all}, {value}"))
            .or_insert(value);
    }
    let incoming = response.consume().map_err(|()| Error::failed("the answer has no body"))?;
    let body = read_body(&incoming)?;
    Ok(Response { status, headers, body })
}

fn read_body(incoming: &IncomingBody) -> Result<Vec<u8>, Error> {
    let stream = incoming.stream().map_err(|()| Error::failed("the answer has no body"))?;
    let mut body = Vec::new();
    loop {
        match stream.blocking_read(READ) {
            Ok(chunk) => body.extend(chunk),
            Err(StreamError::Closed) => return Ok(body),
            Err(error) => return Err(failed(error)),
        }
        if body.len() > MAX_BODY {
            return Err(Error::new(kiln_sdk::ErrorCode::Limit, "the answer is longer than 10 MiB"));
        }
    }
}

/// A header's name with capitals where Go puts them, since templates read `Content-Type`.
fn canonical(name: &str) -> String {
    let mut start = true;
    name.chars()
        .map(|character| {
            let upper = start;
            start = character == '-';
            if upper { character.to_ascii_uppercase() } else { character.to_ascii_lowercase() }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(url: &str, method: &str) -> Request {
        let headers = ["Authorization", "Accept"].map(|name| (name.to_owned(), "x".to_owned()));
        Request {
            method: method.to_owned(),
            url: Url::parse(url).unwrap(),
            headers: headers.into_iter().collect(),
            body: b"b".to_vec(),
        }
    }

    #[test]
    fn credentials_stay_with_their_server() {
        let mut asked = request("http://a/x", "POST");
        redirect(&mut asked, 307, "/y").unwrap();
        assert_eq!((asked.method.as_str(), asked.headers.len(), asked.body.len()), ("POST", 2, 1));
        redirect(&mut asked, 302, "https://b/").unwrap();
        assert_eq!((asked.method.as_str(), asked.headers.len(), asked.body.len()), ("GET", 1, 0));
        assert!(redirect(&mut asked, 302, "http://b/").is_err());
    }

    #[test]
    fn names_are_written_as_go_does() {
        assert_eq!(canonical("content-type"), "Content-Type");
        assert_eq!(canonical("ETAG"), "Etag");
    }
}
