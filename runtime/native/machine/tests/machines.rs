//! Real QEMU (TCG, SeaBIOS) with a boot sector of our own that echoes keys to the serial port.
#![expect(clippy::disallowed_methods, reason = "tests make disks and look at processes")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

use kiln_machine::*;
use std::ffi::OsString;
use std::net::TcpListener;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Real mode, at 0x7c00. Prints READY, then echoes every key to COM1 and the screen. Escape or the
/// power button switches off (PIIX4 power management at 0x600), Ctrl-R resets by the keyboard controller.
const PROGRAM: &[u8] = &[
    0x31, 0xc0, 0x8e, 0xd8, // xor ax, ax; mov ds, ax
    0xba, 0x02, 0x06, 0xb8, 0x00, 0x01, 0xef, // PM1 enable: power button
    0xbe, 0x5d, 0x7c, // mov si, text
    0xac, 0x84, 0xc0, 0x74, 0x05, 0xe8, 0x31, 0x00, 0xeb, 0xf6, // print it
    0xba, 0x00, 0x06, 0xed, 0xf6, 0xc4, 0x01, 0x75, 0x17, // power button pressed: off
    0xb4, 0x01, 0xcd, 0x16, 0x74, 0xf1, // no key: again
    0xb4, 0x00, 0xcd, 0x16, // take it
    0x3c, 0x1b, 0x74, 0x09, 0x3c, 0x12, 0x74, 0x0e, // escape: off, Ctrl-R: reset
    0xe8, 0x11, 0x00, 0xeb, 0xe0, // echo, again
    0xba, 0x04, 0x06, 0xb8, 0x00, 0x20, 0xef, 0xeb, 0xfe, // off
    0xb0, 0xfe, 0xe6, 0x64, 0xeb, 0xfe, // reset
    0x50, 0xba, 0xfd, 0x03, 0xec, 0xa8, 0x20, 0x74, 0xfb, 0x58, 0xba, 0xf8, 0x03, 0xee, // serial
    0xb4, 0x0e, 0xbb, 0x07, 0x00, 0xcd, 0x10, 0xc3, // screen
    b'R', b'E', b'A', b'D', b'Y', b'\r', b'\n', 0,
];

/// Says X on the screen and sleeps until the next interrupt, for ever, as a boot loader at its prompt does.
const SLEEPER: &[u8] = &[
    0xb4, 0x0e, 0xb0, b'X', 0xcd, 0x10, // say it
    0xfb, 0xf4, 0xeb, 0xfd, // sti; hlt, again
];

struct Bench {
    directory: tempfile::TempDir,
    spawner: Spawner,
    cancel: CancellationToken,
}

impl Bench {
    fn new() -> Self {
        Self::with(PROGRAM)
    }

    fn with(program: &[u8]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut disk = vec![0_u8; 1024 * 1024];
        disk[..program.len()].copy_from_slice(program);
        disk[510..512].copy_from_slice(&[0x55, 0xaa]);
        std::fs::write(directory.path().join("disk"), disk).unwrap();
        Self { directory, spawner: Spawner::start(None).unwrap(), cancel: CancellationToken::new() }
    }

    fn spec(&self) -> MachineSpec {
        MachineSpec {
            name: "test".into(),
            env: environment(),
            run_directory: self.directory.path().to_owned(),
            memory_mib: 32,
            accelerator: Accelerator::Named("tcg".into()),
            disks: vec![Disk { path: self.directory.path().join("disk"), format: "raw".into() }],
            disk_interface: "ide".into(),
            ..MachineSpec::default()
        }
    }

    async fn start(&self, spec: &MachineSpec) -> Vm {
        Vm::start(spec, &self.spawner, &self.cancel).await.expect("apt-get install qemu-system-x86")
    }

    async fn ready(&self) -> Vm {
        let vm = self.start(&self.spec()).await;
        within(20, vm.wait_for_serial(b"READY")).await.unwrap();
        vm
    }

    async fn type_keys(&self, vm: &Vm, text: &str, interval: Option<Duration>) {
        let command = BootCommand::parse(text).unwrap();
        vm.type_boot_command(&command, interval, &self.cancel, |_| {}).await.unwrap();
    }
}

fn environment() -> Vec<(OsString, OsString)> {
    vec![("PATH".into(), std::env::var_os("PATH").unwrap())]
}

async fn within<T>(seconds: u64, what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(seconds), what).await.expect("took too long")
}

