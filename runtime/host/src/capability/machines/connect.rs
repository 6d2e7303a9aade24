//! Waiting for a machine until it lets us in, and saying all that is known when it does not.
#![expect(
    clippy::disallowed_methods,
    reason = "the last screen is written into kiln's cache for the user to look at, and the key of a machine \
              that is left running into the build's folder"
)]

use super::say;
use crate::bindings::kiln::host::types::ErrorCode;
use crate::build::BuildInner;
use crate::capability::hypervisor::{Machines, stopped_words};
use crate::capability::machines::media::Servers;
use crate::capability::sessions::connection::{Session, Ssh, ssh_error};
use crate::configuration::StepConfiguration;
use crate::error::{CallError, CallResult, fail};
use crate::groups::{Options, communicator};
use crate::state::StepCtx;
use kiln_plan::EventBody;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// How much of the serial console an error shows.
const SERIAL_LINES: usize = 12;

/// Where a machine is reached.
pub(super) struct Place {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) vm: Option<Arc<kiln_machine::Vm>>,
}

/// The last address that a session of this build was made to.
#[derive(Default)]
pub(super) struct Connections(Mutex<Option<(String, u16)>>);

impl Connections {
    pub(super) fn last(&self) -> (String, u16) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_default()
    }
}

/// Connects, or says why not: what the machine shows, said and asked for.
pub(super) async fn connect(
    step: &Arc<StepCtx>,
    configuration: &Arc<StepConfiguration>,
    place: Place,
    made: communicator::Made,
    cancel: &CancellationToken,
) -> CallResult<Session> {
    let (build, host, port) = (Arc::clone(&step.build), place.host.clone(), place.port);
    let made_key = made.private_key.clone();
    let (reading, options) = (Arc::clone(configuration), Options(configuration));
    let read = tokio::task::spawn_blocking(move || {
        communicator::connect_options(&build, Options(&reading), &host, port, made)
    });
    let mut connect = read.await.map_err(|_| fail(ErrorCode::Failed, "the keys could not be read"))??;
    connect.cancel = cancel.clone();
    if place.vm.is_some() && step.build.extension(Machines::default).is_emulated() {
        communicator::prefer_for_emulation(&mut connect);
    }
    say(step, format!("Using SSH communicator to connect: {}", place.host));
    say(step, "Waiting for SSH to become available...");
    let began = Instant::now();
    let door = Door::of(options, &connect, made_key);
    let session = reach(step, &place, connect.clone()).await?;
    let session = paused(step, options, &place, session, connect).await?;
    say(step, "Connected to SSH!");
    step.emit(EventBody::Span { name: "connect".into(), elapsed: began.elapsed() });
    let known = step.build.extension(Connections::default);
    *known.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((place.host, place.port));
    let closing = session.clone();
    step.build.undo("the SSH session", None, move || async move {
        closing.close().await;
        Ok(())
    })?;
    let (build, door) = (Arc::clone(&step.build), door);
    step.build.leave_with(move || door.words(&build));
    let method = communicator::transfer_method(options);
    Ok(Session { ssh: Arc::new(Ssh { session, method, forwards: Default::default() }) })
}

/// How the user gets into a machine that is left running.
struct Door {
    user: String,
    host: String,
    port: u16,
    /// The user's own key file, as written.
    key_file: Option<String>,
    /// A key that only kiln has: it is written down before kiln ends.
    key: Option<String>,
    through: Option<String>,
}

impl Door {
    fn of(options: Options<'_>, connect: &kiln_ssh::ConnectOptions, made: Option<String>) -> Self {
        let key_file = options.string("ssh_private_key_file");
        Self {
            user: connect.login.user.clone(),
            host: connect.host.clone(),
            port: connect.port,
            key: made.filter(|_| key_file.is_none()),
            key_file,
            through: connect.bastion.as_ref().map(|b| format!("{}@{}:{}", b.login.user, b.host, b.port)),
        }
    }

