//! Bootable guests for the demo and the tests, made once by `tests/guest/make-guest.sh`.
//!
//! What a guest is made of is its file name's stamp: a guest is made again when the script or its
//! options change, and never while it fits.

use crate::launch::Launch;
use crate::setup;
use crate::tree::Tree;
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// One kind of guest: file name without ending, and the options of the script.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    options: &'static [&'static str],
    iso: bool,
}

/// OpenSSH, and an installer ISO that writes the same disk.
pub(crate) const TINY: Kind = Kind { name: "tiny", options: &[], iso: true };
/// A server without SFTP, to test the other ways to copy files.
pub(crate) const DROPBEAR: Kind = Kind { name: "dropbear", options: &["--sshd", "dropbear"], iso: false };

/// A guest that is there.
pub(crate) struct Guest {
    pub(crate) disk: PathBuf,
    /// Private key whose public half every account of the guest accepts.
    pub(crate) key: PathBuf,
}

/// All guests that the tests use.
pub(crate) fn all(tree: &Tree) -> Result<()> {
    for kind in [&TINY, &DROPBEAR] {
        make(tree, kind)?;
    }
    Ok(())
}

/// The guest of a kind, made if it is not there or was made otherwise.
pub(crate) fn make(tree: &Tree, kind: &Kind) -> Result<Guest> {
    let dir = tree.guests();
    fs::create_dir_all(&dir).with_context(|| format!("creating {}", dir.display()))?;
    let guest = Guest { disk: dir.join(kind.name).with_extension("qcow2"), key: key(tree)? };
    let sources = tree.root.join("tests/guest");
    let wanted = stamp(&sources, kind, &fs::read(guest.key.with_extension("pub"))?)?;
    let stamp_file = dir.join(kind.name).with_extension("stamp");
    let iso = dir.join(kind.name).with_extension("iso");
    let fits = guest.disk.exists()
        && (!kind.iso || iso.exists())
        && fs::read_to_string(&stamp_file).is_ok_and(|found| found == wanted);
    if fits {
        return Ok(guest);
    }
    // Without a stamp, a half-made guest is made again.
    let _ = fs::remove_file(&stamp_file);
    setup::run()?;
    let mut launch = Launch::new("bash")
        .args([sources.join("make-guest.sh")])
        .args(kind.options)
        .arg_path("--key", &guest.key.with_extension("pub"))
        .arg_path("--cache", &dir.join("debs"));
    if kind.iso {
        launch = launch.arg_path("--iso", &iso);
    }
    launch.args([&guest.disk]).run()?;
    fs::write(&stamp_file, wanted)?;
    Ok(guest)
}

/// The key pair of all test guests, made once.
fn key(tree: &Tree) -> Result<PathBuf> {
    let key = tree.guests().join("id_ed25519");
    if !key.exists() {
        Launch::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", "kiln-test", "-f"])
            .args([&key])
            .run()?;
    }
    Ok(key)
}

/// A digest of everything that decides what the guest is, except the packages' versions.
fn stamp(sources: &Path, kind: &Kind, key: &[u8]) -> Result<String> {
    let mut hash = Sha256::new();
    let mut open = vec![sources.to_path_buf()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let mut entries: Vec<_> = fs::read_dir(&path)?.flatten().map(|entry| entry.path()).collect();
            entries.sort();
            open.extend(entries);
        } else {
            hash.update(path.strip_prefix(sources)?.to_string_lossy().as_bytes());
            hash.update(fs::read(&path)?);
        }
    }
    hash.update(key);
    hash.update(kind.options.join("\0"));
    hash.update([u8::from(kind.iso)]);
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
