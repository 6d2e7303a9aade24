//! The options that this component reads itself; the host reads its groups' own.

use kiln_sdk::hypervisor::ImageFormat;
use serde::Deserialize;
use std::collections::BTreeMap;

/// As `schema.json` and the host's groups have them.
#[derive(Deserialize)]
pub(crate) struct Options {
    vm_name: Option<String>,
    pub(crate) format: String,
    pub(crate) disk_size: String,
    #[serde(default)]
    pub(crate) disk_additional_size: Vec<String>,
    pub(crate) disk_image: bool,
    pub(crate) use_backing_file: bool,
    skip_resize_disk: bool,
    skip_compaction: bool,
    disk_compression: bool,
    #[serde(default)]
    pub(crate) qemu_img_args: QemuImgArgs,
    #[serde(default)]
    pub(crate) efi_drop_efivars: bool,
    pub(crate) accelerator: Option<String>,
    pub(crate) http_directory: Option<String>,
    #[serde(default)]
    pub(crate) http_content: BTreeMap<String, String>,
    shutdown_command: Option<String>,
    #[serde(default)]
    pub(crate) shutdown_timeout: String,
    pub(crate) communicator: Option<String>,
    ssh_port: Option<u16>,
    ssh_password: Option<String>,
    ssh_private_key_file: Option<String>,
    #[serde(default)]
    ssh_agent_auth: bool,
    #[serde(default)]
    skip_nat_mapping: bool,
    net_bridge: Option<String>,
}

/// The block `qemu_img_args`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct QemuImgArgs {
    pub(crate) create: Vec<String>,
    pub(crate) convert: Vec<String>,
    pub(crate) resize: Vec<String>,
}

impl Options {
    /// The machine's name, which is the disk's file name, too.
    pub(crate) fn machine_name(&self, source: &str) -> String {
        written(&self.vm_name).map_or_else(|| format!("packer-{source}"), str::to_owned)
    }

    pub(crate) fn image_format(&self) -> ImageFormat {
        if self.format == "raw" { ImageFormat::Raw } else { ImageFormat::Qcow2 }
    }

    /// The disk's size if a disk image is to get another.
    pub(crate) fn resize(&self) -> Option<String> {
        (self.disk_image && !self.skip_resize_disk).then(|| size(&self.disk_size))
    }

    /// Whether the image is written anew at the end. One on a backing file is to stay on it.
    pub(crate) fn compacts(&self) -> bool {
        !self.skip_compaction && !self.use_backing_file
    }

    pub(crate) fn compresses(&self) -> bool {
        self.disk_compression && self.format != "raw"
    }

    fn is_ssh(&self) -> bool {
        matches!(self.communicator.as_deref(), None | Some("" | "ssh"))
    }

    /// Whether nothing else is written to log in with, so that the build makes a key.
    pub(crate) fn needs_key(&self) -> bool {
        let other = written(&self.ssh_password).or(written(&self.ssh_private_key_file)).is_some();
        self.is_ssh() && !other && !self.ssh_agent_auth
    }

    /// The guest's port that a port of loopback leads to.
    pub(crate) fn forwarded_port(&self) -> Option<u16> {
        let forwards = self.is_ssh() && !self.skip_nat_mapping && written(&self.net_bridge).is_none();
        forwards.then(|| self.ssh_port.filter(|port| *port != 0).unwrap_or(22))
    }

    pub(crate) fn has_shutdown_command(&self) -> bool {
        written(&self.shutdown_command).is_some()
    }
}

/// Empty text counts as not written.
fn written(option: &Option<String>) -> Option<&str> {
    option.as_deref().filter(|text| !text.is_empty())
}

/// A size in QEMU's notation: a bare number counts MiB.
pub(crate) fn size(text: &str) -> String {
    let bare = text.bytes().all(|byte| byte.is_ascii_digit());
    if bare { format!("{text}M") } else { text.to_owned() }
}

/// Whether it is a number with at most one of QEMU's suffixes.
pub(crate) fn is_size(text: &str) -> bool {
    let number = text.strip_suffix(|c: char| "bkmgtBKMGT".contains(c)).unwrap_or(text);
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(written: &str) -> Options {
        kiln_sdk::testing::options(include_str!("../schema.json"), written).unwrap()
    }

    #[test]
    fn sizes_are_qemus() {
        assert_eq!((size("5000"), size("10G")), ("5000M".to_owned(), "10G".to_owned()));
        assert!(is_size("10G") && is_size("5000") && is_size("1t"));
        assert!(!is_size("G") && !is_size("10GB") && !is_size("") && !is_size("-1"));
    }

    #[test]
    fn a_key_is_made_only_if_nothing_else_logs_in() {
        assert!(options("{}").needs_key());
        for other in [r#"{"ssh_password":"p"}"#, r#"{"ssh_agent_auth":true}"#, r#"{"communicator":"none"}"#] {
            assert!(!options(other).needs_key(), "{other}");
        }
    }

    #[test]
    fn ports_and_names() {
        assert_eq!(options("{}").forwarded_port(), Some(22));
        assert_eq!(options(r#"{"ssh_port":2200}"#).forwarded_port(), Some(2200));
        assert_eq!(options(r#"{"net_bridge":"br0"}"#).forwarded_port(), None);
        assert_eq!(options(r#"{"communicator":"none"}"#).forwarded_port(), None);
        assert_eq!(options(r#"{"vm_name":""}"#).machine_name("a"), "packer-a");
    }

    #[test]
    fn a_backing_file_stays() {
        assert!(options("{}").compacts());
        assert!(!options(r#"{"use_backing_file":true}"#).compacts());
        assert!(!options(r#"{"disk_compression":true,"format":"raw"}"#).compresses());
        assert_eq!(options(r#"{"disk_image":true,"disk_size":"9"}"#).resize().as_deref(), Some("9M"));
        assert_eq!(options(r#"{"disk_image":true,"skip_resize_disk":true}"#).resize(), None);
    }
}
