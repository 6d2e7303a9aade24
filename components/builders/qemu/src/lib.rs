//! Builder `qemu`: a virtual machine on this computer that becomes a disk image.
//!
//! ```text
//! prepare: fetch ─► media, disks ─► HTTP server ─► start ─► type ─► connect ─► (provisioners)
//! finish:  shut down ─► write the image anew ─► artifact
//! cleanup: nothing after success; power off and remove after a failure; leave alone after abort
//! ```
//!
//! The host reads the machine, communicator and media options straight from the configuration;
//! this component decides the order and owns the disks.

mod checks;
mod disks;
mod options;

use disks::Disks;
use kiln_sdk::files::Output;
use kiln_sdk::hypervisor::{self, MachineSpec, Vm};
use kiln_sdk::machines::{self, Address};
use kiln_sdk::{
    Artifact, Builder, Config, Context, Description, Draft, Error, Findings, Outcome, Prepared, Session,
    Unchecked, duration, log, say, ui,
};
use options::Options;
use serde_json::{Value, json};

/// The file that holds UEFI variables, beside the disk.
const EFIVARS: &str = "efivars.fd";

#[derive(Default)]
struct Qemu {
    name: String,
    config: Option<Config<Options>>,
    output: Option<Output>,
    disks: Option<Disks>,
    vm: Option<Vm>,
    session: Option<Session>,
}

impl Builder for Qemu {
    type Options = Options;

    fn describe() -> Description {
        let version = env!("CARGO_PKG_VERSION");
        Description::new("qemu", version, env!("CARGO_PKG_DESCRIPTION"), include_str!("../schema.json"))
            .needs("hypervisor", &[], "starts the virtual machine that becomes the image")
            .may_use("hypervisor.raw-args", &[], "passes `qemuargs` and `qemu_img_args` on")
            .may_use("hypervisor.bridge", &[], "puts the machine on the bridge that `net_bridge` names")
    }

    fn validate(options: &Unchecked, findings: &mut Findings) {
        checks::validate(options, findings);
    }

    fn prepare(&mut self, context: Context, config: Config<Options>) -> Result<Prepared, Error> {
        self.name = config.machine_name(&context.source_name());
        let config = self.config.insert(config);
        let source = step("Retrieving ISO", || machines::iso(config.handle()))?;
        let output = config.output("/output_directory", &json!({ "BuildName": context.source_name() }))?;
        output.make_directory().map_err(|e| e.at("/output_directory"))?;
        let output = self.output.insert(output);
        let mut late = json!({ "Name": self.name });
        let mut secrets = json!({});
        if config.needs_key() {
            let pair = machines::keypair(config.handle())?;
            add(&mut late, "SSHPublicKey", json!(pair.public_key));
            secrets = json!({ "ssh_public_key": pair.public_key, "ssh_private_key": pair.private_key });
        }
        let media = machines::media(config.handle(), &late.to_string())?;
        let made = step("Creating hard drive...", || Disks::make(config, output, &self.name, &source))?;
        let disks = self.disks.insert(made);
        let http = serve(config, &mut late)?;

        let spec = MachineSpec::new(config.handle(), &self.name, output);
        disks.attach(&spec);
        if !config.disk_image {
            spec.medium(hypervisor::MediumKind::Cdrom, &source);
        }
        for medium in &media {
            spec.medium(medium.kind, &medium.content);
        }
        spec.boot_from_cd(!config.disk_image);
        if let Some(port) = config.forwarded_port() {
            spec.forward(port);
        }
        spec.late(&raw_argument_fields(config, output, &late).to_string());
        let vm = self.vm.insert(hypervisor::define(spec)?);
        let title = if config.disk_image {
            "Starting VM, booting disk image"
        } else {
            "Starting VM, booting from CD-ROM"
        };
        step(title, || vm.start())?;
        machines::type_boot_command(config.handle(), vm, &late.to_string())?;
        let session = machines::connect(config.handle(), &Address::Vm(vm), &secrets.to_string())?;
        let values = values(config, &self.name, http)?;
        self.session = session.as_ref().map(Session::share);
        Ok(Prepared { session, values })
    }

    fn finish(&mut self) -> Result<Option<Artifact>, Error> {
        let (Some(config), Some(output), Some(disks), Some(vm)) =
            (&self.config, &self.output, &self.disks, &self.vm)
        else {
            return Err(Error::failed("there is no machine to make an image of"));
        };
        shut_down(config, vm, self.session.take().as_ref())?;
        if config.compacts() {
            step("Converting hard drive...", || disks.compact(config))?;
        }
        artifact(config, output, disks, &self.name).map(Some)
    }

