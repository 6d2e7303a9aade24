//! [`MachineSpec`]: everything that shapes how QEMU is started, with Packer's defaults. Pure data.

use std::ffi::OsString;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;

/// How the guest's CPU runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Accelerator {
    /// KVM if it really starts, else TCG.
    #[default]
    Probe,
    /// Leave the choice to QEMU (Packer's `none`).
    Unsaid,
    /// This one: `kvm`, `tcg`, `hvf`, …
    Named(String),
}

/// A disk of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// The image.
    pub path: PathBuf,
    /// `qcow2` or `raw`.
    pub format: String,
}

/// How the machine reaches the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Network {
    /// QEMU's own NAT; each guest port is forwarded from a free port of 127.0.0.1 in the range.
    User {
        /// TCP ports of the guest to make reachable.
        guest_ports: Vec<u16>,
        /// Where to look for free ports.
        host_ports: RangeInclusive<u16>,
    },
    /// A bridge of the host; nothing is forwarded.
    Bridge(String),
}

/// What shows the screen on the host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Display {
    /// Nothing (`headless`).
    #[default]
    Headless,
    /// Whatever QEMU likes best.
    QemuDefault,
    /// This one: `gtk`, `sdl`, `none`, …
    Named(String),
}

/// UEFI firmware: see [`super::efi_firmware`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Efi {
    /// Read-only code.
    pub code: PathBuf,
    /// The machine's own copy of the variables.
    pub vars: PathBuf,
}

/// The VNC server that Packer always starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vnc {
    /// Where it listens.
    pub bind: IpAddr,
    /// Ports to choose from; at least 5900.
    pub ports: RangeInclusive<u16>,
    /// At most 8 characters count; set through QMP, never on the command line.
    pub password: Option<String>,
}

/// What was chosen for one start; the raw arguments may name it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ports {
    /// (port of 127.0.0.1, port of the guest), in the order of `guest_ports`.
    pub forwarded: Vec<(u16, u16)>,
    /// The VNC server's port.
    pub vnc: u16,
}

/// `qemuargs` rows, rendered for the ports chosen: called again if a port was taken meanwhile.
#[derive(Clone)]
pub struct RawArguments(Arc<RenderRows>);

type RenderRows = dyn Fn(&Ports) -> Result<Vec<Vec<String>>, String> + Send + Sync;

impl RawArguments {
    /// Rows that depend on nothing.
    pub fn fixed(rows: Vec<Vec<String>>) -> Self {
        Self::rendered(move |_| Ok(rows.clone()))
    }

    /// Rows that name ports. An error ends the start with [`super::VmError::RawArguments`].
    pub fn rendered(
        render: impl Fn(&Ports) -> Result<Vec<Vec<String>>, String> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(render))
    }

    pub(crate) fn rows(&self, ports: &Ports) -> Result<Vec<Vec<String>>, String> {
        (self.0)(ports)
    }
}

impl Default for RawArguments {
    fn default() -> Self {
        Self::fixed(Vec::new())
    }
}

impl fmt::Debug for RawArguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RawArguments(..)")
    }
}

/// A machine. `MachineSpec::default()` is Packer's default without a disk; names of fields are those of
/// Packer's options where there is one.
#[derive(Debug, Clone)]
pub struct MachineSpec {
    /// `qemu_binary`: a name or a path.
    pub binary: PathBuf,
    /// QEMU's whole environment; `PATH`, `HOME` and, for a window, `DISPLAY` and the like.
    pub env: Vec<(OsString, OsString)>,
    /// `vm_name`.
    pub name: String,
    /// A private, existing, short path for sockets, the serial log and QEMU's own log.
    pub run_directory: PathBuf,
    /// `machine_type`.
    pub machine_type: String,
    /// `accelerator`.
    pub accelerator: Accelerator,
    /// `cpus`; 0 is unset, likewise the next three.
    pub cpus: u32,
    /// `sockets`.
    pub sockets: u32,
    /// `cores`.
    pub cores: u32,
    /// `threads`.
    pub threads: u32,
    /// `memory`, MiB.
    pub memory_mib: u64,
    /// `cpu_model`.
    pub cpu_model: Option<String>,
    /// Disks, the first boots.
    pub disks: Vec<Disk>,
    /// `disk_interface`: ide, sata, scsi, sd, virtio, virtio-scsi.
    pub disk_interface: String,
    /// `disk_cache`.
    pub disk_cache: String,
    /// `disk_discard`.
    pub disk_discard: String,
    /// `disk_detect_zeroes`.
    pub disk_detect_zeroes: String,
    /// CD images, the installer first.
    pub cdroms: Vec<PathBuf>,
    /// `cdrom_interface`.
    pub cdrom_interface: Option<String>,
    /// A floppy image.
    pub floppy: Option<PathBuf>,
    /// Whether the first boot is from CD.
    pub boot_from_cd: bool,
    /// `net_device`.
    pub net_device: String,
    /// NAT with forwards, or a bridge.
    pub network: Network,
    /// `headless`, `display`, `use_default_display`.
    pub display: Display,
    /// `vga`.
    pub vga: Option<String>,
    /// `firmware`.
    pub firmware: Option<PathBuf>,
    /// `use_pflash`.
    pub firmware_as_pflash: bool,
    /// `efi_boot`.
    pub efi: Option<Efi>,
    /// `vtpm`.
    pub tpm: Option<super::Tpm>,
    /// `vnc_*`.
    pub vnc: Vnc,
    /// `qmp_enable`: a socket for the user, besides kiln's own connection.
    pub qmp_socket: Option<PathBuf>,
    /// `qemuargs`.
    pub raw_arguments: RawArguments,
}

impl Default for MachineSpec {
    fn default() -> Self {
        Self {
            binary: "qemu-system-x86_64".into(),
            env: Vec::new(),
            name: String::new(),
            run_directory: PathBuf::new(),
            machine_type: "pc".into(),
            accelerator: Accelerator::Probe,
            cpus: 0,
            sockets: 0,
            cores: 0,
            threads: 0,
            memory_mib: 512,
            cpu_model: None,
            disks: Vec::new(),
            disk_interface: "virtio".into(),
            disk_cache: "writeback".into(),
            disk_discard: "ignore".into(),
            disk_detect_zeroes: "off".into(),
            cdroms: Vec::new(),
            cdrom_interface: None,
            floppy: None,
            boot_from_cd: false,
            net_device: "virtio-net".into(),
            network: Network::User { guest_ports: Vec::new(), host_ports: 2222..=4444 },
            display: Display::Headless,
            vga: None,
            firmware: None,
            firmware_as_pflash: false,
            efi: None,
            tpm: None,
            vnc: Vnc { bind: IpAddr::V4(Ipv4Addr::LOCALHOST), ports: 5900..=6000, password: None },
            qmp_socket: None,
            raw_arguments: RawArguments::default(),
        }
    }
}
