//! The hashing itself: one read, any number of algorithms, progress and cancel on the way.
//!
//! Invariant: a result is returned only for input read to its end; a cancelled or failed read gives an error.

use std::fs::File;
use std::io::{self, Read, Seek};

use md5::Digest as _;
use tokio_util::sync::CancellationToken;

use super::{Algorithm, Digest};
use crate::Progress;
use crate::blocking::{Stopped, on_blocking};

/// Bytes per read: large enough that the system call disappears, small enough for the L2 cache.
const CHUNK: usize = 256 * 1024;

/// Why there is no hash.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HashError {
    /// The input could not be read.
    #[error("cannot read the data to hash: {0}")]
    Read(#[from] io::Error),
    /// The caller cancelled.
    #[error("cancelled")]
    Cancelled,
}

impl From<Stopped> for HashError {
    fn from(_: Stopped) -> Self {
        Self::Cancelled
    }
}

enum State {
    Md5(md5::Md5),
    Sha1(sha1::Sha1),
    Sha224(sha2::Sha224),
    Sha256(sha2::Sha256),
    Sha384(sha2::Sha384),
    Sha512(sha2::Sha512),
}

/// One algorithm under way.
pub struct Hasher {
    algorithm: Algorithm,
    state: State,
}

impl Hasher {
    /// Starts with no data.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        let state = match algorithm {
            Algorithm::Md5 => State::Md5(md5::Md5::new()),
            Algorithm::Sha1 => State::Sha1(sha1::Sha1::new()),
            Algorithm::Sha224 => State::Sha224(sha2::Sha224::new()),
            Algorithm::Sha256 => State::Sha256(sha2::Sha256::new()),
            Algorithm::Sha384 => State::Sha384(sha2::Sha384::new()),
            Algorithm::Sha512 => State::Sha512(sha2::Sha512::new()),
        };
        Self { algorithm, state }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, data: &[u8]) {
        match &mut self.state {
            State::Md5(s) => s.update(data),
            State::Sha1(s) => s.update(data),
            State::Sha224(s) => s.update(data),
            State::Sha256(s) => s.update(data),
            State::Sha384(s) => s.update(data),
            State::Sha512(s) => s.update(data),
        }
    }

    /// The digest of everything taken.
    #[must_use]
    pub fn finish(self) -> Digest {
        let bytes = match self.state {
            State::Md5(s) => s.finalize().to_vec(),
            State::Sha1(s) => s.finalize().to_vec(),
            State::Sha224(s) => s.finalize().to_vec(),
            State::Sha256(s) => s.finalize().to_vec(),
            State::Sha384(s) => s.finalize().to_vec(),
            State::Sha512(s) => s.finalize().to_vec(),
        };
        Digest { algorithm: self.algorithm, bytes }
    }
}

/// Hashes what `reader` gives, blocking, in the order of `algorithms`. `done` hears how many bytes were read so far.
///
/// # Errors
/// [`HashError::Read`], or [`HashError::Cancelled`] between two reads.
pub fn hash_reader(
    reader: &mut dyn Read,
    algorithms: &[Algorithm],
    done: &dyn Fn(u64),
    cancel: &CancellationToken,
) -> Result<Vec<Digest>, HashError> {
    let mut hashers: Vec<Hasher> = algorithms.iter().copied().map(Hasher::new).collect();
    let mut chunk = vec![0; CHUNK];
    let mut total = 0;
    loop {
        if cancel.is_cancelled() {
            return Err(HashError::Cancelled);
        }
        let count = match reader.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => count,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e.into()),
        };
        let data = chunk.get(..count).unwrap_or_default();
        feed(&mut hashers, data);
        total += count as u64;
        done(total);
    }
    Ok(hashers.into_iter().map(Hasher::finish).collect())
}

/// One chunk into every hasher; several run beside each other when the chunk is worth the threads.
fn feed(hashers: &mut [Hasher], data: &[u8]) {
    if hashers.len() < 2 || data.len() < CHUNK {
        hashers.iter_mut().for_each(|h| h.update(data));
        return;
    }
    let threads = crate::blocking::threads().min(hashers.len());
    let share = hashers.len().div_ceil(threads);
    std::thread::scope(|scope| {
        for group in hashers.chunks_mut(share) {
            scope.spawn(move || group.iter_mut().for_each(|h| h.update(data)));
        }
    });
}

/// Hashes an opened file from its beginning, on a blocking thread. The results are in the order of `algorithms`.
///
/// # Errors
/// As [`hash_reader`].
pub async fn hash_file(
    mut file: File,
    algorithms: &[Algorithm],
    progress: Progress,
    cancel: CancellationToken,
) -> Result<Vec<Digest>, HashError> {
    let algorithms = algorithms.to_vec();
    on_blocking(move || {
        file.rewind()?;
        let total = file.metadata()?.len();
        hash_reader(&mut file, &algorithms, &|done| progress(done, Some(total)), &cancel)
    })
    .await?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers_for_abc() {
        // FIPS 180-4 and RFC 1321 examples.
        let expected = [
            "900150983cd24fb0d6963f7d28e17f72",
            "a9993e364706816aba3e25717850c26c9cd0d89d",
            "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        ];
        let found =
            hash_reader(&mut &b"abc"[..], &Algorithm::ALL, &|_| (), &CancellationToken::new()).unwrap();
        assert_eq!(found.iter().map(Digest::hex).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn many_at_once_equal_one_at_a_time() {
        let data: Vec<u8> = (0..3_000_001u32).map(|i| ((i * 31) >> 3) as u8).collect();
        let never = CancellationToken::new();
        let together = hash_reader(&mut &data[..], &Algorithm::ALL, &|_| (), &never).unwrap();
        for (digest, algorithm) in together.iter().zip(Algorithm::ALL) {
            let alone = hash_reader(&mut &data[..], &[algorithm], &|_| (), &never).unwrap();
            assert_eq!(alone, std::slice::from_ref(digest));
        }
    }

    #[test]
    fn cancel_stops_an_endless_read() {
        let cancel = CancellationToken::new();
        let stop = cancel.clone();
        let done = move |n: u64| {
            if n > 1 << 20 {
                stop.cancel()
            }
        };
        let error = hash_reader(&mut io::repeat(0), &[Algorithm::Sha256], &done, &cancel).unwrap_err();
        assert!(matches!(error, HashError::Cancelled));
    }
}
