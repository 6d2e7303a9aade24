//! Hashes of files and streams, several at once in one read, and the checksums that users write.
//!
//! Main types: [`Digest`] (an algorithm and its bytes) and [`Checksum`] (what a template says). Invariant: a [`Digest`]
//! has exactly as many bytes as its algorithm gives, so comparing two can never succeed on a prefix.

mod checksum;
mod hasher;

use std::fmt;
use std::str::FromStr;

pub use checksum::{Checksum, ChecksumError, find_in_listing, split_checksum_query};
pub use hasher::{HashError, Hasher, hash_file, hash_reader};

/// A hash algorithm that Packer's templates can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// RFC 1321; for compatibility only.
    Md5,
    /// FIPS 180-4; for compatibility only.
    Sha1,
    /// FIPS 180-4.
    Sha224,
    /// FIPS 180-4.
    Sha256,
    /// FIPS 180-4.
    Sha384,
    /// FIPS 180-4.
    Sha512,
}

impl Algorithm {
    /// All of them, weakest first.
    pub const ALL: [Self; 6] =
        [Self::Md5, Self::Sha1, Self::Sha224, Self::Sha256, Self::Sha384, Self::Sha512];

    /// `md5`, `sha1`, … as written in templates.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha224 => "sha224",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// Bytes of its output.
    #[must_use]
    pub fn size(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// By name, whatever its case; `sha-256` and `SHA2-256` mean `sha256`.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase().replace("sha2-", "sha").replace('-', "");
        Self::ALL.into_iter().find(|a| a.name() == name)
    }

    /// The algorithm whose output has this many hexadecimal digits.
    #[must_use]
    pub fn by_hex_length(digits: usize) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.size() * 2 == digits)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An algorithm and its output. Displays as `sha256:hex` in lower case.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Digest {
    algorithm: Algorithm,
    bytes: Vec<u8>,
}

impl Digest {
    /// `None` unless `bytes` is exactly as long as the algorithm's output.
    #[must_use]
    pub fn new(algorithm: Algorithm, bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() == algorithm.size()).then_some(Self { algorithm, bytes })
    }

    /// From hexadecimal digits of either case; `None` for a wrong length or digit.
    #[must_use]
    pub fn from_hex(algorithm: Algorithm, hex: &str) -> Option<Self> {
        let bytes = unhex(hex)?;
        Self::new(algorithm, bytes)
    }

    /// Which algorithm.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The raw output.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Lower-case hexadecimal digits.
    #[must_use]
    pub fn hex(&self) -> String {
        hex(&self.bytes)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm, self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = ChecksumError;

    /// Reads `type:hex`.
    fn from_str(text: &str) -> Result<Self, ChecksumError> {
        match Checksum::parse(text)? {
            Checksum::Digest(digest) => Ok(digest),
            Checksum::None | Checksum::Listing(_) => {
                Err(ChecksumError::NotADigest(text.chars().take(200).collect()))
            }
        }
    }
}

/// Lower-case hexadecimal digits of `bytes`.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        // Writing into a String cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.bytes().all(|b| b.is_ascii_hexdigit()) || !text.len().is_multiple_of(2) {
        return None;
    }
    text.as_bytes()
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect()
}