    /// The command that logs in.
    fn words(self, build: &BuildInner) -> String {
        let mut line = vec!["ssh".to_owned()];
        // The machine's key is new with every build.
        line.extend(
            ["-o", "UserKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=no"].map(str::to_owned),
        );
        let key = match self.key {
            Some(key) => write_key(build, &key).ok().map(|path| path.display().to_string()),
            None => self.key_file,
        };
        line.extend(key.into_iter().flat_map(|key| ["-i".to_owned(), key]));
        line.extend(self.through.into_iter().flat_map(|via| ["-J".to_owned(), via]));
        line.extend(["-p".to_owned(), self.port.to_string(), format!("{}@{}", self.user, self.host)]);
        let line: Vec<String> = line.iter().map(|word| shell_word(word)).collect();
        let words = format!("log in with: {}", line.join(" "));
        build.vault.redactor().redact(&words).into_owned()
    }
}

/// The build's own key in the build's private folder, which `kiln cleanup` removes.
fn write_key(build: &BuildInner, key: &str) -> std::io::Result<PathBuf> {
    use std::io::Write as _;
    let path = build.scratch()?.join("login-key");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&path)?.write_all(key.as_bytes())?;
    Ok(path)
}

/// A word as a POSIX shell reads it back.
fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// Waits for the server, and for the machine's end, whichever comes first.
async fn reach(
    step: &Arc<StepCtx>,
    place: &Place,
    connect: kiln_ssh::ConnectOptions,
) -> CallResult<kiln_ssh::Session> {
    let stopped = async {
        match &place.vm {
            Some(vm) => vm.wait_stopped().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        session = kiln_ssh::connect(connect) => match session {
            Ok(session) => Ok(session),
            Err(error) => Err(explained(step, place, &error).await),
        },
        stop = stopped => {
            let words = format!("{} while kiln waited for SSH", stopped_words(&stop));
            Err(fail(ErrorCode::Ended, words))
        }
    }
}

/// `pause_before_connecting`: the first connection only shows that the machine is there.
async fn paused(
    step: &Arc<StepCtx>,
    options: Options<'_>,
    place: &Place,
    session: kiln_ssh::Session,
    connect: kiln_ssh::ConnectOptions,
) -> CallResult<kiln_ssh::Session> {
    let Some(pause) = options.duration("pause_before_connecting")?.filter(|t| !t.is_zero()) else {
        return Ok(session);
    };
    say(step, format!("Pausing {} s before connecting...", pause.as_secs_f64()));
    session.close().await;
    tokio::time::sleep(pause).await;
    reach(step, place, connect).await
}

/// The error with the last screen, the end of the serial console and the requests of the machine.
async fn explained(step: &Arc<StepCtx>, place: &Place, error: &kiln_ssh::Error) -> CallError {
    let CallError::Guest(mut guest) = ssh_error(error) else { return ssh_error(error) };
    let Some(vm) = &place.vm else { return CallError::Guest(guest) };
    if matches!(guest.code, ErrorCode::Cancelled) {
        return CallError::Guest(guest);
    }
    if let Some(path) = save_screen(step, vm).await {
        guest.message.push_str(&format!("\nthe last screen of the machine: {}", path.display()));
    }
    let serial = vm.serial_tail(16 << 10);
    let serial = String::from_utf8_lossy(&serial);
    let lines: Vec<&str> = serial.lines().filter(|line| !line.trim().is_empty()).collect();
    let from = lines.len().saturating_sub(SERIAL_LINES);
    match lines.get(from..) {
        Some([]) | None => guest.message.push_str("\nthe serial console said nothing"),
        Some(lines) => {
            guest.message.push_str("\nthe end of the serial console:");
            lines.iter().for_each(|line| guest.message.push_str(&format!("\n  {line}")));
        }
    }
    for request in step.build.extension(Servers::default).requests() {
        guest.message.push_str(&format!("\nthe machine asked for {request}"));
    }
    CallError::Guest(guest)
}

async fn save_screen(step: &Arc<StepCtx>, vm: &kiln_machine::Vm) -> Option<PathBuf> {
    let picture =
        tokio::time::timeout(std::time::Duration::from_secs(5), vm.screenshot()).await.ok()?.ok()?;
    let folder = step.build.options().cache_dir.join("screens");
    crate::sealed_cache::private_folder(&folder).ok()?;
    let name: String = step
        .build
        .name()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '.' { c } else { '_' })
        .collect();
    let path = folder.join(format!("{name}-{}.png", step.build.run_id()));
    std::fs::write(&path, picture).ok()?;
    Some(path)
}
