//! Golden argument lists: what `packer-map` facts say, one spec per line of the table.

use super::*;
use crate::qemu::Tpm;
use crate::qemu::spec::{Disk, Efi, Vnc};

fn spec() -> MachineSpec {
    MachineSpec {
        name: "packer-x".into(),
        disks: vec![Disk { path: "out/packer-x".into(), format: "qcow2".into() }],
        network: Network::User { guest_ports: vec![22], host_ports: 2222..=4444 },
        ..MachineSpec::default()
    }
}

fn line(spec: &MachineSpec, rows: &[&[&str]]) -> String {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|word| (*word).into()).collect()).collect();
    let ports = Ports { forwarded: vec![(2345, 22)], vnc: 5907 };
    let chosen = Chosen {
        accelerator: Some("tcg"),
        ports: &ports,
        control: Path::new("r/qmp"),
        serial: Path::new("r/serial"),
        tpm_socket: spec.tpm.as_ref().map(|_| Path::new("r/tpm")),
        rows: &rows,
    };
    arguments(spec, &chosen).join(" ")
}

const HEAD: &str = "-name packer-x -machine type=pc,accel=tcg -m 512M -smp 1 -boot c";
const DISK: &str = "-drive file=out/packer-x,if=virtio,cache=writeback,discard=ignore,format=qcow2";
const NET: &str = "-netdev user,id=user.0,hostfwd=tcp:127.0.0.1:2345-:22";
const CARD: &str = "-device virtio-net,netdev=user.0";
const SCREEN: &str = "-display none -vnc 127.0.0.1:7";
const OWN: &str = "-serial file:r/serial -audiodev none,id=silence -qmp unix:r/qmp";

#[test]
fn defaults() {
    assert_eq!(line(&spec(), &[]), [HEAD, DISK, NET, CARD, SCREEN, OWN].join(" "));
}

#[test]
fn one_option_each() {
    let cases: Vec<(MachineSpec, &str)> = vec![
        (MachineSpec { boot_from_cd: true, ..spec() }, "-boot once=d"),
        (MachineSpec { cpus: 4, ..spec() }, "-smp 4 "),
        (MachineSpec { cpus: 9, sockets: 2, cores: 2, ..spec() }, "-smp 4,sockets=2,cores=2 "),
        (MachineSpec { threads: 3, ..spec() }, "-smp 3,threads=3 "),
        (MachineSpec { cpu_model: Some("max".into()), ..spec() }, "-cpu max "),
        (MachineSpec { vga: Some("std".into()), ..spec() }, "-vga std -display"),
        (MachineSpec { floppy: Some("f.img".into()), ..spec() }, "-fda f.img "),
        (MachineSpec { firmware: Some("b.bin".into()), ..spec() }, "-bios b.bin "),
        (
            MachineSpec { firmware: Some("b.bin".into()), firmware_as_pflash: true, ..spec() },
            "-drive file=b.bin,if=pflash,format=raw,readonly=on",
        ),
        (MachineSpec { cdroms: vec!["a,b.iso".into()], ..spec() }, "-drive file=a,,b.iso,media=cdrom"),
        (
            MachineSpec {
                cdroms: vec!["a".into(), "b".into()],
                cdrom_interface: Some("ide".into()),
                ..spec()
            },
            "-drive file=a,if=ide,index=0,id=cdrom0,media=cdrom -drive file=b,if=ide,index=1,id=cdrom1,media=cdrom",
        ),
        (
            MachineSpec { cdroms: vec!["a".into()], cdrom_interface: Some("virtio-scsi".into()), ..spec() },
            "-device virtio-scsi-device -device scsi-cd,drive=cdrom0 -device virtio-net",
        ),
        (
            MachineSpec {
                disk_interface: "virtio-scsi".into(),
                disk_detect_zeroes: "unmap".into(),
                ..spec()
            },
            "-drive if=none,file=out/packer-x,id=drive0,cache=writeback,discard=ignore,format=qcow2,detect-zeroes=unmap",
        ),
        (
            MachineSpec { disk_interface: "virtio-scsi".into(), ..spec() },
            "-device virtio-scsi-pci,id=scsi0 -device scsi-hd,bus=scsi0.0,drive=drive0 -device virtio-net",
        ),
        (
            MachineSpec { network: Network::Bridge("br0".into()), ..spec() },
            "-netdev bridge,id=user.0,br=br0 ",
        ),
        (MachineSpec { display: Display::Named("gtk".into()), ..spec() }, "-display gtk "),
        (
            MachineSpec {
                vnc: Vnc { bind: [0, 0, 0, 0].into(), ports: 5900..=6000, password: Some("x".into()) },
                ..spec()
            },
            "-vnc 0.0.0.0:7,password=on ",
        ),
        (
            MachineSpec { qmp_socket: Some("out/x.monitor".into()), ..spec() },
            "-qmp unix:out/x.monitor,server=on,wait=off ",
        ),
        (
            MachineSpec { tpm: Some(Tpm { device: "tpm-tis".into(), version1: false }), ..spec() },
            "-chardev socket,id=vtpm,path=r/tpm -tpmdev emulator,id=tpm0,chardev=vtpm -device tpm-tis,tpmdev=tpm0",
        ),
    ];
    for (spec, part) in cases {
        let line = line(&spec, &[]);
        assert!(line.contains(part), "{part}\nis not in\n{line}");
    }
}

#[test]
fn efi_has_no_boot_order() {
    let line = line(&MachineSpec { efi: Some(Efi { code: "C".into(), vars: "V".into() }), ..spec() }, &[]);
    assert!(!line.contains("-boot") && !line.contains("-bios"), "{line}");
    let drives =
        "-drive file=C,if=pflash,unit=0,format=raw,readonly=on -drive file=V,if=pflash,unit=1,format=raw";
    assert!(line.contains(drives), "{line}");
}

#[test]
fn no_display_is_said_when_qemu_shall_choose() {
    let line = line(&MachineSpec { display: Display::QemuDefault, ..spec() }, &[]);
    assert!(!line.contains("-display"), "{line}");
}

#[test]
fn trap_23_rows_replace_by_switch() {
    // Both values of the user's replace the generated one, at its place.
    let rows: &[&[&str]] =
        &[&["-drive", "a"], &["-m", "1", "G"], &["-drive", "b"], &["-no-acpi"], &["-no-acpi", ""]];
    let found = line(&spec(), rows);
    let head = HEAD.replace("512M", "1G");
    let expected = [&head, "-drive a -drive b", NET, CARD, SCREEN, "-no-acpi -no-acpi", OWN].join(" ");
    assert_eq!(found, expected);
}

#[test]
fn the_network_card_is_added_unless_a_device_names_it() {
    let with = |device: &str| line(&spec(), &[&["-device", device]]);
    assert!(with("virtio-net-pci,netdev=net0").contains("-device virtio-net-pci,netdev=net0 -display"));
    assert!(
        with("virtio-gpu-pci").contains("-device virtio-gpu-pci -device virtio-net,netdev=user.0 -display")
    );
}

#[test]
fn a_serial_port_of_the_users_own_and_kilns_control_connection() {
    let rows: &[&[&str]] = &[&["-serial", "stdio"], &["-qmp", "tcp:localhost:1"], &["-audiodev", "pa,id=a"]];
    let line = line(&spec(), rows);
    assert!(line.ends_with("-serial stdio -qmp tcp:localhost:1 -audiodev pa,id=a -qmp unix:r/qmp"), "{line}");
}

#[test]
fn an_empty_row_is_nothing() {
    assert_eq!(line(&spec(), &[&[]]), line(&spec(), &[]));
}
