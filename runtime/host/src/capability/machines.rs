//! `machines` (role, designation): option groups that the host interprets. Threat: a guest that
//! chooses the user's SSH agent, keys or hosts; it cannot, because it never sees them.

mod connect;
mod media;
mod typing;

use super::config::ConfigurationHandle as Configuration;
use super::hypervisor::Vm;
use super::sessions::{Session, connection};
use super::{Authority, Call, Role, permit};
use crate::bindings::kiln::host::machines::{self, Address, KeyPair, Medium};
use crate::bindings::kiln::host::types::ErrorCode;
use crate::configuration::StepConfiguration;
use crate::error::{CallResult, fail};
use crate::file::File;
use crate::finished::Mode;
use crate::groups::{Options, communicator};
use crate::state::{State, StepCtx};
use connect::{Connections, Place};
use kiln_plan::grant::Request;
use kiln_plan::{Data, EventBody};
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use wasmtime::component::Resource;

/// A running HTTP server.
#[derive(Debug, Clone)]
pub struct Server {
    ip: String,
    port: u16,
}

/// The build's key pair, made when it is first asked for.
#[derive(Default)]
struct BuildKey(Mutex<Option<kiln_ssh::KeyPair>>);

/// Tells the user what the host does for the builder.
fn say(step: &StepCtx, text: impl Into<String>) {
    step.emit(EventBody::Say { text: text.into() });
}

impl machines::HostServer for State {
    async fn ip(&mut self, this: Resource<Server>) -> wasmtime::Result<String> {
        let _call = Call::by_role(self, "machines.[method]server.ip", Role::ACTIVE)?;
        Ok(self.table.get(&this)?.ip.clone())
    }

    async fn port(&mut self, this: Resource<Server>) -> wasmtime::Result<u16> {
        let _call = Call::by_role(self, "machines.[method]server.port", Role::ACTIVE)?;
        Ok(self.table.get(&this)?.port)
    }

    async fn drop(&mut self, this: Resource<Server>) -> wasmtime::Result<()> {
        // The server runs as long as the build.
        self.table.delete(this)?;
        Ok(())
    }
}

impl State {
    /// Where the machine is, judged.
    fn place(&self, address: Address, options: Options<'_>) -> CallResult<Place> {
        let port: u16 = options.number("ssh_port")?;
        let port = if port == 0 { 22 } else { port };
        let own = options.text("ssh_host").map(|host| (host.to_owned(), port));
        match (address, own) {
            // What the user wrote comes first.
            (Address::Vm(vm), Some((host, port))) => {
                Ok(Place { host, port, vm: Some(Arc::clone(self.table.get(&vm)?.0.running()?)) })
            }
            (_, Some((host, port))) => Ok(Place { host, port, vm: None }),
            (Address::Vm(vm), None) => {
                let vm = Arc::clone(self.table.get(&vm)?.0.running()?);
                let (host, port) =
                    vm.endpoint(port).map(|at| (at.ip().to_string(), at.port())).ok_or_else(|| {
                        options.wrong("ssh_host", "no port of the machine is forwarded; write `ssh_host`")
                    })?;
                Ok(Place { host, port, vm: Some(vm) })
            }
            (Address::Host((host, port)), None) => {
                let address = host
                    .parse()
                    .map_err(|_| fail(ErrorCode::Invalid, format!("`{host}` is no IP address")))?;
                permit(&self.step, &Request::Ssh(address, port))?;
                Ok(Place { host, port, vm: None })
            }
            (Address::Configured, None) => Err(options.wrong("ssh_host", "`ssh_host` must be set")),
            (Address::Program(_), None) => Err(fail(
                ErrorCode::Unsupported,
                "sessions through programs are specified and not implemented yet",
            )),
        }
    }

    /// What the builder made for the login; secrets in it are sealed.
    fn made(&self, values: &str) -> CallResult<communicator::Made> {
        let values: serde_json::Value = serde_json::from_str(if values.is_empty() { "{}" } else { values })
            .map_err(|e| {
            fail(ErrorCode::Invalid, format!("the values for a connection are not JSON: {e}"))
        })?;
        let text = |name: &str| Some(self.step.build.vault.unseal(values.get(name)?.as_str()?));
        Ok(communicator::Made { private_key: text("ssh_private_key"), password: text("ssh_password") })
    }
}

