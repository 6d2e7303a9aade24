//! Fixers of builders that run a hypervisor of their own.

use super::step::{Step, kind, rename, text};
use serde_json::Value;

pub(super) fn guest_additions(builder: &mut Step) {
    if kind(builder) != "virtualbox" {
        return;
    }
    if let Some(attach) = builder.get("guest_additions_attach").and_then(Value::as_bool) {
        builder.remove("guest_additions_attach");
        let mode = if attach { "attach" } else { "upload" };
        builder.insert("guest_additions_mode".into(), mode.into());
    }
}

pub(super) fn virtualbox(builder: &mut Step) {
    retype(builder, "virtualbox", "virtualbox-iso");
}

pub(super) fn vmware(builder: &mut Step) {
    retype(builder, "vmware", "vmware-iso");
}

pub(super) fn proxmox(builder: &mut Step) {
    retype(builder, "proxmox", "proxmox-iso");
}

fn retype(builder: &mut Step, old: &str, new: &str) {
    if kind(builder) == old {
        builder.insert("type".into(), new.into());
    }
}

fn is_parallels(builder: &Step) -> bool {
    matches!(kind(builder), "parallels-iso" | "parallels-pvm")
}

pub(super) fn parallels_headless(builder: &mut Step) {
    if is_parallels(builder) {
        builder.remove("headless");
    }
}

pub(super) fn parallels_options(builder: &mut Step) {
    if is_parallels(builder) {
        builder.remove("parallels_tools_host_path");
        rename(builder, "guest_os_distribution", "guest_os_type");
    }
}

/// On an ESX host only thin disks can be compacted, and a disk is not thin by default.
pub(super) fn compaction(builder: &mut Step) {
    if kind(builder) != "vmware-iso" || text(builder, "remote_type") != Some("esx5") {
        return;
    }
    let disk = builder.entry("disk_type_id").or_insert_with(|| "zeroedthick".into());
    let thick = disk.as_str().is_some_and(|disk| disk != "thin");
    if thick && builder.get("skip_compaction").is_none_or(Value::is_boolean) {
        builder.insert("skip_compaction".into(), true.into());
    }
}

pub(super) fn vhd_temp_path(builder: &mut Step) {
    if kind(builder) == "hyperv-iso" {
        builder.remove("vhd_temp_path");
    }
}

pub(super) fn vmcx_path(builder: &mut Step) {
    if kind(builder) == "hyperv-vmcx" {
        rename(builder, "clone_from_vmxc_path", "clone_from_vmcx_path");
    }
}

pub(super) fn cpu_and_ram(builder: &mut Step) {
    if matches!(kind(builder), "hyperv-iso" | "hyperv-vmcx") {
        rename(builder, "cpu", "cpus");
        rename(builder, "ram_size", "memory");
    }
}

/// Numbers were megabytes; a part of one is dropped.
pub(super) fn disk_size(builder: &mut Step) {
    if kind(builder) != "qemu" {
        return;
    }
    if let Some(size) = builder.get("disk_size").and_then(Value::as_f64) {
        builder.insert("disk_size".into(), format!("{}M", size.trunc()).into());
    }
}