fn echoed(vm: &Vm) -> String {
    let text = String::from_utf8_lossy(&vm.serial_tail(100_000)).into_owned();
    text.rsplit_once("READY\r\n").unwrap().1.to_owned()
}

#[tokio::test]
async fn every_character_arrives_at_any_speed() {
    let bench = Bench::new();
    let vm = bench.ready().await;
    let all: String = (' '..='~').filter(|c| *c != '<').collect();
    // Without any gap only as much as a keyboard controller and a BIOS buffer: more is lost when the
    // machine is slow, which is why 0 is not the default.
    let texts =
        [(all.as_str(), None), ("aB?d", Some(Duration::ZERO)), (&all, Some(Duration::from_millis(20)))];
    for (text, interval) in texts {
        let before = echoed(&vm).len();
        let start = Instant::now();
        bench.type_keys(&vm, &format!("{text}<<<enter>"), interval).await;
        println!("{:?}: {} characters in {:?}", interval, text.len() + 3, start.elapsed());
        let expected = format!("{text}<<\r");
        let end = Instant::now() + Duration::from_secs(5);
        while echoed(&vm).len() < before + expected.len() && Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(&echoed(&vm)[before..], expected, "interval {interval:?}");
    }
    // The machine ends at the key's press, so its release may find nobody.
    let command = BootCommand::parse("<esc>").unwrap();
    let _ = vm.type_boot_command(&command, None, &bench.cancel, |_| {}).await;
    assert_eq!(within(10, vm.wait_stopped()).await, Stop::Guest);
}

#[tokio::test]
async fn waits_and_explicit_intervals_are_kept_and_cancel_interrupts_them() {
    let bench = Bench::new();
    let vm = bench.ready().await;
    let start = Instant::now();
    bench.type_keys(&vm, "a<wait300ms>b", Some(Duration::from_millis(50))).await;
    assert!(start.elapsed() >= Duration::from_millis(500), "{:?}", start.elapsed());
    let cancel = CancellationToken::new();
    let command = BootCommand::parse("<leftShiftOn><wait10m>x").unwrap();
    let typing = vm.type_boot_command(&command, None, &cancel, |done| {
        if done == 1 {
            cancel.cancel()
        }
    });
    assert!(matches!(within(5, typing).await, Err(VmError::Cancelled)));
    // The shift that was held is let go: `c` is small.
    bench.type_keys(&vm, "c", None).await;
    within(5, vm.wait_for_serial(b"abc")).await.unwrap();
    vm.kill().await;
}

#[tokio::test]
async fn the_power_button_reset_and_power_off() {
    let bench = Bench::new();
    let vm = bench.ready().await;
    vm.request_shutdown().await.unwrap();
    assert_eq!(within(10, vm.wait_stopped()).await, Stop::Guest);

    let vm = bench.ready().await;
    vm.reset().await.unwrap();
    within(20, vm.wait_for_serial(b"READY\r\nREADY")).await.unwrap();
    bench.type_keys(&vm, "<leftCtrlOn>r<leftCtrlOff>", None).await;
    within(20, vm.wait_for_serial(b"READY\r\nREADY\r\nREADY")).await.unwrap();
    assert!(vm.resets() >= 2, "{}", vm.resets());
    vm.power_off().await.unwrap();
    assert_eq!(within(5, vm.wait_stopped()).await, Stop::Host);
    assert!(matches!(vm.reset().await, Err(VmError::Qmp(QmpError::Closed))));
}

#[tokio::test]
async fn no_reboot_is_told_apart() {
    let bench = Bench::new();
    let mut spec = bench.spec();
    spec.raw_arguments = RawArguments::fixed(vec![vec!["-no-reboot".into()]]);
    let vm = bench.start(&spec).await;
    within(20, vm.wait_for_serial(b"READY")).await.unwrap();
    // The machine ends while the keys are still being let go.
    let command = BootCommand::parse("<leftCtrlOn>r<leftCtrlOff>").unwrap();
    let _ = vm.type_boot_command(&command, None, &bench.cancel, |_| {}).await;
    assert_eq!(within(10, vm.wait_stopped()).await, Stop::GuestReset);
}

#[tokio::test]
async fn a_killed_machine_is_not_a_shutdown() {
    let bench = Bench::new();
    let vm = bench.ready().await;
    assert!(kill_recorded(vm.process().pid(), vm.process().start_time()).await);
    assert_eq!(within(5, vm.wait_stopped()).await, Stop::Killed(9));
    assert!(!kill_recorded(vm.process().pid(), vm.process().start_time()).await);
}

