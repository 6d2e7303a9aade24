//! `hypervisor` (grant): virtual machines of this build. Threat: a guest that starts programs or
//! opens files through the hypervisor. Disks are outputs of the build, media are handles, hardware is
//! what the user's options say; raw arguments, the monitor and bridges are grants of their own.

mod disks;
mod image;

use super::config::ConfigurationHandle;
use super::{Authority, Call, permit};
use crate::bindings::kiln::host::hypervisor::{self, Condition, ImageFormat, MediumKind, StopReason};
use crate::bindings::kiln::host::types::ErrorCode;
use crate::build::BuildInner;
use crate::configuration::StepConfiguration;
use crate::error::{CallError, CallResult, fail};
use crate::file::File;
use crate::groups::{Options, machine};
use crate::journal::Entry;
use crate::output::Output;
use crate::state::State;
use kiln_machine::{Compression, Convert, ImageError, QemuImg, RawArguments, StillScreen, Stop, VmError};
use kiln_plan::grant::{Request, Switch};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::OnceCell;
use wasmtime::component::Resource;

/// What the serial log gives at most.
const SERIAL: u64 = 1 << 20;
/// The most disks and media of a machine.
const MAX_PARTS: usize = 64;

/// A machine being defined.
#[derive(Debug)]
pub struct MachineSpec {
    name: String,
    directory: Output,
    disks: Vec<Image>,
    media: Vec<(MediumKind, File)>,
    boot_from_cd: bool,
    forwards: Vec<u16>,
    late: String,
}

/// A defined machine; it ends with the build.
#[derive(Debug, Clone)]
pub struct Vm(pub(crate) Arc<VmInner>);

pub(crate) struct VmInner {
    spec: kiln_machine::MachineSpec,
    running: OnceCell<Arc<kiln_machine::Vm>>,
}

impl std::fmt::Debug for VmInner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "VmInner({})", self.spec.name)
    }
}

impl VmInner {
    /// The machine, if it was started.
    pub(crate) fn running(&self) -> CallResult<&Arc<kiln_machine::Vm>> {
        self.running.get().ok_or_else(|| fail(ErrorCode::Invalid, "the machine was not started yet"))
    }
}

/// A disk image in the build's output.
#[derive(Debug, Clone)]
pub struct Image {
    at: Output,
    format: Arc<Mutex<String>>,
}

impl Image {
    fn new(at: Output, format: &str) -> Self {
        Self { at, format: Arc::new(Mutex::new(format.to_owned())) }
    }

