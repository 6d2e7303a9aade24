//! A [`MachineSpec`] and what was chosen for this start → QEMU's arguments. Pure.
//!
//! Invariant: the same input gives the same list, in the same order. The user's rows (`qemuargs`) are
//! merged as Packer does: a switch that occurs in them replaces every generated value of that switch.
//! kiln's own control connection and serial log are added after the merge.

use super::spec::{Display, MachineSpec, Network, Ports};
use std::path::Path;

/// What is decided anew for every start.
#[derive(Debug)]
pub(crate) struct Chosen<'a> {
    /// Nothing leaves the choice to QEMU.
    pub(crate) accelerator: Option<&'a str>,
    pub(crate) ports: &'a Ports,
    /// kiln listens here, QEMU connects.
    pub(crate) control: &'a Path,
    pub(crate) serial: &'a Path,
    pub(crate) tpm_socket: Option<&'a Path>,
    pub(crate) rows: &'a [Vec<String>],
}

type Switches = Vec<(String, Vec<String>)>;

pub(crate) fn arguments(spec: &MachineSpec, chosen: &Chosen<'_>) -> Vec<String> {
    let mut switches = generated(spec, chosen);
    merge(&mut switches, chosen.rows, &spec.net_device);
    let has = |name: &str| switches.iter().any(|(switch, _)| switch == name);
    let mut own = Switches::new();
    if !has("-serial") && !has("-nographic") {
        own.push(("-serial".into(), vec![format!("file:{}", escaped(chosen.serial))]));
    }
    if !chosen.rows.iter().flatten().any(|word| makes_sound(word)) {
        // Without it the PC speaker makes QEMU look for the host's sound and warn.
        own.push(("-audiodev".into(), vec!["none,id=silence".into()]));
    }
    let control = format!("unix:{}", escaped(chosen.control));
    switches.extend(own);
    let mut list = flatten(&switches);
    list.extend(["-qmp".into(), control]);
    list
}

fn makes_sound(word: &str) -> bool {
    ["audio", "soundhw", "hda", "AC97", "sb16", "ES1370", "pcspk"].iter().any(|name| word.contains(name))
}

/// A comma ends a value in QEMU's option syntax unless it is doubled.
pub(crate) fn escaped(path: &Path) -> String {
    path.to_string_lossy().replace(',', ",,")
}

fn generated(spec: &MachineSpec, chosen: &Chosen<'_>) -> Switches {
    let mut switches = Switches::new();
    let mut put = |switch: &str, values: Vec<String>| {
        if !values.is_empty() {
            switches.push((switch.to_owned(), values));
        }
    };
    put("-name", vec![spec.name.clone()]);
    put("-machine", vec![machine(spec, chosen.accelerator)]);
    put("-m", vec![format!("{}M", spec.memory_mib)]);
    put("-smp", vec![processors(spec)]);
    put("-cpu", spec.cpu_model.iter().cloned().collect());
    if spec.efi.is_none() {
        put("-boot", vec![if spec.boot_from_cd { "once=d" } else { "c" }.into()]);
        let bios = spec.firmware.as_deref().filter(|_| !spec.firmware_as_pflash);
        put("-bios", bios.map(|path| path.display().to_string()).into_iter().collect());
    }
    put("-drive", drives(spec));
    put("-fda", spec.floppy.iter().map(|path| path.display().to_string()).collect());
    put("-netdev", vec![network(spec, chosen.ports)]);
    put(
        "-chardev",
        chosen.tpm_socket.map(|at| format!("socket,id=vtpm,path={}", escaped(at))).into_iter().collect(),
    );
    put("-tpmdev", chosen.tpm_socket.map(|_| "emulator,id=tpm0,chardev=vtpm".into()).into_iter().collect());
    put("-device", devices(spec, chosen.tpm_socket.is_some()));
    put("-vga", spec.vga.iter().cloned().collect());
    put(
        "-display",
        match &spec.display {
            Display::Headless => vec!["none".into()],
            Display::QemuDefault => Vec::new(),
            Display::Named(name) => vec![name.clone()],
        },
    );
    let password = if spec.vnc.password.is_some() { ",password=on" } else { "" };
    let bind = match spec.vnc.bind {
        std::net::IpAddr::V4(address) => address.to_string(),
        std::net::IpAddr::V6(address) => format!("[{address}]"),
    };
    put("-vnc", vec![format!("{bind}:{}{password}", chosen.ports.vnc.saturating_sub(5900))]);
    put(
        "-qmp",
        spec.qmp_socket.iter().map(|at| format!("unix:{},server=on,wait=off", escaped(at))).collect(),
    );
    switches
}

fn machine(spec: &MachineSpec, accelerator: Option<&str>) -> String {
    match accelerator {
        Some(accelerator) => format!("type={},accel={accelerator}", spec.machine_type),
        None => format!("type={}", spec.machine_type),
    }
}

