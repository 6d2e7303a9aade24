//! What a template may write as a checksum, and how a published list of sums is read.
//!
//! Forms: `type:hex`, bare hex (its length tells the type), `file:` and a URL or path of a list, `none`, and
//! `?checksum=` in a URL. Lists: GNU `sum  name` and `sum *name`, BSD `SHA256 (name) = sum`, or one bare sum.

use std::fmt;

use url::Url;

use super::{Algorithm, Digest, hash_reader};

/// What a template asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// `none`, or nothing: whatever arrives is accepted.
    None,
    /// A digest; bare hexadecimal digits got their type.
    Digest(Digest),
    /// `file:`: the URL or path of a list that names the digest, to be looked up with [`find_in_listing`].
    Listing(String),
}

/// Why a text is no checksum, or data does not match one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChecksumError {
    /// An unknown type before the colon.
    #[error("unknown checksum type {0}, write md5, sha1, sha224, sha256, sha384, sha512, file or none")]
    UnknownType(String),
    /// Not hexadecimal, or not as long as the type's sum.
    #[error("{text} is no {algorithm} sum, which has {digits} hexadecimal digits")]
    Malformed {
        /// The type written.
        algorithm: Algorithm,
        /// What stands behind it.
        text: String,
        /// How many digits it should have.
        digits: usize,
    },
    /// A bare text whose length fits no type.
    #[error("{0} is no checksum: write type:hex, file:URL or none")]
    UnknownForm(String),
    /// `file:` without a place.
    #[error("file: must be followed by the URL or path of a list of checksums")]
    EmptyListing,
    /// A digest was needed.
    #[error("{0} is no digest of the form type:hex")]
    NotADigest(String),
    /// The list has no line for the file.
    #[error("the list of checksums has no entry for {0}")]
    NotListed(String),
    /// The data is not what was promised.
    #[error("checksum mismatch: expected {expected}, found {found}")]
    Mismatch {
        /// What the template says.
        expected: Digest,
        /// What the data gave.
        found: Digest,
    },
}

impl Checksum {
    /// Reads any form but `?checksum=`, for which see [`split_checksum_query`].
    ///
    /// # Errors
    /// [`ChecksumError`] for what is none.
    pub fn parse(text: &str) -> Result<Self, ChecksumError> {
        let text = text.trim();
        let shown = || text.chars().take(200).collect::<String>();
        if text.is_empty() || text.eq_ignore_ascii_case("none") {
            return Ok(Self::None);
        }
        let Some((kind, rest)) = text.split_once(':') else {
            let algorithm =
                Algorithm::by_hex_length(text.len()).ok_or_else(|| ChecksumError::UnknownForm(shown()))?;
            return Digest::from_hex(algorithm, text)
                .map(Self::Digest)
                .ok_or_else(|| ChecksumError::UnknownForm(shown()));
        };
        if kind.eq_ignore_ascii_case("file") {
            let place = rest.trim();
            return if place.is_empty() {
                Err(ChecksumError::EmptyListing)
            } else {
                Ok(Self::Listing(place.to_owned()))
            };
        }
        if kind.eq_ignore_ascii_case("none") {
            return Ok(Self::None);
        }
        let algorithm = Algorithm::by_name(kind)
            .ok_or_else(|| ChecksumError::UnknownType(kind.chars().take(60).collect()))?;
        Digest::from_hex(algorithm, rest.trim()).map(Self::Digest).ok_or_else(|| ChecksumError::Malformed {
            algorithm,
            text: rest.chars().take(200).collect(),
            digits: algorithm.size() * 2,
        })
    }

    /// The digest, where there is one.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        match self {
            Self::Digest(digest) => Some(digest),
            Self::None | Self::Listing(_) => None,
        }
    }

    /// Compares data in memory; [`Checksum::None`] accepts everything, and a list must have been looked up before.
    ///
    /// # Errors
    /// [`ChecksumError::Mismatch`], [`ChecksumError::NotADigest`].
    pub fn verify(&self, data: &[u8]) -> Result<(), ChecksumError> {
        let expected = match self {
            Self::None => return Ok(()),
            Self::Digest(digest) => digest,
            Self::Listing(place) => return Err(ChecksumError::NotADigest(format!("file:{place}"))),
        };
        let never = tokio_util::sync::CancellationToken::new();
        let found = hash_reader(&mut &*data, &[expected.algorithm()], &|_| (), &never)
            .ok()
            .and_then(|found| found.into_iter().next())
            .ok_or_else(|| ChecksumError::NotADigest(expected.to_string()))?;
        expected.compare(found)
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Digest(digest) => digest.fmt(f),
            Self::Listing(place) => write!(f, "file:{place}"),
        }
    }
}

