use super::repair;
use kiln_plan::{ComponentRef, Kind};

/// A component, and its options of which each is taken by a fixer.
#[rustfmt::skip]
const REPAIRED: [(Kind, &str, &[&str], &str); 22] = [
    (Kind::Builder, "qemu", &["iso_md5"], "becomes an `iso_checksum`"),
    (Kind::Builder, "virtualbox", &["guest_additions_attach"], "`guest_additions_mode`"),
    (Kind::PostProcessor, "vagrant", &["aws", "digitalocean", "virtualbox", "vmware"], "`override`"),
    (Kind::Builder, "parallels-iso", &["headless"], "has no effect"),
    (Kind::Builder, "parallels-pvm", &["parallels_tools_host_path", "guest_os_distribution"], "`guest_os_type`"),
    (Kind::Builder, "null", &["ssh_key_path"], "`ssh_private_key_file`"),
    (Kind::Builder, "null", &["ssh_disable_agent"], "`ssh_disable_agent_forwarding`"),
    (Kind::Builder, "scaleway", &["access_key"], "`organization_id`"),
    (Kind::PostProcessor, "manifest", &["filename"], "`output`"),
    (Kind::Builder, "amazon-ebs", &["shutdown_behaviour"], "`shutdown_behavior`"),
    (Kind::Builder, "amazon-ebs", &["enhanced_networking"], "`ena_support`"),
    (Kind::Builder, "amazon-ebs", &["ssh_private_ip"], "`ssh_interface`"),
    (Kind::Builder, "amazon-ebs", &["temporary_security_group_source_cidr"], "with an s"),
    (Kind::PostProcessor, "docker-push", &["login_email"], "Docker"),
    (Kind::PostProcessor, "docker-tag", &["tag"], "`tags`"),
    (Kind::Builder, "hyperv-iso", &["vhd_temp_path"], "goes"),
    (Kind::Builder, "hyperv-vmcx", &["clone_from_vmxc_path"], "`clone_from_vmcx_path`"),
    (Kind::Builder, "hyperv-iso", &["cpu", "ram_size"], "`cpus` and `memory`"),
    (Kind::Builder, "amazon-instance", &["spot_price_auto_product"], "goes"),
    (Kind::Provisioner, "ansible-local", &["galaxycommand"], "`galaxy_command`"),
    (Kind::Builder, "virtualbox-iso", &["ssh_host_port_min", "ssh_host_port_max", "ssh_skip_nat_mapping"], "VirtualBox"),
    (Kind::Builder, "vsphere-iso", &["network", "network_card", "disk_size", "disk_thin_provisioned"], "`storage`"),
];

#[test]
fn an_option_that_a_fixer_takes_is_told_of() {
    for (kind, name, options, said) in REPAIRED {
        for option in options {
            let help = repair(&ComponentRef::new(kind, name), option).unwrap_or_default();
            assert!(help.contains(said), "{option} of {name}: {help:?}");
        }
    }
    let qemu = ComponentRef::new(Kind::Builder, "qemu");
    assert!(repair(&qemu, "iso_checksum_type").unwrap_or_default().contains("`iso_checksum_url`"));
    assert!(repair(&qemu, "ssh_host_port_min").unwrap_or_default().contains("QEMU"));
    assert!(repair(&qemu, "ssh_wait_timeout").unwrap_or_default().contains("`ssh_timeout`"));
}

/// What a fixer makes, changes or looks at stays, and so does what it takes from others.
#[test]
fn an_option_that_no_fixer_takes_is_not() {
    for (kind, name, options) in [
        (Kind::Builder, "qemu", ["cpu", "disk_size", "iso_checksum", "headless", "access_key", "filename"]),
        (
            Kind::Builder,
            "vmware-iso",
            ["disk_type_id", "remote_type", "skip_compaction", "tag", "network", "x"],
        ),
        (Kind::Builder, "amazon-ebs", ["ssh_interface", "ami_name", "ena_support", "tags", "override", ""]),
        (
            Kind::Provisioner,
            "shell",
            ["login_email", "iso_md5", "galaxycommand", "override", "inline", "tag"],
        ),
        (Kind::PostProcessor, "file", ["filename", "output", "tags", "vmware", "ssh_key_path", "content"]),
        (Kind::DataSource, "http", ["url", "iso_md5", "ssh_key_path", "login_email", "tag", "filename"]),
    ] {
        for option in options {
            let help = repair(&ComponentRef::new(kind, name), option);
            assert_eq!(help, None, "{option} of {name}");
        }
    }
}
