//! Request → answer. Invariant: only what is below the directory, or in the map, is ever answered.

use super::HttpContent;
use super::file_body::FileBody;
use hyper::body::Incoming;
use hyper::header::{
    ACCEPT_RANGES, ALLOW, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderValue, LOCATION, RANGE,
};
use hyper::{Method, Request, Response, StatusCode};
use std::io::{Seek, SeekFrom};
use std::sync::Arc;

/// A listing has at most so many names.
const LISTED: usize = 10_000;

pub(super) type Answer = Response<FileBody>;

/// What a path leads to.
enum Found {
    Bytes(Vec<u8>),
    File(std::fs::File, u64),
    Listing(String),
    /// A directory asked for without its slash.
    Redirect(String),
    Nothing,
}

pub(super) async fn answer(request: &Request<Incoming>, content: &HttpContent) -> Answer {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
        answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return answer;
    }
    let Some(path) = decoded(request.uri().path()) else {
        return plain(StatusCode::NOT_FOUND, "not found\n");
    };
    let range = request.headers().get(RANGE).and_then(|range| range.to_str().ok());
    let head = request.method() == Method::HEAD;
    let found = match content {
        HttpContent::Texts(texts) => texts
            .get(&path)
            .or_else(|| texts.get(path.trim_start_matches('/')))
            .map_or(Found::Nothing, |text| Found::Bytes(text.clone())),
        HttpContent::Directory(directory) => {
            let (directory, path) = (Arc::clone(directory), path.clone());
            let looked = tokio::task::spawn_blocking(move || look(&directory, &path)).await;
            looked.unwrap_or(Found::Nothing)
        }
    };
    match found {
        Found::Nothing => plain(StatusCode::NOT_FOUND, "not found\n"),
        Found::Redirect(to) => {
            let mut answer = plain(StatusCode::MOVED_PERMANENTLY, "");
            if let Ok(to) = HeaderValue::from_str(&to) {
                answer.headers_mut().insert(LOCATION, to);
            }
            answer
        }
        Found::Listing(html) => {
            let mut answer = plain(StatusCode::OK, html);
            answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
            without_body(answer, head)
        }
        Found::Bytes(bytes) => {
            let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            let body = |start: u64, count: u64| {
                let number = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
                let part = bytes.get(number(start)..number(start + count)).unwrap_or_default();
                Some(FileBody::memory(part.to_vec()))
            };
            without_body(ranged(&path, range, length, body), head)
        }
        Found::File(mut file, length) => {
            let body = |start: u64, count: u64| {
                file.seek(SeekFrom::Start(start)).ok()?;
                Some(FileBody::file(tokio::fs::File::from_std(file), count))
            };
            without_body(ranged(&path, range, length, body), head)
        }
    }
}

fn plain(status: StatusCode, text: impl Into<bytes::Bytes>) -> Answer {
    let mut answer = Response::new(FileBody::memory(text));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

/// HEAD has the length of the body that GET would have.
fn without_body(mut answer: Answer, head: bool) -> Answer {
    if head {
        let length = hyper::body::Body::size_hint(answer.body()).exact().unwrap_or_default();
        answer.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
        *answer.body_mut() = FileBody::memory("");
    }
    answer
}

fn ranged(
    path: &str,
    range: Option<&str>,
    length: u64,
    body: impl FnOnce(u64, u64) -> Option<FileBody>,
) -> Answer {
    let range = match range.map_or(Wanted::All, |range| wanted(range, length)) {
        Wanted::Impossible => {
            let mut answer = plain(StatusCode::RANGE_NOT_SATISFIABLE, "");
            if let Ok(value) = HeaderValue::from_str(&format!("bytes */{length}")) {
                answer.headers_mut().insert(CONTENT_RANGE, value);
            }
            return answer;
        }
        Wanted::All => None,
        Wanted::Part(start, count) => Some((start, count)),
    };
    let (start, count) = range.unwrap_or((0, length));
    let Some(body) = body(start, count) else {
        return plain(StatusCode::INTERNAL_SERVER_ERROR, "unreadable\n");
    };
    let mut answer = Response::new(body);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type(path)));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if range.is_some() {
        let text = format!("bytes {start}-{}/{length}", (start + count).saturating_sub(1));
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(CONTENT_RANGE, value);
        }
        *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    answer
}

#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    All,
    Part(u64, u64),
    Impossible,
}