#[tokio::test]
async fn the_screen_stands_still_and_can_be_seen() {
    let bench = Bench::new();
    let vm = bench.start(&bench.spec()).await;
    let start = Instant::now();
    let quiet = Duration::from_millis(1500);
    // It polls its keyboard, so it never sleeps.
    let asleep = Duration::from_millis(300);
    let ended = within(30, vm.wait_for_still_screen(quiet, asleep, Duration::from_secs(20))).await.unwrap();
    assert!(matches!(ended, StillScreen::Still(time) if time >= quiet), "{ended:?}");
    println!("still after {:?}", start.elapsed());
    assert!(vm.serial_tail(1000).ends_with(b"READY\r\n"), "still before the boot sector ran");
    let before = vm.screenshot().await.unwrap();
    assert!(before.starts_with(b"\x89PNG"));
    bench.type_keys(&vm, "hello", None).await;
    within(5, vm.wait_for_serial(b"hello")).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_ne!(before, vm.screenshot().await.unwrap());
    vm.kill().await;
}

#[tokio::test]
async fn a_sleeping_machine_is_known_to_wait() {
    let bench = Bench::with(SLEEPER);
    let vm = bench.start(&bench.spec()).await;
    let (quiet, asleep) = (Duration::from_secs(60), Duration::from_millis(400));
    let ended = within(30, vm.wait_for_still_screen(quiet, asleep, quiet)).await.unwrap();
    assert!(matches!(ended, StillScreen::Still(time) if time >= asleep), "{ended:?}");
    vm.kill().await;
}

#[tokio::test]
async fn a_machine_that_never_reads_a_disk_is_not_still() {
    let bench = Bench::new();
    let spec = MachineSpec { disks: Vec::new(), ..bench.spec() };
    let vm = bench.start(&spec).await;
    let quiet = Duration::from_millis(300);
    let waited = vm.wait_for_still_screen(quiet, quiet, Duration::from_secs(4)).await.unwrap();
    assert_eq!(waited, StillScreen::Moving);
    vm.kill().await;
}

#[tokio::test]
async fn a_bad_argument_is_told_with_qemus_words() {
    let bench = Bench::new();
    let mut spec = bench.spec();
    spec.raw_arguments = RawArguments::fixed(vec![vec!["-no-such-switch".into()]]);
    let error = Vm::start(&spec, &bench.spawner, &bench.cancel).await.unwrap_err();
    assert!(matches!(&error, VmError::EarlyExit { log, .. } if log.contains("no-such-switch")), "{error}");
    // Too late for the command line, but before the machine runs.
    spec.raw_arguments = RawArguments::fixed(vec![vec!["-device".into(), "no-such-device".into()]]);
    let error = Vm::start(&spec, &bench.spawner, &bench.cancel).await.unwrap_err();
    assert!(matches!(&error, VmError::EarlyExit { log, .. } if log.contains("no-such-device")), "{error}");
    spec.binary = "qemu-system-none".into();
    let error = Vm::start(&spec, &bench.spawner, &bench.cancel).await.unwrap_err();
    assert!(matches!(error, VmError::Process(ProcessError::NotFound(_))), "{error}");
}

/// The rows make the first starts ask for a port that is in use, as if it had been taken after the choice.
#[tokio::test]
async fn a_port_taken_meanwhile_is_chosen_again() {
    let bench = Bench::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken_port = taken.local_addr().unwrap().port();
    let calls = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = calls.clone();
    let mut spec = bench.spec();
    spec.network = Network::User { guest_ports: vec![22, 80], host_ports: 20000..=30000 };
    spec.raw_arguments = RawArguments::rendered(move |ports| {
        let call = counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        assert_eq!(ports.forwarded.len(), 2);
        Ok(match call {
            0 => {
                vec![vec!["-netdev".into(), format!("user,id=user.0,hostfwd=tcp:127.0.0.1:{taken_port}-:22")]]
            }
            _ => Vec::new(),
        })
    });
    let vm = bench.start(&spec).await;
    assert_eq!(calls.load(std::sync::atomic::Ordering::SeqCst), 2);
    let (ssh, http) = (vm.endpoint(22).unwrap(), vm.endpoint(80).unwrap());
    assert_ne!(ssh, http);
    assert_eq!(vm.endpoint(443), None);
    // QEMU listens there, on loopback only.
    assert!(std::net::TcpStream::connect(ssh).is_ok());
    vm.kill().await;
}

