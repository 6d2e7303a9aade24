//! Support for tests that use the built kiln as a user does: a project folder of its own, a home of
//! its own, and the real counterparts (sshd, QEMU guests).
//!
//! What is missing fails loudly and says which command provides it.

mod guest;
mod project;
mod sshd;
mod terminal;

pub use guest::Guest;
pub use project::{Finished, Project, Running, wait_until};
pub use sshd::Sshd;
pub use terminal::{Terminal, replayed};

use std::path::PathBuf;

/// Cargo's target folder, where `cargo xtask` leaves kiln, components and guests.
pub fn target() -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir))
}

/// A file below the target folder that a command of the repository makes.
///
/// # Panics
/// If it is not there, with the command that makes it.
pub fn made(path: &str, command: &str) -> PathBuf {
    let file = target().join(path);
    assert!(file.exists(), "{} is missing; run `{command}` first", file.display());
    file.canonicalize().unwrap()
}

/// The user who runs the tests.
pub fn user() -> String {
    let output = std::process::Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