/// `-smp`: the CPUs never exceed what the given topology holds, and default to it.
fn processors(spec: &MachineSpec) -> String {
    let given = [("sockets", spec.sockets), ("cores", spec.cores), ("threads", spec.threads)];
    let topology = given.iter().fold(1_u32, |product, (_, count)| product.saturating_mul((*count).max(1)));
    let any = given.iter().any(|(_, count)| *count > 0);
    let cpus = match (spec.cpus, any) {
        (0, true) => topology,
        (0, false) => 1,
        (cpus, true) => cpus.min(topology),
        (cpus, false) => cpus,
    };
    let parts = given.iter().filter(|(_, count)| *count > 0).map(|(name, count)| format!(",{name}={count}"));
    std::iter::once(cpus.to_string()).chain(parts).collect()
}

fn drives(spec: &MachineSpec) -> Vec<String> {
    let mut drives = Vec::new();
    for (index, disk) in spec.disks.iter().enumerate() {
        let file = escaped(&disk.path);
        let mut tail =
            format!("cache={},discard={},format={}", spec.disk_cache, spec.disk_discard, disk.format);
        if spec.disk_detect_zeroes != "off" && !spec.disk_detect_zeroes.is_empty() {
            tail = format!("{tail},detect-zeroes={}", spec.disk_detect_zeroes);
        }
        drives.push(match spec.disk_interface.as_str() {
            "virtio-scsi" => format!("if=none,file={file},id=drive{index},{tail}"),
            interface => format!("file={file},if={interface},{tail}"),
        });
    }
    for (index, path) in spec.cdroms.iter().enumerate() {
        let file = escaped(path);
        drives.push(match spec.cdrom_interface.as_deref() {
            None | Some("") => format!("file={file},media=cdrom"),
            Some("virtio-scsi") => format!("file={file},if=none,index={index},id=cdrom{index},media=cdrom"),
            Some(interface) => {
                format!("file={file},if={interface},index={index},id=cdrom{index},media=cdrom")
            }
        });
    }
    if let Some(firmware) = spec.firmware.as_deref().filter(|_| spec.firmware_as_pflash && spec.efi.is_none())
    {
        drives.push(format!("file={},if=pflash,format=raw,readonly=on", escaped(firmware)));
    }
    if let Some(efi) = &spec.efi {
        drives.push(format!("file={},if=pflash,unit=0,format=raw,readonly=on", escaped(&efi.code)));
        drives.push(format!("file={},if=pflash,unit=1,format=raw", escaped(&efi.vars)));
    }
    drives
}

fn network(spec: &MachineSpec, ports: &Ports) -> String {
    match &spec.network {
        Network::Bridge(bridge) => format!("bridge,id=user.0,br={bridge}"),
        Network::User { .. } => {
            ports.forwarded.iter().fold("user,id=user.0".to_owned(), |text, (host, guest)| {
                format!("{text},hostfwd=tcp:127.0.0.1:{host}-:{guest}")
            })
        }
    }
}

fn devices(spec: &MachineSpec, tpm: bool) -> Vec<String> {
    let mut devices = Vec::new();
    if spec.disk_interface == "virtio-scsi" && !spec.disks.is_empty() {
        devices.push("virtio-scsi-pci,id=scsi0".to_owned());
        let disks = (0..spec.disks.len()).map(|index| format!("scsi-hd,bus=scsi0.0,drive=drive{index}"));
        devices.extend(disks);
    }
    if spec.cdrom_interface.as_deref() == Some("virtio-scsi") {
        devices.push("virtio-scsi-device".to_owned());
        devices.extend((0..spec.cdroms.len()).map(|index| format!("scsi-cd,drive=cdrom{index}")));
    }
    if let Some(device) = spec.tpm.as_ref().filter(|_| tpm) {
        devices.push(format!("{},tpmdev=tpm0", device.device));
    }
    devices.push(format!("{},netdev=user.0", spec.net_device));
    devices
}

/// Merges the user's rows: `row[0]` is the switch, the rest is joined without separator; values of one
/// switch are grouped and replace the generated ones; without any `-device` that names the network
/// card, the card is added again.
fn merge(switches: &mut Switches, rows: &[Vec<String>], net_device: &str) {
    let mut user = Switches::new();
    for row in rows {
        let Some((switch, rest)) = row.split_first() else { continue };
        match user.iter_mut().find(|(known, _)| known == switch) {
            Some((_, values)) => values.push(rest.concat()),
            None => user.push((switch.clone(), vec![rest.concat()])),
        }
    }
    for (switch, values) in user {
        match switches.iter_mut().find(|(known, _)| *known == switch) {
            Some((_, generated)) => *generated = values,
            None => switches.push((switch, values)),
        }
    }
    if let Some((_, devices)) = switches.iter_mut().find(|(switch, _)| switch == "-device")
        && !devices.iter().any(|device| device.contains(net_device))
    {
        devices.push(format!("{net_device},netdev=user.0"));
    }
}

fn flatten(switches: &Switches) -> Vec<String> {
    let mut list = Vec::new();
    for (switch, values) in switches {
        for value in values {
            list.push(switch.clone());
            if !value.is_empty() {
                list.push(value.clone());
            }
        }
    }
    list
}

#[cfg(test)]
#[path = "arguments_tests.rs"]
mod tests;