#[tokio::test]
async fn a_vnc_port_in_use_is_chosen_again_and_a_full_range_is_an_error() {
    let bench = Bench::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut spec = bench.spec();
    let port = taken.local_addr().unwrap().port();
    spec.vnc.ports = port..=port;
    let error = Vm::start(&spec, &bench.spawner, &bench.cancel).await.unwrap_err();
    assert!(matches!(error, VmError::NoFreePort { .. }), "{error}");
    spec.vnc.ports = 80..=90;
    let error = Vm::start(&spec, &bench.spawner, &bench.cancel).await.unwrap_err();
    assert!(matches!(error, VmError::VncPort(80)), "{error}");
}

#[tokio::test]
async fn a_vnc_password_is_not_on_the_command_line() {
    let bench = Bench::new();
    let mut spec = bench.spec();
    spec.vnc.password = Some("s3cret".into());
    let vm = bench.start(&spec).await;
    assert!(vm.arguments().iter().any(|word| word.ends_with("password=on")));
    assert!(!vm.arguments().concat().contains("s3cret"));
    let answer = vm.monitor("query-vnc", serde_json::Value::Null).await.unwrap();
    assert_eq!(answer["auth"], "vnc", "{answer}");
    vm.kill().await;
}

#[tokio::test]
async fn qmp_refusals_events_and_the_schema() {
    let bench = Bench::new();
    let vm = bench.start(&bench.spec()).await;
    let error = vm.monitor("no-such-command", serde_json::Value::Null).await.unwrap_err();
    assert!(
        matches!(error, VmError::Qmp(QmpError::Refused { ref class, .. }) if class == "CommandNotFound"),
        "{error}"
    );
    let schema = vm.qmp().schema().await.unwrap();
    assert!(schema.has_command("screendump") && schema.has_argument("screendump", "filename"));
    assert!(!schema.has_command("nonsense") && !schema.has_argument("screendump", "nonsense"));
    let mut events = vm.qmp().events().unwrap();
    vm.monitor("stop", serde_json::Value::Null).await.unwrap();
    assert_eq!(within(5, events.recv()).await.unwrap().name, "STOP");
    vm.kill().await;
}

#[tokio::test]
async fn media_are_ejected() {
    let bench = Bench::new();
    let iso = bench.directory.path().join("a,b.iso");
    std::fs::write(&iso, vec![0; 64 * 1024]).unwrap();
    let spec = MachineSpec { cdroms: vec![iso], ..bench.spec() };
    let vm = bench.start(&spec).await;
    vm.eject(MediumKind::Cdrom).await.unwrap();
    assert!(matches!(vm.eject(MediumKind::Floppy).await, Err(VmError::NoMedium("floppy"))));
    vm.kill().await;
}

#[tokio::test]
async fn starting_is_fast_and_quiet_and_the_probe_agrees_with_the_machine() {
    let bench = Bench::new();
    let start = Instant::now();
    let vm = bench.start(&bench.spec()).await;
    println!("running after {:?}", start.elapsed());
    let log = std::fs::read_to_string(bench.directory.path().join("qemu.log")).unwrap();
    assert_eq!(log, "", "qemu warns at every start");
    vm.kill().await;
    let vm = bench.start(&MachineSpec { accelerator: Accelerator::Probe, ..bench.spec() }).await;
    println!("{}", vm.arguments()[3]);
    let kvm = vm.monitor("query-kvm", serde_json::Value::Null).await.unwrap();
    assert_eq!(kvm["enabled"], vm.arguments()[3].ends_with("kvm"));
    // Whatever was chosen really runs the guest.
    within(20, vm.wait_for_serial(b"READY")).await.unwrap();
    vm.kill().await;
}

#[tokio::test]
async fn a_serial_console_on_stdio_is_still_seen() {
    let bench = Bench::new();
    let mut spec = bench.spec();
    spec.raw_arguments = RawArguments::fixed(vec![vec!["-serial".into(), "stdio".into()]]);
    let vm = bench.start(&spec).await;
    within(20, vm.wait_for_serial(b"READY")).await.unwrap();
    bench.type_keys(&vm, "Hi", None).await;
    within(5, vm.wait_for_serial(b"READY\r\nHi")).await.unwrap();
    vm.kill().await;
}

