//! The host's side of a machine's disks: what is told when it has no space left.

use crate::capability::Trouble;
use kiln_machine::{Disk, DiskTrouble, MachineSpec};
use std::path::Path;
use std::sync::Arc;

/// A machine that cannot write stands still for ever: whoever waits for it is told why.
pub(super) async fn watch(
    spec: MachineSpec,
    trouble: impl Future<Output = Option<DiskTrouble>>,
    build: Arc<Trouble>,
) {
    let Some(trouble) = trouble.await else { return };
    let free = |disk: &Disk| Some((free_space(&disk.path)?, disk.path.display().to_string()));
    let fullest = spec.disks.iter().filter_map(free).min();
    let place =
        fullest.map_or_else(String::new, |(free, path)| format!("; {} KiB are free for {path}", free >> 10));
    let name = &spec.name;
    build.comes(match trouble.is_full {
        true => format!("the disk is full: the machine `{name}` cannot write and stands still{place}"),
        false => {
            format!(
                "the machine `{name}` cannot write to its disk ({}) and stands still{place}",
                trouble.reason
            )
        }
    });
}

/// What the file system of `path` has left for this user, in bytes.
#[cfg(unix)]
fn free_space(path: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(path).ok()?;
    found.f_bavail.checked_mul(found.f_frsize)
}

#[cfg(not(unix))]
fn free_space(_: &Path) -> Option<u64> {
    None
}
