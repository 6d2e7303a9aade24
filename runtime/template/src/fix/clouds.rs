//! Fixers of builders whose machines run elsewhere.

use super::step::{Step, kind, rename, succeed, text};
use serde_json::{Map, Value};

fn is_amazon(builder: &Step) -> bool {
    kind(builder).starts_with("amazon-")
}

pub(super) fn scaleway_key(builder: &mut Step) {
    if kind(builder) == "scaleway" {
        succeed(builder, "access_key", "organization_id", Value::is_string);
    }
}

pub(super) fn shutdown_behavior(builder: &mut Step) {
    if is_amazon(builder) {
        rename(builder, "shutdown_behaviour", "shutdown_behavior");
    }
}

pub(super) fn enhanced_networking(builder: &mut Step) {
    if is_amazon(builder) && builder.get("enhanced_networking").is_some_and(Value::is_boolean) {
        rename(builder, "enhanced_networking", "ena_support");
    }
}

/// A wish for an interface that is there already wins, whatever else is said.
pub(super) fn private_ip(builder: &mut Step) -> Result<(), String> {
    if !is_amazon(builder) || builder.contains_key("ssh_interface") {
        return Ok(());
    }
    let Some(wanted) = builder.get("ssh_private_ip") else { return Ok(()) };
    let private = match wanted {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) => go_truth(text),
        _ => None,
    };
    let private = private.ok_or("`ssh_private_ip` is neither true nor false")?;
    builder.remove("ssh_private_ip");
    let interface = if private { "private_ip" } else { "public_ip" };
    builder.insert("ssh_interface".into(), interface.into());
    Ok(())
}

/// A truth value as Go reads it.
fn go_truth(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

pub(super) fn source_cidrs(builder: &mut Step) {
    let old = "temporary_security_group_source_cidr";
    if let Some(cidr) = text(builder, old).filter(|_| is_amazon(builder)).map(str::to_owned) {
        builder.remove(old);
        builder.insert(format!("{old}s"), vec![cidr].into());
    }
}

pub(super) fn auto_product(builder: &mut Step) {
    let has_spots = ["amazon-ebs", "amazon-ebssurrogate", "amazon-ebsvolume", "amazon-instance"];
    if has_spots.contains(&kind(builder)) {
        builder.remove("spot_price_auto_product");
    }
}

pub(super) fn vsphere_devices(builder: &mut Step) {
    if kind(builder) == "vsphere-iso" {
        first_of(builder, "network_adapters", &["network", "network_card"]);
        first_of(builder, "storage", &["disk_size", "disk_thin_provisioned", "disk_eagerly_scrub"]);
    }
}

/// Moves options into a new object, the first of a list.
fn first_of(builder: &mut Step, list: &str, options: &[&str]) {
    // What is no list cannot get a first element; the validation says so.
    if builder.get(list).is_some_and(|there| !there.is_array()) {
        return;
    }
    let moved: Map<String, Value> =
        options.iter().filter_map(|name| builder.remove(*name).map(|v| ((*name).to_owned(), v))).collect();
    if moved.is_empty() {
        return;
    }
    let entry = builder.entry(list).or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(devices) = entry {
        devices.insert(0, moved.into());
    }
}

pub(super) fn exclude_from_latest(builder: &mut Step) {
    if kind(builder) == "azure-chroot"
        && let Some(Value::Object(destination)) = builder.get_mut("shared_image_destination")
    {
        rename(destination, "exlude_from_latest", "exclude_from_latest");
    }
}
