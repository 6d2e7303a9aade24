//! UEFI firmware files: where distributions put them, and the machine's own copy of the variables.

#![expect(clippy::disallowed_methods, reason = "firmware is copied from the host's files")]

use super::VmError;
use super::spec::Efi;
use std::path::{Path, PathBuf};

/// Code and variables that belong together, in the order of preference: Packer's default, then what
/// Debian, Ubuntu, Fedora and Arch install today.
const PAIRS: &[(&str, &str)] = &[
    ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"),
    ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
    ("/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"),
    ("/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"),
];

/// Finds the firmware and copies its variables to `vars_copy` (Packer: `OUT/efivars.fd`). A path that
/// is given but does not exist is replaced by its `_4M` twin if that exists.
///
/// # Errors
/// [`VmError::Firmware`].
pub fn efi_firmware(code: Option<&Path>, vars: Option<&Path>, vars_copy: &Path) -> Result<Efi, VmError> {
    let defaults = PAIRS.iter().find(|(code, vars)| Path::new(code).exists() && Path::new(vars).exists());
    let pick = |given: Option<&Path>, default: Option<&str>, what: &str| -> Result<PathBuf, VmError> {
        match given {
            Some(path) => {
                existing(path).ok_or_else(|| VmError::Firmware(format!("{} does not exist", path.display())))
            }
            None => default.map(PathBuf::from).ok_or_else(|| {
                VmError::Firmware(format!(
                    "no UEFI {what} found; install it (`apt-get install ovmf`) or name it"
                ))
            }),
        }
    };
    let code = pick(code, defaults.map(|pair| pair.0), "code")?;
    let vars = pick(vars, defaults.map(|pair| pair.1), "variables")?;
    let bytes = std::fs::read(&vars)
        .map_err(|error| VmError::Firmware(format!("could not read {}: {error}", vars.display())))?;
    // Written anew and not copied, because the original is often read-only and the copy must not be.
    std::fs::write(vars_copy, bytes)
        .map_err(|error| VmError::Firmware(format!("could not write {}: {error}", vars_copy.display())))?;
    Ok(Efi { code, vars: vars_copy.to_owned() })
}

fn existing(path: &Path) -> Option<PathBuf> {
    if path.exists() {
        return Some(path.to_owned());
    }
    let stem = path.file_stem()?.to_str()?;
    let twin = path.with_file_name(format!("{stem}_4M.fd"));
    twin.exists().then_some(twin)
}