impl Digest {
    /// # Errors
    /// [`ChecksumError::Mismatch`] unless `found` is the same digest.
    pub fn compare(&self, found: Self) -> Result<(), ChecksumError> {
        if *self == found { Ok(()) } else { Err(ChecksumError::Mismatch { expected: self.clone(), found }) }
    }
}

/// Takes `?checksum=` out of a URL: the URL without it, and its value. Other parameters keep their order; a text that
/// is no URL, or has no such parameter, comes back unchanged.
#[must_use]
pub fn split_checksum_query(url: &str) -> (String, Option<String>) {
    let unchanged = (url.to_owned(), None);
    let Some((front, query)) = url.split_once('?') else { return unchanged };
    if !url.contains("://") {
        return unchanged;
    }
    let (query, fragment) = query.split_once('#').map_or((query, None), |(q, f)| (q, Some(f)));
    let is_checksum = |pair: &&str| pair.split('=').next() == Some("checksum");
    let Some(found) = query.split('&').find(is_checksum) else { return unchanged };
    let value = url::form_urlencoded::parse(found.as_bytes()).next().map(|(_, value)| value.into_owned());
    let rest: Vec<&str> = query.split('&').filter(|pair| !is_checksum(pair)).collect();
    let mut out = front.to_owned();
    if !rest.is_empty() {
        out.push('?');
        out.push_str(&rest.join("&"));
    }
    if let Some(fragment) = fragment {
        out.push('#');
        out.push_str(fragment);
    }
    (out, value)
}

/// The last part of a URL's or path's path: the name that lists of checksums use.
#[must_use]
pub(crate) fn base_name(url: &str) -> String {
    let path = match Url::parse(url) {
        // One letter is a drive on Windows.
        Ok(parsed) if parsed.scheme().len() > 1 => {
            String::from_utf8_lossy(&crate::egress::percent_decode(parsed.path())).into_owned()
        }
        _ => url.to_owned(),
    };
    path.trim_end_matches('/').rsplit(['/', '\\']).next().unwrap_or_default().to_owned()
}

/// Finds the digest for the file that `url` names in the text of a list of checksums.
///
/// An entry matches when its name, or the last part of its name, is the URL's base name; an exact name wins. Among
/// several types for one name the strongest wins. A list of one bare sum matches any name.
///
/// # Errors
/// [`ChecksumError::NotListed`].
pub fn find_in_listing(listing: &str, url: &str) -> Result<Digest, ChecksumError> {
    let wanted = base_name(url);
    let entries: Vec<(Option<&str>, Digest)> = listing.lines().filter_map(listing_line).collect();
    let strongest = |matches: &dyn Fn(&str) -> bool| {
        entries
            .iter()
            .filter(|(name, _)| name.is_some_and(matches))
            .max_by_key(|(_, digest)| digest.algorithm())
            .map(|(_, digest)| digest.clone())
    };
    let last = |name: &str| name.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
    strongest(&|name| name == wanted || name.strip_prefix("./") == Some(&wanted))
        .or_else(|| strongest(&|name| last(name) == wanted))
        .or_else(|| match entries.as_slice() {
            [(None, digest)] => Some(digest.clone()),
            _ => None,
        })
        .ok_or(ChecksumError::NotListed(wanted))
}