impl machines::Host for State {
    async fn connect(
        &mut self,
        _: Resource<Configuration>,
        address: Address,
        values: String,
    ) -> CallResult<Option<Resource<Session>>> {
        let mut call = Call::enter(self, "machines.connect", Authority::Role(Role::BUILDER))?;
        let configuration = self.configuration()?;
        let options = Options(&configuration);
        if !communicator::wants_ssh(options)? {
            return call.done(Ok(None));
        }
        let place = self.place(address, options)?;
        call.target(format!("{}:{}", place.host, place.port));
        let (made, step) = (self.made(&values)?, Arc::clone(&self.step));
        let connected = connect::connect(&step, &configuration, place, made, &call.cancel);
        let session = call.wait(connected).await;
        let result = session.and_then(|session| Ok(Some(self.table.push(session)?)));
        call.done(result)
    }

    async fn media(&mut self, _: Resource<Configuration>, late: String) -> CallResult<Vec<Medium>> {
        let call = Call::enter(self, "machines.media", Authority::Designation)?;
        let (configuration, step, cancel) =
            (self.configuration()?, Arc::clone(&self.step), call.cancel.clone());
        let made = call.blocking(move || media::make(&step, &configuration, &late, &cancel)).await;
        let result = made.and_then(|made| {
            made.into_iter()
                .map(|(kind, file)| Ok(Medium { kind, content: self.table.push(file)? }))
                .collect::<CallResult<Vec<_>>>()
        });
        call.done(result)
    }

    async fn iso(&mut self, _: Resource<Configuration>) -> CallResult<Resource<File>> {
        let mut call = Call::enter(self, "machines.iso", Authority::Designation)?;
        let (configuration, step) = (self.configuration()?, Arc::clone(&self.step));
        let fetched = call.wait(media::iso(&step, &configuration, call.cancel.clone())).await;
        let result = fetched.and_then(|file| {
            call.target(file.name().to_owned());
            Ok(self.table.push(file)?)
        });
        call.done(result)
    }

    async fn http(
        &mut self,
        _: Resource<Configuration>,
        late: String,
    ) -> CallResult<Option<Resource<Server>>> {
        let call = Call::enter(self, "machines.http", Authority::Designation)?;
        let (configuration, step) = (self.configuration()?, Arc::clone(&self.step));
        let started = call.wait(media::serve(&step, &configuration, &late)).await;
        let result = started.and_then(|server| match server {
            Some(server) => Ok(Some(self.table.push(server)?)),
            None => Ok(None),
        });
        call.done(result)
    }

    async fn type_boot_command(
        &mut self,
        _: Resource<Configuration>,
        vm: Resource<Vm>,
        late: String,
    ) -> CallResult<()> {
        let call = Call::enter(self, "machines.type-boot-command", Authority::Role(Role::BUILDER))?;
        let vm = Arc::clone(self.table.get(&vm)?.0.running()?);
        let (configuration, step) = (self.configuration()?, Arc::clone(&self.step));
        let result = call.wait(typing::boot_command(&step, &configuration, &vm, &late, &call.cancel)).await;
        call.done(result)
    }

    async fn shut_down(
        &mut self,
        _: Resource<Configuration>,
        vm: Resource<Vm>,
        session: Option<Resource<Session>>,
    ) -> CallResult<()> {
        let call = Call::enter(self, "machines.shut-down", Authority::Role(Role::BUILDER))?;
        let vm = Arc::clone(self.table.get(&vm)?.0.running()?);
        let session =
            session.map(|session| Ok::<_, crate::error::CallError>(self.table.get(&session)?.clone()));
        let session = session.transpose()?;
        let (configuration, step) = (self.configuration()?, Arc::clone(&self.step));
        let result = call.wait(shut_down(&step, &configuration, &vm, session)).await;
        call.done(result)
    }

    async fn keypair(&mut self, _: Resource<Configuration>) -> CallResult<KeyPair> {
        let call = Call::enter(self, "machines.keypair", Authority::Role(Role::BUILDER))?;
        let configuration = self.configuration()?;
        let kind = communicator::key_kind(Options(&configuration))?;
        let key = self.step.build.extension(BuildKey::default);
        let name = format!("packer_{}", self.step.build.run_id());
        let made = call.blocking(move || {
            let mut key = key.0.lock().unwrap_or_else(PoisonError::into_inner);
            if key.is_none() {
                let pair = kiln_ssh::KeyPair::generate(kind, &name);
                *key = Some(pair.map_err(|e| fail(ErrorCode::Invalid, e.to_string()))?);
            }
            key.clone().ok_or_else(|| fail(ErrorCode::Failed, "no key pair could be made"))
        });
        let pair = made.await;
        let vault = &self.step.build.vault;
        call.done(pair.map(|pair| KeyPair {
            public_key: pair.public,
            private_key: vault.seal(&pair.private).unwrap_or_default(),
        }))
    }