    fn cleanup(&mut self, outcome: Outcome) -> Result<(), Error> {
        if !matches!(outcome, Outcome::Failed | Outcome::Cancelled) {
            return Ok(());
        }
        if let Some(Err(error)) = self.vm.take().map(|vm| vm.power_off()) {
            log!("powering off: {}", error.message);
        }
        self.disks = None;
        if let Some(output) = self.output.take() {
            say!("Deleting output directory...");
            output.remove()?;
        }
        Ok(())
    }
}

/// Names a part of the work and does it; -debug pauses before it.
fn step<T>(title: &str, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    ui::step(title)?;
    say!("{title}");
    work()
}

/// Starts the HTTP server if the template asks for one, and adds its address to `late`.
fn serve(config: &Config<Options>, late: &mut Value) -> Result<Option<(String, u16)>, Error> {
    let Some(server) = machines::http(config.handle(), &late.to_string())? else {
        add(late, "HTTPIP", json!(""));
        add(late, "HTTPPort", json!(0));
        return Ok(None);
    };
    let (ip, port) = (server.ip(), server.port());
    say!("Starting HTTP server on port {port}");
    add(late, "HTTPIP", json!(ip));
    add(late, "HTTPPort", json!(port));
    Ok(Some((ip, port)))
}

fn add(object: &mut Value, name: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}

/// What `qemuargs` may use besides the fields of the boot command; the host adds `.SSHHostPort`.
fn raw_argument_fields(config: &Options, output: &Output, late: &Value) -> Value {
    let mut fields = late.clone();
    add(&mut fields, "OutputDir", json!(output.display()));
    add(&mut fields, "HTTPDir", json!(config.http_directory.clone().unwrap_or_default()));
    add(&mut fields, "HTTPContent", json!(config.http_content));
    fields
}

/// What provisioners may know: the connection, and the HTTP server.
fn values(config: &Config<Options>, name: &str, http: Option<(String, u16)>) -> Result<Value, Error> {
    let mut values: Value = serde_json::from_str(&machines::connection_values(config.handle())?)?;
    add(&mut values, "ID", json!(name));
    let (ip, port, address) = match http {
        Some((ip, port)) => (ip.clone(), port.to_string(), format!("{ip}:{port}")),
        None => Default::default(),
    };
    add(&mut values, "PackerHTTPIP", json!(ip));
    add(&mut values, "PackerHTTPPort", json!(port));
    add(&mut values, "PackerHTTPAddr", json!(address));
    Ok(values)
}

/// Without a communicator the machine powers itself off when it is done.
fn shut_down(config: &Config<Options>, vm: &Vm, session: Option<&Session>) -> Result<(), Error> {
    let Some(session) = session else {
        let patience = duration::wait(&config.shutdown_timeout).map_err(|e| e.at("/shutdown_timeout"))?;
        return step("Waiting for shutdown...", || {
            vm.wait_stopped(patience).map(|_| ()).map_err(|e| match e.code {
                kiln_sdk::ErrorCode::TimedOut => e
                    .doing("the machine did not power itself off within `shutdown_timeout`")
                    .at("/shutdown_timeout"),
                _ => e,
            })
        });
    };
    let title = if config.has_shutdown_command() {
        "Gracefully halting virtual machine..."
    } else {
        "Halting the virtual machine..."
    };
    step(title, || machines::shut_down(config.handle(), vm, Some(session)))
}

fn artifact(config: &Options, output: &Output, disks: &Disks, name: &str) -> Result<Artifact, Error> {
    let directory = output.display();
    let draft = Draft::new("transcend.qemu", name, &format!("VM files in directory: {directory}"));
    if config.efi_drop_efivars {
        for item in output.directory()?.items()?.iter().filter(|item| item.name != EFIVARS) {
            draft.add(&output.child(&item.name)?)?;
        }
    } else {
        draft.add(output)?;
    }
    let paths: Vec<_> = disks.names().map(|name| format!("{directory}/{name}")).collect();
    for (key, value) in [
        ("diskName", json!(name)),
        ("diskPaths", json!(paths)),
        ("diskType", json!(config.format)),
        ("diskSize", json!(config.disk_size)),
        ("domainType", json!(domain_type(config)?)),
    ] {
        draft.set_state(key, &value.to_string())?;
    }
    Draft::finish(draft)
}

/// What accelerated the machine: written, or what this host has.
fn domain_type(config: &Options) -> Result<String, Error> {
    if let Some(accelerator) = config.accelerator.as_ref().filter(|name| !name.is_empty()) {
        return Ok(accelerator.clone());
    }
    let capabilities: Value = serde_json::from_str(&hypervisor::capabilities()?)?;
    let accelerators = capabilities.get("accelerators").and_then(Value::as_array);
    let has_kvm = accelerators.is_some_and(|all| all.iter().any(|one| one == "kvm"));
    Ok(if has_kvm { "kvm" } else { "tcg" }.to_owned())
}

kiln_sdk::export_builder!(Qemu);
