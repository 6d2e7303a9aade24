//! What Packer's qemu builder checks before it starts, and a schema cannot say.

use crate::options::is_size;
use kiln_sdk::{Findings, Unchecked, groups};

/// All checks.
pub(crate) fn validate(options: &Unchecked, findings: &mut Findings) {
    groups::communicator(options, findings, true, true);
    groups::iso(options, findings);
    groups::http(options, findings);
    groups::boot_command(options, findings);
    groups::shutdown(options, findings);
    disk(options, findings);
    ports(options, findings);
    machine(options, findings);
}

fn disk(options: &Unchecked, findings: &mut Findings) {
    let help = "a number of MiB, or with a suffix: 10G";
    let size = options.text("/disk_size").filter(|size| !size.contains("{{"));
    if size.is_some_and(|size| !is_size(size)) {
        findings.error("/disk_size", "this is no size of a disk", help);
    }
    for (pointer, size) in options.items("/disk_additional_size") {
        if size.as_str().is_some_and(|size| !is_size(size) && !size.contains("{{")) {
            findings.error(&pointer, "this is no size of a disk", help);
        }
    }
    let disk_image = options.may_be_true("/disk_image");
    if options.is_true("/use_backing_file") {
        if !disk_image {
            findings.error("/use_backing_file", "`use_backing_file` needs `disk_image = true`", "");
        }
        if options.text("/format") == Some("raw") {
            findings.error("/use_backing_file", "`use_backing_file` needs the format qcow2", "");
        }
    }
    if options.is_true("/skip_resize_disk") && !disk_image {
        findings.error("/skip_resize_disk", "`skip_resize_disk` needs `disk_image = true`", "");
    }
    if options.is_true("/disk_compression") && options.text("/format") == Some("raw") {
        findings.warning("/disk_compression", "a raw image cannot be compressed", "");
    }
}

fn ports(options: &Unchecked, findings: &mut Findings) {
    findings.range(options, "host_port_min", "host_port_max");
    findings.range(options, "ssh_host_port_min", "ssh_host_port_max");
    findings.range(options, "vnc_port_min", "vnc_port_max");
    for (name, lowest) in [("host_port_min", 1.0), ("vnc_port_min", 5900.0)] {
        let pointer = format!("/{name}");
        if options.number(&pointer).is_some_and(|port| port < lowest) {
            findings.error(&pointer, &format!("`{name}` must be at least {lowest}"), "");
        }
    }
}

fn machine(options: &Unchecked, findings: &mut Findings) {
    if options.is_set("/net_bridge") && options.is_true("/skip_nat_mapping") {
        findings.warning("/skip_nat_mapping", "a bridged machine has no port forwards to skip", "");
    }
    if options.text("/accelerator") == Some("none") {
        findings.warning(
            "/accelerator",
            "without an accelerator the machine is slow",
            "leave it out for the best there is",
        );
    }
    let firmware = options.is_set("/efi_firmware_code") != options.is_set("/efi_firmware_vars");
    if firmware {
        findings.error(
            "/efi_firmware_code",
            "`efi_firmware_code` and `efi_firmware_vars` go together",
            "set both or none",
        );
    }
    if options.is_true("/use_tpm1") && !options.may_be_true("/vtpm") {
        findings.error("/use_tpm1", "`use_tpm1` needs `vtpm = true`", "");
    }
    for (pointer, argument) in options.items("/qemuargs") {
        if argument.as_array().is_some_and(Vec::is_empty) {
            findings.error(&pointer, "a QEMU argument is `[switch]` or `[switch, value]`", "");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found besides the good options of every case.
    fn lines(own: &str) -> Vec<String> {
        let mut all = serde_json::json!({
            "iso_url": "a.iso", "iso_checksum": "none", "ssh_username": "u", "disk_size": "40960M",
        });
        let own: serde_json::Value = serde_json::from_str(own).unwrap();
        all.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
        let mut findings = Findings::default();
        validate(&Unchecked::new(&all.to_string()), &mut findings);
        findings.lines()
    }

    #[test]
    fn good_options_pass() {
        assert_eq!(lines("{}"), [""; 0]);
        assert_eq!(lines(r#"{"disk_image":true,"use_backing_file":true,"skip_resize_disk":true}"#), [""; 0]);
        assert_eq!(lines(r#"{"use_backing_file":true,"disk_image":{"$kiln":"unknown"}}"#), [""; 0]);
        assert_eq!(lines(r#"{"communicator":"none","ssh_username":null}"#), [""; 0]);
    }

    #[test]
    fn each_mistake_is_found() {
        for (options, pointer) in [
            (r#"{"disk_size":"ten"}"#, "/disk_size"),
            (r#"{"disk_additional_size":["1G","x"]}"#, "/disk_additional_size/1"),
            (r#"{"use_backing_file":true}"#, "/use_backing_file"),
            (r#"{"use_backing_file":true,"disk_image":true,"format":"raw"}"#, "/use_backing_file"),
            (r#"{"skip_resize_disk":true}"#, "/skip_resize_disk"),
            (r#"{"host_port_min":5000,"host_port_max":4000}"#, "/host_port_min"),
            (r#"{"vnc_port_min":80}"#, "/vnc_port_min"),
            (r#"{"boot_command":["a"],"boot_steps":[["b"]]}"#, "/boot_steps"),
            (r#"{"http_directory":"a","http_content":{"b":"c"}}"#, "/http_content"),
            (r#"{"shutdown_timeout":"soon"}"#, "/shutdown_timeout"),
            (r#"{"qemuargs":[["-m","1"],[]]}"#, "/qemuargs/1"),
            (r#"{"efi_firmware_code":"x"}"#, "/efi_firmware_code"),
        ] {
            let found = lines(options);
            assert!(
                found.len() == 1 && found[0].starts_with(&format!("{pointer}: ")),
                "{options}: {found:?}"
            );
        }
    }
}