#[tokio::test]
async fn uefi_firmware_starts_with_its_own_variables() {
    let bench = Bench::new();
    let copy = bench.directory.path().join("efivars.fd");
    let efi = efi_firmware(None, None, &copy).expect("apt-get install ovmf");
    let spec = MachineSpec { efi: Some(efi.clone()), memory_mib: 128, ..bench.spec() };
    let vm = bench.start(&spec).await;
    let blocks = vm.monitor("query-block", serde_json::Value::Null).await.unwrap().to_string();
    assert!(
        blocks.contains(copy.to_str().unwrap()) && blocks.contains(efi.code.to_str().unwrap()),
        "{blocks}"
    );
    vm.kill().await;
    let missing = std::path::Path::new("no-such.fd");
    assert!(matches!(efi_firmware(Some(missing), None, &copy), Err(VmError::Firmware(_))));
}

#[tokio::test]
async fn a_cancelled_start_leaves_no_qemu() {
    let bench = Bench::new();
    bench.cancel.cancel();
    let error = Vm::start(&bench.spec(), &bench.spawner, &bench.cancel).await.unwrap_err();
    assert!(matches!(error, VmError::Cancelled), "{error}");
    for wait in [1, 5, 20, 40] {
        let cancel = CancellationToken::new();
        let spec = bench.spec();
        let start = Vm::start(&spec, &bench.spawner, &cancel);
        let cancelled = async {
            tokio::time::sleep(Duration::from_millis(wait)).await;
            cancel.cancel();
        };
        let (started, ()) = tokio::join!(start, cancelled);
        drop(started);
    }
    let name = bench.directory.path().to_str().unwrap();
    let running = || {
        let entries = std::fs::read_dir("/proc").unwrap().flatten();
        entries
            .filter_map(|it| std::fs::read(it.path().join("cmdline")).ok())
            .any(|line| String::from_utf8_lossy(&line).contains(name))
    };
    within(10, async {
        while running() {
            tokio::time::sleep(Duration::from_millis(10)).await
        }
    })
    .await;
}

#[tokio::test]
async fn a_tpm_without_swtpm_says_what_to_install() {
    let bench = Bench::new();
    let mut spec =
        MachineSpec { tpm: Some(Tpm { device: "tpm-tis".into(), version1: false }), ..bench.spec() };
    spec.env = vec![("PATH".into(), bench.directory.path().into())];
    let error = Vm::start(&spec, &bench.spawner, &bench.cancel).await.unwrap_err();
    assert!(error.to_string().contains("apt-get install swtpm"), "{error}");
}

#[tokio::test]
async fn a_tpm_is_there_for_the_guest() {
    let bench = Bench::new();
    let spec = MachineSpec { tpm: Some(Tpm { device: "tpm-tis".into(), version1: false }), ..bench.spec() };
    let vm = bench.start(&spec).await;
    let models = vm.monitor("query-tpm", serde_json::Value::Null).await.unwrap();
    assert_eq!(models[0]["model"], "tpm-tis", "{models}; apt-get install swtpm");
    within(20, vm.wait_for_serial(b"READY")).await.unwrap();
    vm.power_off().await.unwrap();
    assert_eq!(within(5, vm.wait_stopped()).await, Stop::Host);
}

/// The host's calls run on a pool of threads: every future of the API must be able to move.
#[expect(dead_code, reason = "that it compiles is the test")]
fn futures_are_send(vm: &Vm, bench: &'static Bench, spec: &MachineSpec, command: &BootCommand) {
    fn send(_: impl Send) {}
    send(Vm::start(spec, &bench.spawner, &bench.cancel));
    send(vm.wait_stopped());
    send(vm.type_boot_command(command, None, &bench.cancel, |_| {}));
    send(vm.wait_for_still_screen(Duration::ZERO, Duration::ZERO, Duration::ZERO));
    send(vm.wait_for_serial(b""));
    send(vm.screenshot());
    send(vm.eject(MediumKind::Cdrom));
    send(vm.power_off());
    send(vm.monitor("", serde_json::Value::Null));
    send(bench.spawner.spawn(Program::default()));
    send(bench.spawner.run(Program::default(), RunLimits::default(), &bench.cancel));
    send(vm.process().wait());
    send(vm.process().kill_group(Duration::ZERO));
    send(HttpServer::start(&HttpServerOptions::default(), HttpContent::Texts(std::sync::Arc::default())));
}