/// One range of RFC 9110 section 14; what is not understood, or several, means all.
fn wanted(range: &str, length: u64) -> Wanted {
    let Some((first, last)) = range.trim().strip_prefix("bytes=").and_then(|range| range.split_once('-'))
    else {
        return Wanted::All;
    };
    match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), _) if first >= length => Wanted::Impossible,
        (Ok(first), Ok(last)) if first <= last => Wanted::Part(first, last.min(length - 1) - first + 1),
        (Ok(first), Err(_)) if last.is_empty() => Wanted::Part(first, length - first),
        (Err(_), Ok(count)) if first.is_empty() => match count.min(length) {
            0 => Wanted::Impossible,
            count => Wanted::Part(length - count, count),
        },
        _ => Wanted::All,
    }
}

/// Percent-decoded; nothing if it is not UTF-8, or has `..` or a zero byte.
fn decoded(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit =
                || char::from(rest.next()?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            let (high, low) = (digit()?, digit()?);
            bytes.push(high * 16 + low);
        } else {
            bytes.push(byte);
        }
    }
    let path = String::from_utf8(bytes).ok()?;
    let bad = path.contains('\0') || path.split('/').any(|part| part == "..");
    (!bad && path.starts_with('/')).then_some(path)
}

fn look(directory: &cap_std::fs::Dir, path: &str) -> Found {
    let name = path.trim_matches('/');
    let name = if name.is_empty() { "." } else { name };
    // Looked at before it is opened: opening a pipe would wait for its other end.
    let Ok(metadata) = directory.metadata(name) else { return Found::Nothing };
    if metadata.is_dir() {
        if !path.ends_with('/') {
            let last = path.rsplit('/').next().unwrap_or_default();
            return Found::Redirect(format!("{}/", encoded(last)));
        }
        let index = if name == "." { "index.html".to_owned() } else { format!("{name}/index.html") };
        return match open(directory, &index) {
            Found::Nothing => listing(directory, name),
            found => found,
        };
    }
    open(directory, name)
}

fn open(directory: &cap_std::fs::Dir, name: &str) -> Found {
    match directory.metadata(name) {
        Ok(metadata) if metadata.is_file() => {}
        _ => return Found::Nothing,
    }
    let Ok(file) = directory.open(name) else { return Found::Nothing };
    match file.metadata() {
        Ok(metadata) if metadata.is_file() => Found::File(file.into_std(), metadata.len()),
        _ => Found::Nothing,
    }
}

fn listing(directory: &cap_std::fs::Dir, name: &str) -> Found {
    let Ok(entries) = directory.read_dir(name) else { return Found::Nothing };
    let shown = |entry: cap_std::fs::DirEntry| {
        let slash = if entry.file_type().is_ok_and(|kind| kind.is_dir()) { "/" } else { "" };
        format!("{}{slash}", entry.file_name().to_string_lossy())
    };
    let mut names: Vec<String> = entries.flatten().take(LISTED).map(shown).collect();
    names.sort();
    let line = |name: &String| format!("<a href=\"{}\">{}</a>\n", encoded(name), escaped(name));
    Found::Listing(format!("<pre>\n{}</pre>\n", names.iter().map(line).collect::<String>()))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&#34;")
}

/// Percent-encoded, `/` kept; a colon in the first part would look like a scheme.
fn encoded(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                text.push(char::from(byte))
            }
            other => text.push_str(&format!("%{other:02X}")),
        }
    }
    text
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).as_deref() {
        Some("html" | "htm") => "text/html; charset=utf-8",
        Some("json") => "application/json",
        Some("xml") => "text/xml; charset=utf-8",
        Some("txt" | "cfg" | "conf" | "ks" | "sh" | "yaml" | "yml" | "seed" | "ps1") | None => {
            "text/plain; charset=utf-8"
        }
        Some(_) => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::{Wanted, decoded, wanted};

    #[test]
    fn ranges() {
        for (range, expected) in [
            ("bytes=0-0", Wanted::Part(0, 1)),
            ("bytes=2-", Wanted::Part(2, 8)),
            ("bytes=2-99", Wanted::Part(2, 8)),
            ("bytes=-3", Wanted::Part(7, 3)),
            ("bytes=-99", Wanted::Part(0, 10)),
            ("bytes=10-", Wanted::Impossible),
            ("bytes=-0", Wanted::Impossible),
            ("bytes=5-2", Wanted::All),
            ("bytes=0-1,3-4", Wanted::All),
            ("lines=0-1", Wanted::All),
        ] {
            assert_eq!(wanted(range, 10), expected, "{range}");
        }
        assert_eq!(wanted("bytes=0-0", 0), Wanted::Impossible);
        assert_eq!(wanted("bytes=18446744073709551615-18446744073709551615", 10), Wanted::Impossible);
    }

    #[test]
    fn paths() {
        assert_eq!(decoded("/a%20b%2fc").as_deref(), Some("/a b/c"));
        for bad in ["/../a", "/a/%2e%2e/b", "/%00", "/%", "/%zz", "/%ff", "*"] {
            assert_eq!(decoded(bad), None, "{bad}");
        }
    }
}