    fn format(&self) -> String {
        self.format.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn is_now(&self, format: &str) {
        format.clone_into(&mut self.format.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// What is known of this build's machines, for those who ask what the host can do.
#[derive(Debug, Default)]
pub(crate) struct Machines {
    accelerator: Mutex<Option<String>>,
}

impl Machines {
    /// Whether the guest's processor is emulated, as far as known.
    pub(crate) fn is_emulated(&self) -> bool {
        self.accelerator.lock().unwrap_or_else(PoisonError::into_inner).as_deref() != Some("kvm")
    }
}

fn format_name(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Qcow2 => "qcow2",
        ImageFormat::Raw => "raw",
    }
}

pub(crate) fn vm_error(error: &VmError) -> CallError {
    let code = match error {
        VmError::Cancelled => ErrorCode::Cancelled,
        VmError::EarlyExit { .. } => ErrorCode::Ended,
        VmError::StartTimeout(_) => ErrorCode::TimedOut,
        VmError::NoMedium(_) => ErrorCode::NotFound,
        _ => ErrorCode::Failed,
    };
    fail(code, error.to_string())
}

fn image_error(error: &ImageError) -> CallError {
    fail(ErrorCode::Failed, error.to_string())
}

/// Why a machine that should run does not.
pub(crate) fn stopped_words(stop: &Stop) -> String {
    match stop {
        Stop::Guest => "the machine powered itself off".to_owned(),
        Stop::GuestReset => "the machine restarted and was told not to".to_owned(),
        Stop::GuestPanic => "the machine's kernel panicked".to_owned(),
        Stop::Host => "kiln stopped the machine".to_owned(),
        Stop::Window => "somebody closed the machine's window".to_owned(),
        Stop::Killed(signal) => format!("the machine was killed from outside (signal {signal})"),
        Stop::Crashed { exit, log } => format!("qemu crashed ({exit}): {log}"),
        _ => "the machine stopped".to_owned(),
    }
}

impl State {
    /// The gate of everything with machines.
    fn enter_hypervisor(&mut self, function: &'static str) -> CallResult<Call> {
        Call::enter(self, function, Authority::Granted(Request::Switch(Switch::Hypervisor)))
    }

    /// Arguments that reach QEMU's programs as they are need their own grant.
    fn permit_raw(&self, extra: &[String]) -> CallResult<()> {
        if extra.is_empty() { Ok(()) } else { self.permit_switch(Switch::RawArgs) }
    }

    fn permit_switch(&self, switch: Switch) -> CallResult<()> {
        permit(&self.step, &Request::Switch(switch))
    }

    fn qemu_img(&self) -> CallResult<QemuImg> {
        let spawner = self.step.build.run.host.spawner()?;
        Ok(QemuImg::new(spawner, "qemu-img", machine::environment(&self.step.build)))
    }

    fn vm(&self, this: &Resource<Vm>) -> CallResult<Arc<VmInner>> {
        Ok(Arc::clone(&self.table.get(this)?.0))
    }

    fn running(&self, this: &Resource<Vm>) -> CallResult<Arc<kiln_machine::Vm>> {
        Ok(Arc::clone(self.table.get(this)?.0.running()?))
    }

    fn image(&self, this: &Resource<Image>) -> CallResult<Image> {
        Ok(self.table.get(this)?.clone())
    }
}

/// A private folder of the build with a short path, for sockets.
fn run_directory(build: &BuildInner) -> CallResult<PathBuf> {
    let folder = build.scratch()?.join(format!("vm-{}", crate::secrets::random_hex(3)));
    crate::sealed_cache::private_folder(&folder)?;
    Ok(folder)
}

/// Raw arguments, rendered when the ports are known.
fn raw_arguments(options: &Arc<StepConfiguration>, late: &str) -> CallResult<RawArguments> {
    let rows: Vec<Vec<String>> = Options(options)
        .rows("qemuargs")
        .into_iter()
        .map(|row| row.into_iter().map(str::to_owned).collect())
        .collect();
    let fields: serde_json::Value = serde_json::from_str(if late.is_empty() { "{}" } else { late })
        .map_err(|e| fail(ErrorCode::Invalid, format!("the values of raw arguments are not JSON: {e}")))?;
    let options = Arc::clone(options);
    Ok(RawArguments::rendered(move |ports| {
        let mut fields = fields.clone();
        if let (Some(map), Some((port, _))) = (fields.as_object_mut(), ports.forwarded.first()) {
            map.insert("SSHHostPort".to_owned(), (*port).into());
        }
        let late = fields.to_string();
        let render = |text: &String| {
            options.render_late(text, &late).map_err(|e| format!("qemuargs: {}", e.message()))
        };
        rows.iter().map(|row| row.iter().map(render).collect()).collect()
    }))
}

impl hypervisor::Host for State {
    async fn capabilities(&mut self) -> CallResult<String> {
        let call = Call::enter(self, "hypervisor.capabilities", Authority::Always)?;
        let known = self.step.build.extension(Machines::default);
        let found = known.accelerator.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut accelerators = vec!["tcg".to_owned()];
        accelerators.extend(found.filter(|name| name != "tcg"));
        call.done(Ok(
            serde_json::json!({ "accelerators": accelerators, "formats": ["qcow2", "raw"] }).to_string()
        ))
    }

    async fn define(&mut self, spec: Resource<MachineSpec>) -> CallResult<Resource<Vm>> {
        let mut call = self.enter_hypervisor("hypervisor.define")?;
        let spec = self.table.delete(spec)?;
        call.target(spec.name.clone());
        let configuration = self.configuration()?;
        let options = Options(&configuration);
        if options.text("net_bridge").is_some() {
            self.permit_switch(Switch::Bridge)?;
        }
        if !options.rows("qemuargs").is_empty() {
            self.permit_switch(Switch::RawArgs)?;
        }
        let build = Arc::clone(&self.step.build);
        let mut machine = machine::machine_spec(&build, options, &spec.directory.host_path(), spec.forwards)?;
        machine.name = spec.name;
        machine.run_directory = run_directory(&build)?;
        machine.boot_from_cd = spec.boot_from_cd;
        machine.disks = spec
            .disks
            .iter()
            .map(|image| kiln_machine::Disk { path: image.at.host_path(), format: image.format() })
            .collect();
        for (kind, file) in &spec.media {
            let path = file.host_path().ok_or_else(|| fail(ErrorCode::Invalid, "a medium must be a file"))?;
            match kind {
                MediumKind::Cdrom => machine.cdroms.push(path),
                MediumKind::Floppy => machine.floppy = Some(path),
            }
        }
        machine.raw_arguments = raw_arguments(&configuration, &spec.late)?;
        let vm = Vm(Arc::new(VmInner { spec: machine, running: OnceCell::new() }));
        let vm = self.table.push(vm)?;
        call.done(Ok(vm))
    }

    async fn create_image(
        &mut self,
        at: Resource<Output>,
        format: ImageFormat,
        size: String,
        extra: Vec<String>,
    ) -> CallResult<Resource<Image>> {
        let mut call = self.enter_hypervisor("hypervisor.create-image")?;
        self.permit_raw(&extra)?;
        let (at, qemu_img, name) = (self.table.get(&at)?.clone(), self.qemu_img()?, format_name(format));
        call.target(at.display());
        let path = at.prepare_for_writing()?;
        let made =
            qemu_img.create(&path, name, &size, &extra, &call.cancel).await.map_err(|e| image_error(&e));
        let result = made.and_then(|()| Ok(self.table.push(Image::new(at, name))?));
        call.done(result)
    }

    async fn overlay_image(
        &mut self,
        at: Resource<Output>,
        backing: Resource<File>,
        extra: Vec<String>,
    ) -> CallResult<Resource<Image>> {
        let mut call = self.enter_hypervisor("hypervisor.overlay-image")?;
        self.permit_raw(&extra)?;
        let (at, backing, qemu_img) =
            (self.table.get(&at)?.clone(), self.table.get(&backing)?.clone(), self.qemu_img()?);
        call.target(at.display());
        let source =
            backing.host_path().ok_or_else(|| fail(ErrorCode::Invalid, "a backing image must be a file"))?;
        let path = at.prepare_for_writing()?;
        let made = async {
            // The user named this file; what a guest writes is never probed.
            let info = qemu_img.info(&source, None, &call.cancel).await?;
            qemu_img.overlay(&path, &source, &info.format, None, &extra, &call.cancel).await
        };
        let made = made.await.map_err(|e| image_error(&e));
        let result = made.and_then(|()| Ok(self.table.push(Image::new(at, "qcow2"))?));
        call.done(result)
    }

    async fn import_image(
        &mut self,
        at: Resource<Output>,
        source: Resource<File>,
        format: ImageFormat,
        extra: Vec<String>,
    ) -> CallResult<Resource<Image>> {
        let mut call = self.enter_hypervisor("hypervisor.import-image")?;
        self.permit_raw(&extra)?;
        let (at, source, qemu_img) =
            (self.table.get(&at)?.clone(), self.table.get(&source)?.clone(), self.qemu_img()?);
        call.target(at.display());
        let source = source.host_path().ok_or_else(|| fail(ErrorCode::Invalid, "an image must be a file"))?;
        let (path, name) = (at.prepare_for_writing()?, format_name(format));
        let made = async {
            let info = qemu_img.info(&source, None, &call.cancel).await?;
            let job = Convert {
                source: &source,
                source_format: &info.format,
                target: &path,
                format: name,
                compression: Compression::None,
                extra: &extra,
            };
            qemu_img.convert(job, &call.cancel).await
        };
        let made = made.await.map_err(|e| image_error(&e));
        let result = made.and_then(|()| Ok(self.table.push(Image::new(at, name))?));
        call.done(result)
    }
}

impl hypervisor::HostMachineSpec for State {
    async fn new(
        &mut self,
        configuration: Resource<ConfigurationHandle>,
        name: String,
        directory: Resource<Output>,
    ) -> wasmtime::Result<Resource<MachineSpec>> {
        // A constructor cannot refuse: `define` looks for the grant.
        let _call = Call::always(self, "hypervisor.[constructor]machine-spec")?;
        self.table.get(&configuration)?;
        let directory = self.table.get(&directory)?.clone();
        let spec = MachineSpec {
            name,
            directory,
            disks: Vec::new(),
            media: Vec::new(),
            boot_from_cd: false,
            forwards: Vec::new(),
            late: String::new(),
        };
        Ok(self.table.push(spec)?)
    }

    async fn disk(&mut self, this: Resource<MachineSpec>, image: Resource<Image>) -> wasmtime::Result<()> {
        let _call = Call::always(self, "hypervisor.[method]machine-spec.disk")?;
        let image = self.table.get(&image)?.clone();
        let spec = self.table.get_mut(&this)?;
        if spec.disks.len() < MAX_PARTS {
            spec.disks.push(image);
        }
        Ok(())
    }

    async fn medium(
        &mut self,
        this: Resource<MachineSpec>,
        kind: MediumKind,
        content: Resource<File>,
    ) -> wasmtime::Result<()> {
        let _call = Call::always(self, "hypervisor.[method]machine-spec.medium")?;
        let content = self.table.get(&content)?.clone();
        let spec = self.table.get_mut(&this)?;
        if spec.media.len() < MAX_PARTS {
            spec.media.push((kind, content));
        }
        Ok(())
    }

    async fn boot_from_cd(&mut self, this: Resource<MachineSpec>, yes: bool) -> wasmtime::Result<()> {
        let _call = Call::always(self, "hypervisor.[method]machine-spec.boot-from-cd")?;
        self.table.get_mut(&this)?.boot_from_cd = yes;
        Ok(())
    }

    async fn forward(&mut self, this: Resource<MachineSpec>, guest_port: u16) -> wasmtime::Result<()> {
        let _call = Call::always(self, "hypervisor.[method]machine-spec.forward")?;
        let spec = self.table.get_mut(&this)?;
        if spec.forwards.len() < MAX_PARTS {
            spec.forwards.push(guest_port);
        }
        Ok(())
    }

    async fn late(&mut self, this: Resource<MachineSpec>, values: String) -> wasmtime::Result<()> {
        let _call = Call::always(self, "hypervisor.[method]machine-spec.late")?;
        self.table.get_mut(&this)?.late = values;
        Ok(())
    }

    async fn drop(&mut self, this: Resource<MachineSpec>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl hypervisor::HostVm for State {
    async fn start(&mut self, this: Resource<Vm>) -> CallResult<()> {
        let mut call = self.enter_hypervisor("hypervisor.[method]vm.start")?;
        let vm = self.vm(&this)?;
        call.target(vm.spec.name.clone());
        let spawner = self.step.build.run.host.spawner()?;
        let started =
            kiln_machine::Vm::start(&vm.spec, &spawner, &call.cancel).await.map_err(|e| vm_error(&e));
        let result = started.and_then(|running| register(&self.step.build, &vm, running));
        call.done(result)
    }

    async fn wait_stopped(&mut self, this: Resource<Vm>, timeout_ms: u64) -> CallResult<StopReason> {
        let call = self.enter_hypervisor("hypervisor.[method]vm.wait-stopped")?;
        let vm = self.running(&this)?;
        let limit = Duration::from_millis(timeout_ms);
        let waited = call.wait(async {
            tokio::time::timeout(limit, vm.wait_stopped())
                .await
                .map_err(|_| fail(ErrorCode::TimedOut, "the machine did not stop in time"))
        });
        let result = waited.await.map(|stop| match stop {
            Stop::Guest | Stop::GuestReset => StopReason::Guest,
            Stop::Host | Stop::Window => StopReason::Host,
            _ => StopReason::Crashed,
        });
        call.done(result)
    }

    async fn request_shutdown(&mut self, this: Resource<Vm>) -> CallResult<()> {
        let call = self.enter_hypervisor("hypervisor.[method]vm.request-shutdown")?;
        let vm = self.running(&this)?;
        let result = call.wait(async { vm.request_shutdown().await.map_err(|e| vm_error(&e)) }).await;
        call.done(result)
    }

    async fn power_off(&mut self, this: Resource<Vm>) -> CallResult<()> {
        let authority = Authority::Granted(Request::Switch(Switch::Hypervisor));
        let call = Call::enter_uncancelled(self, "hypervisor.[method]vm.power-off", authority)?;
        let result = match self.vm(&this)?.running.get() {
            Some(vm) => vm.power_off().await.map_err(|e| vm_error(&e)),
            None => Ok(()),
        };
        call.done(result)
    }

    async fn reset(&mut self, this: Resource<Vm>) -> CallResult<()> {
        let call = self.enter_hypervisor("hypervisor.[method]vm.reset")?;
        let vm = self.running(&this)?;
        let result = call.wait(async { vm.reset().await.map_err(|e| vm_error(&e)) }).await;
        call.done(result)
    }

    async fn type_keys(&mut self, this: Resource<Vm>, text: String) -> CallResult<()> {
        let call = self.enter_hypervisor("hypervisor.[method]vm.type-keys")?;
        let vm = self.running(&this)?;
        let text = self.step.build.vault.unseal(&text);
        let command =
            kiln_machine::BootCommand::parse(&text).map_err(|e| fail(ErrorCode::Invalid, e.to_string()))?;
        let typed = vm.type_boot_command(&command, None, &call.cancel, |_| ()).await;
        call.done(typed.map_err(|e| vm_error(&e)))
    }

    async fn screenshot(&mut self, this: Resource<Vm>) -> CallResult<Resource<File>> {
        let call = self.enter_hypervisor("hypervisor.[method]vm.screenshot")?;
        let vm = self.running(&this)?;
        let picture = call.wait(async { vm.screenshot().await.map_err(|e| vm_error(&e)) }).await;
        let result = picture.and_then(|bytes| self.hold(File::bytes("screen.png", &bytes)));
        call.done(result)
    }

    async fn wait_for(
        &mut self,
        this: Resource<Vm>,
        condition: Condition,
        timeout_ms: u64,
    ) -> CallResult<()> {
        let call = self.enter_hypervisor("hypervisor.[method]vm.wait-for")?;
        let vm = self.running(&this)?;
        let limit = Duration::from_millis(timeout_ms);
        let late = || fail(ErrorCode::TimedOut, "it did not happen in time");
        let work = async {
            match condition {
                Condition::StillScreen(quiet) => {
                    let quiet = Duration::from_millis(quiet).max(Duration::from_millis(100));
                    match vm.wait_for_still_screen(quiet, quiet, limit).await.map_err(|e| vm_error(&e))? {
                        StillScreen::Still(_) => Ok(()),
                        StillScreen::Moving => Err(late()),
                    }
                }
                Condition::Serial(words) => tokio::time::timeout(limit, vm.wait_for_serial(words.as_bytes()))
                    .await
                    .map_err(|_| late())?
                    .map_err(|e| vm_error(&e)),
                Condition::Stopped => {
                    tokio::time::timeout(limit, vm.wait_stopped()).await.map(|_| ()).map_err(|_| late())
                }
            }
        };
        let result = call.wait(work).await;
        call.done(result)
    }

    async fn serial_log(&mut self, this: Resource<Vm>) -> CallResult<Resource<File>> {
        let call = self.enter_hypervisor("hypervisor.[method]vm.serial-log")?;
        let vm = self.running(&this)?;
        let result = self.hold(File::bytes("serial.log", &vm.serial_tail(SERIAL)));
        call.done(result)
    }

    async fn endpoint(&mut self, this: Resource<Vm>, guest_port: u16) -> CallResult<(String, u16)> {
        let call = self.enter_hypervisor("hypervisor.[method]vm.endpoint")?;
        let address = self.running(&this)?.endpoint(guest_port);
        let result = address.map(|address| (address.ip().to_string(), address.port())).ok_or_else(|| {
            fail(ErrorCode::NotFound, format!("port {guest_port} of the machine is not forwarded"))
        });
        call.done(result)
    }

    async fn eject(&mut self, this: Resource<Vm>, kind: MediumKind) -> CallResult<()> {
        let call = self.enter_hypervisor("hypervisor.[method]vm.eject")?;
        let vm = self.running(&this)?;
        let kind = match kind {
            MediumKind::Cdrom => kiln_machine::MediumKind::Cdrom,
            MediumKind::Floppy => kiln_machine::MediumKind::Floppy,
        };
        let result = call.wait(async { vm.eject(kind).await.map_err(|e| vm_error(&e)) }).await;
        call.done(result)
    }

    async fn monitor(
        &mut self,
        this: Resource<Vm>,
        command: String,
        arguments: String,
    ) -> CallResult<String> {
        let authority = Authority::Granted(Request::Switch(Switch::Monitor));
        let mut call = Call::enter(self, "hypervisor.[method]vm.monitor", authority)?;
        call.target(command.clone());
        let vm = self.running(&this)?;
        let arguments = match arguments.trim() {
            "" => serde_json::Value::Null,
            text => {
                serde_json::from_str(text).map_err(|e| fail(ErrorCode::Invalid, format!("not JSON: {e}")))?
            }
        };
        let result =
            call.wait(async { vm.monitor(&command, arguments).await.map_err(|e| vm_error(&e)) }).await;
        call.done(result.map(|answer| answer.to_string()))
    }

    async fn drop(&mut self, this: Resource<Vm>) -> wasmtime::Result<()> {
        // The machine belongs to the build.
        self.table.delete(this)?;
        Ok(())
    }
}

/// A started machine belongs to its build: it is in the journal, and ends with the build.
fn register(build: &Arc<BuildInner>, vm: &VmInner, running: kiln_machine::Vm) -> CallResult<()> {
    let running = Arc::new(running);
    let known = build.extension(Machines::default);
    let accelerated = running.arguments().iter().any(|argument| argument.contains("accel=kvm"));
    *known.accelerator.lock().unwrap_or_else(PoisonError::into_inner) =
        Some(if accelerated { "kvm" } else { "tcg" }.to_owned());
    let (pid, start) = (running.process().pid(), running.process().start_time());
    let summary = format!("the virtual machine `{}`", vm.spec.name);
    let (entry, undone) = (Entry::Process { pid, start, summary: summary.clone() }, Arc::clone(&running));
    build.undo(summary, Some(entry), move || async move {
        undone.power_off().await.map_err(|e| e.to_string())
    })?;
    tokio::spawn(disks::watch(vm.spec.clone(), running.disk_trouble(), Arc::clone(&build.trouble)));
    let left = Arc::clone(&running);
    build.leave_with(move || {
        left.release();
        let forwarded = left.ports().forwarded.iter();
        let ports: Vec<String> =
            forwarded.map(|(host, guest)| format!("127.0.0.1:{host} leads to its port {guest}")).collect();
        format!("the virtual machine runs on as process {pid} ({})", ports.join(", "))
    });
    vm.running.set(running).map_err(|_| fail(ErrorCode::Invalid, "the machine was started already"))
}
