//! Where a file comes from and where it goes: pure rules, no disk.
//!
//! The names are Packer's, so that a cache directory can be shared with it: SHA-1 of the normal form of the checksum
//! (`sha256:hex`), or of the URL when there is none, and the extension.

use std::path::{Path, PathBuf};

use http::header::{AUTHORIZATION, HeaderMap};
use url::Url;

use super::{DownloadError, Fetch};
use crate::digest::{Algorithm, Digest, Hasher, hex};
use crate::egress::basic;

/// Where a URL leads.
pub(crate) enum Source {
    Local(PathBuf),
    Remote(Remote),
}

/// An http or https URL, its credentials moved into a header.
pub(crate) struct Remote {
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
}

/// Sorts a URL or path.
pub(crate) fn source(text: &str, wanted: &Fetch) -> Result<Source, DownloadError> {
    let invalid = |why| DownloadError::InvalidUrl { url: shown(text), why };
    let local = |path: &str| match (wanted.allow_local, path) {
        (false, _) => Err(DownloadError::LocalRefused),
        (true, "") => Err(invalid("it names no file")),
        (true, path) => Ok(Source::Local(wanted.base.join(path))),
    };
    let Some((scheme, rest)) = text.split_once("://") else {
        return local(text);
    };
    match scheme.to_ascii_lowercase().as_str() {
        "file" => {
            // Packer also accepts file://relative/path, which is no URL by the book.
            let absolute = Url::parse(text)
                .ok()
                .filter(|_| rest.starts_with('/'))
                .and_then(|url| url.to_file_path().ok());
            match absolute {
                Some(path) => local(&path.to_string_lossy()),
                None => local(rest),
            }
        }
        "http" | "https" => {
            let mut url = Url::parse(text).map_err(|_| invalid("it is not a URL"))?;
            let mut headers = HeaderMap::new();
            if !url.username().is_empty() || url.password().is_some() {
                let value = basic(url.username(), url.password().unwrap_or_default());
                headers.insert(AUTHORIZATION, value.ok_or_else(|| invalid("its user name cannot be sent"))?);
                url = Url::parse(&shown(text)).map_err(|_| invalid("it is not a URL"))?;
            }
            Ok(Source::Remote(Remote { url, headers }))
        }
        _ => Err(invalid("only http, https and file URLs and paths are fetched")),
    }
}

/// Where the file for `url` and `checksum` is kept.
pub(crate) fn place(wanted: &Fetch, url: &str, checksum: Option<&Digest>) -> PathBuf {
    let key = checksum.map_or_else(|| url.to_owned(), Digest::to_string);
    let mut name = sha1_hex(key.as_bytes());
    if let Some(extension) =
        wanted.extension.as_deref().map(|e| e.trim_start_matches('.')).filter(|e| !e.is_empty())
    {
        name.push('.');
        name.push_str(extension);
    }
    match &wanted.target {
        None => wanted.cache.join(name),
        Some(target) if target.extension().is_none() => wanted.base.join(target).join(name),
        Some(target) => wanted.base.join(target),
    }
}

/// `path` with `suffix` behind its whole name.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

pub(crate) fn sha1_hex(data: &[u8]) -> String {
    let mut hasher = Hasher::new(Algorithm::Sha1);
    hasher.update(data);
    hex(hasher.finish().bytes())
}

/// The URL for messages and records: without user and password.
pub(crate) fn shown(text: &str) -> String {
    match Url::parse(text) {
        Ok(url) if url.has_host() && (!url.username().is_empty() || url.password().is_some()) => {
            crate::egress::shown(&url)
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Checksum;

    fn wanted() -> Fetch {
        Fetch { base: "/base".into(), ..Fetch::new(vec![], Checksum::None, "/cache".into()) }
    }

    #[test]
    fn names_in_the_cache_are_packers() {
        let mut wanted = wanted();
        let sum = Checksum::parse("md5:900150983cd24fb0d6963f7d28e17f72").unwrap();
        // By `printf %s md5:900150983cd24fb0d6963f7d28e17f72 | sha1sum`, and the same for the URL.
        let name = place(&wanted, "http://h/a.iso", sum.digest());
        assert_eq!(name, Path::new("/cache/eb1bf275e6d170e63a6282ff84ed2de68b50ced6"));
        wanted.extension = Some("iso".into());
        let hash = "3278476cfe9b1c4369fac15cae97e22cfe6146a8";
        assert_eq!(place(&wanted, "http://h/a.iso", None), Path::new("/cache").join(format!("{hash}.iso")));
        wanted.target = Some("images/debian.iso".into());
        assert_eq!(place(&wanted, "http://h/a.iso", None), Path::new("/base/images/debian.iso"));
        wanted.target = Some("images".into());
        assert_eq!(
            place(&wanted, "http://h/a.iso", None),
            Path::new("/base/images").join(format!("{hash}.iso"))
        );
        wanted.target = Some("/abs/x.img".into());
        assert_eq!(place(&wanted, "http://h/a.iso", None), Path::new("/abs/x.img"));
    }

    #[test]
    fn trap_19_a_target_without_extension_is_a_directory() {
        let mut wanted = wanted();
        wanted.extension = Some("iso".into());
        wanted.target = Some("images".into());
        let placed = place(&wanted, "http://h/a.iso", None);
        assert_eq!(placed.parent(), Some(Path::new("/base/images")));
        wanted.target = Some("images/a.iso".into());
        assert_eq!(place(&wanted, "http://h/a.iso", None), Path::new("/base/images/a.iso"));
    }

    #[test]
    fn trap_20_the_name_in_the_cache_is_of_the_checksum_not_of_the_url() {
        let mut wanted = wanted();
        wanted.extension = Some("iso".into());
        let digest = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
        let sum = Checksum::parse(&format!("sha256:{digest}")).unwrap();
        let place = |url: &str| place(&wanted, url, sum.digest());
        assert_eq!(place("http://h/a.iso"), place("http://elsewhere/b.iso"));
        // By `printf %s sha256:DIGEST | sha1sum`.
        let name = "/cache/ba32c2e240f7a3708796c7a9f8a7662ae57d2b8f.iso";
        assert_eq!(place("http://h/a.iso"), Path::new(name));
    }

    #[test]
    fn urls_and_paths_are_told_apart() {
        let mut wanted = wanted();
        for (text, path) in [
            ("a/b.iso", "/base/a/b.iso"),
            ("/x/b.iso", "/x/b.iso"),
            ("file:///x/b%20c.iso", "/x/b c.iso"),
            ("file://rel/b.iso", "/base/rel/b.iso"),
            ("file://./b.iso", "/base/./b.iso"),
        ] {
            assert!(matches!(source(text, &wanted), Ok(Source::Local(p)) if p == Path::new(path)), "{text}");
        }
        let Ok(Source::Remote(remote)) = source("https://us%40er:pw@h/a", &wanted) else { panic!() };
        assert_eq!(remote.url.as_str(), "https://h/a");
        assert_eq!(remote.headers[AUTHORIZATION], "Basic dXNAZXI6cHc=");
        for text in ["s3://b/x", "ftp://h/x", "", "git://h/x", "http://"] {
            assert!(source(text, &wanted).is_err(), "{text}");
        }
        wanted.allow_local = false;
        for text in ["a", "/etc/passwd", "file:///etc/passwd", "FILE:///etc/passwd"] {
            assert!(matches!(source(text, &wanted), Err(DownloadError::LocalRefused)), "{text}");
        }
    }
}
