//! The group `machine@1`: the hardware of a virtual machine, as [`kiln_machine::MachineSpec`].

use super::Options;
use crate::build::BuildInner;
use crate::designation;
use crate::error::CallResult;
use kiln_machine::{Accelerator, Display, MachineSpec, Network, Tpm, Vnc, efi_firmware};
use std::ffi::OsString;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// What a program of the user needs of the environment to run and to open a window; nothing else.
const PASSED_ON: [&str; 8] =
    ["PATH", "HOME", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR", "LANG", "TMPDIR"];

/// The hardware that the options describe. `directory` is the output, for the copy of the firmware's
/// variables; `guest_ports` are those to forward.
pub(crate) fn machine_spec(
    build: &BuildInner,
    options: Options<'_>,
    directory: &Path,
    guest_ports: Vec<u16>,
) -> CallResult<MachineSpec> {
    let network = match options.text("net_bridge") {
        Some(bridge) => Network::Bridge(bridge.to_owned()),
        None => Network::User { guest_ports, host_ports: host_ports(options)? },
    };
    let text = |name: &str, usual: &str| options.text(name).unwrap_or(usual).to_owned();
    Ok(MachineSpec {
        binary: binary(build, options),
        env: environment(build),
        machine_type: text("machine_type", "pc"),
        accelerator: match options.text("accelerator") {
            None => Accelerator::Probe,
            Some("none") => Accelerator::Unsaid,
            Some(name) => Accelerator::Named(name.to_owned()),
        },
        cpus: options.number("cpus")?,
        sockets: options.number("sockets")?,
        cores: options.number("cores")?,
        threads: options.number("threads")?,
        memory_mib: options.number("memory")?,
        cpu_model: options.string("cpu_model"),
        disk_interface: text("disk_interface", "virtio"),
        disk_cache: text("disk_cache", "writeback"),
        disk_discard: text("disk_discard", "ignore"),
        disk_detect_zeroes: text("disk_detect_zeroes", "off"),
        cdrom_interface: options.string("cdrom_interface"),
        net_device: text("net_device", "virtio-net"),
        network,
        display: display(build, options),
        vga: options.string("vga"),
        firmware: options.text("firmware").map(|text| firmware_path(build, text)),
        firmware_as_pflash: options.flag("use_pflash"),
        efi: efi(build, options, directory)?,
        tpm: options
            .flag("vtpm")
            .then(|| Tpm { device: text("tpm_device_type", "tpm-tis"), version1: options.flag("use_tpm1") }),
        vnc: vnc(options)?,
        ..MachineSpec::default()
    })
}

/// QEMU's own environment.
pub(crate) fn environment(build: &BuildInner) -> Vec<(OsString, OsString)> {
    let variables = &build.options().environment;
    PASSED_ON.iter().filter_map(|name| Some(((*name).into(), variables.get(*name)?.into()))).collect()
}

/// The program: a name is looked up on the user's PATH, a path is the user's.
fn binary(build: &BuildInner, options: Options<'_>) -> PathBuf {
    let name = options.text("qemu_binary").unwrap_or("qemu-system-x86_64");
    if name.contains('/') { designation::resolve(build, name) } else { PathBuf::from(name) }
}

/// Firmware may be a path or a name that QEMU finds by itself.
fn firmware_path(build: &BuildInner, text: &str) -> PathBuf {
    if text.contains('/') { designation::resolve(build, text) } else { PathBuf::from(text) }
}

fn efi(build: &BuildInner, options: Options<'_>, directory: &Path) -> CallResult<Option<kiln_machine::Efi>> {
    let path = |name: &str| options.text(name).map(|text| designation::resolve(build, text));
    let (code, vars) = (path("efi_firmware_code"), path("efi_firmware_vars"));
    if !options.flag("efi_boot") && code.is_none() && vars.is_none() {
        return Ok(None);
    }
    let copy = directory.join("efivars.fd");
    efi_firmware(code.as_deref(), vars.as_deref(), &copy)
        .map(Some)
        .map_err(|e| options.wrong("efi_boot", &e.to_string()))
}

fn display(build: &BuildInner, options: Options<'_>) -> Display {
    let variables = &build.options().environment;
    let has_window = variables.contains_key("DISPLAY") || variables.contains_key("WAYLAND_DISPLAY");
    match options.text("display") {
        _ if options.flag("headless") => Display::Headless,
        Some("none") => Display::Headless,
        Some(name) => Display::Named(name.to_owned()),
        None if options.flag("use_default_display") => Display::QemuDefault,
        // Packer asks for GTK and fails without a screen; the build does not need one.
        None if has_window => Display::Named("gtk".to_owned()),
        None => Display::Headless,
    }
}

fn vnc(options: Options<'_>) -> CallResult<Vnc> {
    let bind = options.text("vnc_bind_address").unwrap_or("127.0.0.1");
    let bind: IpAddr =
        bind.parse().map_err(|_| options.wrong("vnc_bind_address", &format!("`{bind}` is no IP address")))?;
    let password = options
        .flag("vnc_use_password")
        .then(|| options.string("vnc_password").unwrap_or_else(|| crate::secrets::random_hex(4)));
    Ok(Vnc { bind, ports: range(options, "vnc_port_min", "vnc_port_max", 5900..=6000)?, password })
}

fn host_ports(options: Options<'_>) -> CallResult<RangeInclusive<u16>> {
    if options.is_written("ssh_host_port_min") || options.is_written("ssh_host_port_max") {
        return range(options, "ssh_host_port_min", "ssh_host_port_max", 2222..=4444);
    }
    range(options, "host_port_min", "host_port_max", 2222..=4444)
}

/// A range of ports; what is not written is the usual.
pub(crate) fn range(
    options: Options<'_>,
    low: &str,
    high: &str,
    usual: RangeInclusive<u16>,
) -> CallResult<RangeInclusive<u16>> {
    let or = |number: u16, usual: u16| if number == 0 { usual } else { number };
    let (from, to) = (or(options.number(low)?, *usual.start()), or(options.number(high)?, *usual.end()));
    if from > to {
        return Err(options.wrong(low, &format!("`{low}` must not be greater than `{high}`")));
    }
    Ok(from..=to)
}
