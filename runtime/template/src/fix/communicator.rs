//! Fixers of the options of communicators.

use super::step::{Step, any, kind, rename, succeed};
use serde_json::Value;

pub(super) fn key_path(builder: &mut Step) {
    succeed(builder, "ssh_key_path", "ssh_private_key_file", Value::is_string);
}

pub(super) fn disable_agent(builder: &mut Step) {
    succeed(builder, "ssh_disable_agent", "ssh_disable_agent_forwarding", Value::is_boolean);
}

pub(super) fn wait_timeout(builder: &mut Step) {
    succeed(builder, "ssh_wait_timeout", "ssh_timeout", Value::is_string);
}

pub(super) fn virtualbox_ports(builder: &mut Step) {
    if kind(builder).starts_with("virtualbox") {
        succeed(builder, "ssh_host_port_min", "host_port_min", any);
        succeed(builder, "ssh_host_port_max", "host_port_max", any);
        succeed(builder, "ssh_skip_nat_mapping", "skip_nat_mapping", Value::is_boolean);
    }
}

pub(super) fn qemu_ports(builder: &mut Step) {
    if kind(builder) == "qemu" {
        rename(builder, "ssh_host_port_min", "host_port_min");
        rename(builder, "ssh_host_port_max", "host_port_max");
    }
}