/// One line: its name, if it has one, and its digest. Comments, signatures and prose give nothing.
fn listing_line(line: &str) -> Option<(Option<&str>, Digest)> {
    let line = line.trim().trim_start_matches('\u{feff}');
    if let Some((front, sum)) = line.rsplit_once(" = ").or_else(|| line.rsplit_once(")= "))
        && let Some((kind, name)) = front.split_once('(')
    {
        let algorithm = Algorithm::by_name(kind.trim())?;
        return Some((Some(name.trim_end().trim_end_matches(')')), Digest::from_hex(algorithm, sum.trim())?));
    }
    // GNU coreutils begins a line with a backslash when it escaped the name.
    let line = line.strip_prefix('\\').unwrap_or(line);
    let (sum, name) = line.split_once([' ', '\t']).map_or((line, None), |(sum, name)| (sum, Some(name)));
    let digest = match sum.split_once(':') {
        Some((kind, hex)) => Digest::from_hex(Algorithm::by_name(kind)?, hex)?,
        None => Digest::from_hex(Algorithm::by_hex_length(sum.len())?, sum)?,
    };
    let name = name.map(|name| name.trim_start()).map(|name| name.strip_prefix('*').unwrap_or(name));
    Some((name.filter(|name| !name.is_empty()), digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MD5: &str = "900150983cd24fb0d6963f7d28e17f72";
    const SHA1: &str = "a9993e364706816aba3e25717850c26c9cd0d89d";
    const SHA256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const SHA512: &str = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";

    #[test]
    fn every_form_of_a_template_is_read() {
        for (text, normal) in [
            (format!("md5:{MD5}"), format!("md5:{MD5}")),
            (format!("sha1:{SHA1}"), format!("sha1:{SHA1}")),
            (format!("sha256:{SHA256}"), format!("sha256:{SHA256}")),
            (format!("SHA256:{}", SHA256.to_uppercase()), format!("sha256:{SHA256}")),
            (format!("sha512:{SHA512}"), format!("sha512:{SHA512}")),
            (MD5.to_owned(), format!("md5:{MD5}")),
            (SHA1.to_owned(), format!("sha1:{SHA1}")),
            (SHA256.to_owned(), format!("sha256:{SHA256}")),
            (format!(" {SHA512} "), format!("sha512:{SHA512}")),
            ("none".into(), "none".into()),
            ("NONE".into(), "none".into()),
            (String::new(), "none".into()),
            ("file:http://a.example/SHA256SUMS".into(), "file:http://a.example/SHA256SUMS".into()),
            ("file:./sums.txt".into(), "file:./sums.txt".into()),
            ("file:file:///x/sums".into(), "file:file:///x/sums".into()),
        ] {
            assert_eq!(Checksum::parse(&text).unwrap().to_string(), normal, "{text}");
        }
        for text in [
            "sha256:abc",
            "sha3:00",
            "xyz",
            "file:",
            "md5:zz0150983cd24fb0d6963f7d28e17f72",
            &format!("sha256:{MD5}"),
            &SHA256[1..],
            "md5:",
            ":",
        ] {
            assert!(Checksum::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_form_of_a_list_is_read() {
        let url = "https://mirror.example/pool/a%2Bb.iso?x=1#y";
        for listing in [
            format!("{SHA256}  a+b.iso\n"),
            format!("{SHA256} *a+b.iso\r\n"),
            format!("{SHA256}\ta+b.iso"),
            format!("# by hand\n{MD5}  other.iso\n{SHA256}  ./a+b.iso\n"),
            format!("{SHA256}  pool/a+b.iso"),
            format!("SHA256 (a+b.iso) = {SHA256}\nSHA256 (c.iso) = {}\n", SHA256.replace('b', "c")),
            format!("SHA2-256(a+b.iso)= {SHA256}"),
            format!("{MD5}  a+b.iso\n{SHA256}  a+b.iso\n{SHA1}  a+b.iso"),
            format!("{}  dir/a+b.iso\n{SHA256}  a+b.iso", SHA256.replace('a', "0")),
            format!(
                "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n{SHA256} *a+b.iso\n-----BEGIN PGP SIGNATURE-----\nabc"
            ),
            SHA256.to_owned(),
            format!("\n{}\n", SHA256.to_uppercase()),
        ] {
            assert_eq!(find_in_listing(&listing, url).unwrap().hex(), SHA256, "{listing}");
        }
        for listing in [
            String::new(),
            format!("{SHA256}  b.iso"),
            format!("{SHA256}\n{MD5}"),
            "<html>".into(),
            format!("{SHA256}  xa+b.iso"),
        ] {
            assert_eq!(
                find_in_listing(&listing, url),
                Err(ChecksumError::NotListed("a+b.iso".into())),
                "{listing}"
            );
        }
        assert_eq!(
            find_in_listing(&format!("{MD5}  with space.img"), "./dir/with space.img").unwrap().hex(),
            MD5
        );
    }

    #[test]
    fn the_query_form_is_taken_out_of_the_url() {
        for (url, rest, value) in [
            ("http://h/a.iso?checksum=md5:00", "http://h/a.iso", Some("md5:00")),
            ("http://h/a.iso?a=1&checksum=sha256%3Aff&b=%2F", "http://h/a.iso?a=1&b=%2F", Some("sha256:ff")),
            ("http://h/a.iso?a=1#f", "http://h/a.iso?a=1#f", None),
            ("http://h/a.iso?checksum=x#f", "http://h/a.iso#f", Some("x")),
            ("dir/a?checksum=x", "dir/a?checksum=x", None),
            ("http://h/a", "http://h/a", None),
        ] {
            assert_eq!(split_checksum_query(url), (rest.to_owned(), value.map(str::to_owned)), "{url}");
        }
    }

    #[test]
    fn verify_accepts_only_the_same_bytes() {
        let sum = Checksum::parse(SHA1).unwrap();
        assert_eq!(sum.verify(b"abc"), Ok(()));
        assert!(matches!(sum.verify(b"abd"), Err(ChecksumError::Mismatch { .. })));
        assert_eq!(Checksum::None.verify(b"x"), Ok(()));
        assert!(Checksum::parse("file:x").unwrap().verify(b"x").is_err());
    }
}