    async fn connection_values(&mut self, _: Resource<Configuration>) -> CallResult<String> {
        let call = Call::enter(self, "machines.connection-values", Authority::Role(Role::BUILDER))?;
        let configuration = self.configuration()?;
        let options = Options(&configuration);
        let build = &self.step.build;
        let (host, port) = build.extension(Connections::default).last();
        let seal = |text: Option<&str>| text.and_then(|text| build.vault.seal(text)).unwrap_or_default();
        let key = build.extension(BuildKey::default);
        let key = key.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let values = json!({
            "Host": host,
            "Port": port,
            "User": options.text("ssh_username").unwrap_or(""),
            "Password": seal(options.text("ssh_password")),
            "ConnType": options.text("communicator").unwrap_or("ssh"),
            "PackerRunUUID": &*build.run_id(),
            "SSHPublicKey": key.as_ref().map_or("", |key| key.public.as_str()),
            "SSHPrivateKey": seal(key.as_ref().map(|key| key.private.as_str())),
            "SSHPrivateKeyFile": options.text("ssh_private_key_file").unwrap_or(""),
            "SSHAgentAuth": options.flag("ssh_agent_auth"),
            "WinRMPassword": "",
        });
        call.done(Ok(values.to_string()))
    }
}

/// Ends the machine as the group `shutdown@1` says.
async fn shut_down(
    step: &Arc<StepCtx>,
    configuration: &Arc<StepConfiguration>,
    vm: &Arc<kiln_machine::Vm>,
    session: Option<Session>,
) -> CallResult<()> {
    let options = Options(configuration);
    if let Some(session) = &session {
        forget_key(step, options, session).await;
    }
    let (Some(command), Some(session)) = (options.text("shutdown_command"), session) else {
        return vm.power_off().await.map_err(|e| super::hypervisor::vm_error(&e));
    };
    let limit =
        options.duration("shutdown_timeout")?.filter(|t| !t.is_zero()).unwrap_or(Duration::from_secs(300));
    let ended = async {
        let run = kiln_ssh::ExecOptions::default();
        let shutting = connection::run_to_end(&session.ssh.session, step, command, run, Mode::Live);
        tokio::pin!(shutting);
        let stopped = vm.wait_stopped();
        tokio::pin!(stopped);
        tokio::select! {
            // The connection often dies with the machine; its end is what counts.
            _ = &mut stopped => Ok(()),
            finished = &mut shutting => {
                check_shutdown(options, finished)?;
                stopped.await;
                Ok(())
            }
        }
    };
    tokio::time::timeout(limit, ended).await.unwrap_or_else(|_| {
        let message = format!("the machine did not shut down within {} s", limit.as_secs());
        Err(options.wrong("shutdown_timeout", &message))
    })
}

/// A shutdown command that failed, unless the machine went away under it.
fn check_shutdown(options: Options<'_>, finished: CallResult<crate::finished::Finished>) -> CallResult<()> {
    match finished?.status {
        None | Some(0) => Ok(()),
        Some(status) => Err(options
            .wrong("shutdown_command", &format!("the shutdown command ended with exit status {status}"))),
    }
}

/// Takes the build's own key out of the machine (`ssh_clear_authorized_keys`).
async fn forget_key(step: &Arc<StepCtx>, options: Options<'_>, session: &Session) {
    let key = step.build.extension(BuildKey::default);
    let key = key.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let (Some(key), true) = (key, options.flag("ssh_clear_authorized_keys")) else { return };
    let Some(body) = key.public.split_whitespace().nth(1) else { return };
    // Base64 has no character that sed or the shell would take for its own but `/`.
    let line = format!(
        "sed -i '\\#{body}#d' ~/.ssh/authorized_keys; sudo -n sed -i '\\#{body}#d' /root/.ssh/authorized_keys"
    );
    let run = kiln_ssh::ExecOptions::default();
    let done = connection::run_to_end(&session.ssh.session, step, &line, run, Mode::Quiet).await;
    if done.is_err() {
        step.emit(EventBody::Warning {
            text: "the temporary key could not be removed from the machine".to_owned(),
        });
    }
}

/// Whether a value of the configuration is there and not empty.
fn is_set(configuration: &StepConfiguration, name: &str) -> bool {
    let value = configuration.value.as_map().and_then(|map| map.get(name));
    value.is_some_and(|value| match &value.data {
        Data::Text(text) => !text.is_empty(),
        Data::List(items) => !items.is_empty(),
        Data::Map(map) => !map.is_empty(),
        Data::Null => false,
        _ => true,
    })
}
