//! `cargo xtask setup`: Rust targets and Debian packages, installed if missing.
//!
//! Quick when nothing is missing (one `rustup`, one `dpkg-query`), so every other verb starts with
//! it. Without root it installs nothing and prints the command that would.

use crate::launch::Launch;
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

/// The target of the components.
pub(crate) const WASM: &str = "wasm32-wasip2";
/// Targets that the portable crates are checked for.
pub(crate) const PORTABLE: [&str; 2] = ["x86_64-pc-windows-gnu", "aarch64-apple-darwin"];

/// What building, the tests and the demo use.
const PACKAGES: &[&str] = &[
    // machines, and what kiln itself calls
    "qemu-system-x86",
    "qemu-utils",
    "ovmf",
    "swtpm",
    "xorriso",
    // what templates are compared with
    "packer",
    // the other end of SSH in tests
    "openssh-client",
    "openssh-server",
    "dropbear-bin",
    // independent readers of what kiln writes
    "genisoimage",
    "mtools",
    "zstd",
    "unzip",
    "lz4",
    "xz-utils",
    "bzip2",
    // what tests/differential compares with
    "packer",
    // tests/guest/make-guest.sh
    "busybox-static",
    "cpio",
    "dosfstools",
    "e2fsprogs",
    "fakeroot",
    "fdisk",
    "kmod",
    "syslinux",
    "syslinux-common",
    "isolinux",
    "systemd-boot-efi",
];

/// Everything but what only `bench` needs.
pub(crate) fn run() -> Result<()> {
    rust_targets(&[WASM])?;
    packages(PACKAGES)
}

/// Make sure of Rust targets.
pub(crate) fn rust_targets(wanted: &[&str]) -> Result<()> {
    let present = installed_targets();
    let missing: Vec<_> = wanted.iter().filter(|t| !present.contains(**t)).copied().collect();
    if missing.is_empty() {
        return Ok(());
    }
    Launch::new("rustup")
        .args(["target", "add"])
        .args(&missing)
        .run()
        .with_context(|| format!("missing Rust target; run: rustup target add {}", missing.join(" ")))
}

/// Targets whose standard library lies in the toolchain. The folder is asked, not rustup: a
/// toolchain that came from a package has no rustup.
fn installed_targets() -> BTreeSet<String> {
    let Ok(sysroot) = Launch::new("rustc").args(["--print", "sysroot"]).output() else {
        return BTreeSet::new();
    };
    let Ok(entries) = Path::new(sysroot.trim()).join("lib/rustlib").read_dir() else {
        return BTreeSet::new();
    };
    entries
        .flatten()
        .filter(|entry| entry.path().join("lib").is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

/// Make sure of Debian packages: install as root, else say what to run.
pub(crate) fn packages(wanted: &[&str]) -> Result<()> {
    let missing = missing_packages(wanted)?;
    if missing.is_empty() {
        return Ok(());
    }
    let install =
        format!("apt-get update && apt-get install -y --no-install-recommends {}", missing.join(" "));
    if !is_root() {
        bail!("missing packages; as root run:\n  {install}");
    }
    Launch::new("apt-get").args(["update", "-qq"]).run()?;
    Launch::new("apt-get")
        .args(["install", "-y", "-qq", "--no-install-recommends"])
        .args(&missing)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .run()
}

fn missing_packages<'a>(wanted: &[&'a str]) -> Result<Vec<&'a str>> {
    let found = Command::new("dpkg-query")
        .args(["-W", "-f", "${Package} ${db:Status-Status}\n"])
        .args(wanted)
        .stdin(Stdio::null())
        // It names each unknown package on stderr; the list below says the same.
        .stderr(Stdio::null())
        .output();
    let Ok(found) = found else {
        bail!(
            "no dpkg-query: this is not Debian; install by hand what these packages contain: {}",
            wanted.join(" ")
        );
    };
    let text = String::from_utf8_lossy(&found.stdout);
    let present: BTreeSet<_> = text.lines().filter_map(|line| line.strip_suffix(" installed")).collect();
    Ok(wanted.iter().filter(|name| !present.contains(**name)).copied().collect())
}

#[expect(unsafe_code, reason = "std cannot ask for the user's number")]
pub(crate) fn is_root() -> bool {
    // SAFETY: geteuid takes nothing and cannot fail.
    unsafe { libc::geteuid() == 0 }
}
