//! Sessions and running commands: what goes over the connection.
#![expect(clippy::disallowed_methods, reason = "downloads are written to outputs that were designated")]

use super::{Command, UploadOptions};
use crate::bindings::kiln::host::sessions::{self, Kind, Piece, Signal, Stream};
use crate::bindings::kiln::host::types::ErrorCode;
use crate::capability::files::DirectoryHandle;
use crate::capability::{Authority, Call, Role};
use crate::error::{CallError, CallResult, fail};
use crate::file::File;
use crate::finished::{Capture, Finished, Mode, Shown, sealed_bytes};
use crate::output::Output;
use crate::progress::{Bar, bar};
use crate::state::{State, StepCtx};
use kiln_plan::OutputStream;
use kiln_plan::grant::{Request, Switch};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use wasmtime::component::Resource;

/// What a command or upload may take from memory.
const MAX_MEMORY: usize = 64 << 20;
/// The most ports of loopback that lead into one session.
const MAX_FORWARDS: usize = 64;
/// The most patterns of names that an upload leaves out.
const MAX_EXCLUDES: usize = 1000;

/// A connection. Cheap to clone; it is closed with the build.
#[derive(Debug, Clone)]
pub struct Session {
    pub(crate) ssh: Arc<Ssh>,
}

/// An SSH session with what the options say of transfers.
pub(crate) struct Ssh {
    pub(crate) session: kiln_ssh::Session,
    pub(crate) method: kiln_ssh::Method,
    /// The ports that were opened with it; they close with it.
    pub(crate) forwards: AtomicUsize,
}

impl std::fmt::Debug for Ssh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ssh(..)")
    }
}

/// A running command.
pub struct Process {
    process: kiln_ssh::Process,
    follow: Option<Follow>,
}

/// Output of a command on its way: to the user, and both ends of it to the guest.
struct Follow {
    shown: Shown,
    stdout: Capture,
    stderr: Capture,
    began: Instant,
}

impl Follow {
    fn new(step: &Arc<StepCtx>, mode: Mode) -> Self {
        let shown = Shown::new(Arc::clone(step), mode);
        Self { shown, stdout: Capture::default(), stderr: Capture::default(), began: Instant::now() }
    }

    fn take(&mut self, output: &kiln_ssh::Output) {
        match output {
            kiln_ssh::Output::Stdout(data) => {
                self.stdout.push(data);
                self.shown.push(OutputStream::Stdout, data);
            }
            kiln_ssh::Output::Stderr(data) => {
                self.stderr.push(data);
                self.shown.push(OutputStream::Stderr, data);
            }
        }
    }

    fn finish(self, status: &kiln_ssh::ExitStatus) -> Finished {
        let (status, disconnected) = match status {
            kiln_ssh::ExitStatus::Code(code) => (Some(i32::try_from(*code).unwrap_or(i32::MAX)), false),
            kiln_ssh::ExitStatus::Signal(_) => (None, false),
            kiln_ssh::ExitStatus::Disconnected => (None, true),
        };
        self.shown.finish(status == Some(0));
        Finished {
            status,
            disconnected,
            stdout: self.stdout,
            stderr: self.stderr,
            elapsed: self.began.elapsed(),
        }
    }
}

/// An error of the connection as the guest's.
pub(crate) fn ssh_error(error: &kiln_ssh::Error) -> CallError {
    use kiln_ssh::Error as Ssh;
    let code = match error {
        Ssh::Timeout(_) | Ssh::Elapsed { .. } => ErrorCode::TimedOut,
        Ssh::Cancelled => ErrorCode::Cancelled,
        error if error.is_disconnect() => ErrorCode::Disconnected,
        _ => ErrorCode::Failed,
    };
    fail(code, error.to_string())
}

/// A command with its secrets in place.
fn prepared(step: &StepCtx, command: &Command) -> CallResult<(String, kiln_ssh::ExecOptions)> {
    let vault = &step.build.vault;
    let stdin = match &command.stdin {
        None => kiln_ssh::Input::Null,
        Some(file) => input(&file.plain(vault))?,
    };
    let env = command.env.iter().map(|(name, value)| (name.clone(), vault.unseal(value))).collect();
    let options =
        kiln_ssh::ExecOptions { env, stdin, pty: command.pty.then_some(true), timeout: command.timeout };
    Ok((vault.unseal(&command.line), options))
}

fn input(file: &File) -> CallResult<kiln_ssh::Input> {
    if let Some(opened) = file.as_opened() {
        let file = tokio::fs::File::from_std(opened.try_clone()?);
        return Ok(kiln_ssh::Input::Reader(Box::new(file)));
    }
    Ok(kiln_ssh::Input::Bytes(file.whole(MAX_MEMORY)?.into()))
}

/// Runs a command to its end, its output on the way to the user. A lost connection is a result.
pub(crate) async fn run_to_end(
    session: &kiln_ssh::Session,
    step: &Arc<StepCtx>,
    line: &str,
    options: kiln_ssh::ExecOptions,
    mode: Mode,
) -> CallResult<Finished> {
    let mut follow = Follow::new(step, mode);
    let ended = async {
        let mut process = session.exec(line, options).await?;
        while let Some(output) = process.next_output().await? {
            follow.take(&output);
        }
        process.wait().await
    };
    match ended.await {
        Ok(status) => Ok(follow.finish(&status)),
        Err(error) if error.is_disconnect() => Ok(follow.finish(&kiln_ssh::ExitStatus::Disconnected)),
        Err(error) => Err(ssh_error(&error)),
    }
}

/// A file as the source of an upload, secrets in place.
fn source(step: &StepCtx, file: &File, mode: Option<u32>) -> CallResult<kiln_ssh::FileSource> {
    let plain = file.plain(&step.build.vault);
    let mode = mode.unwrap_or_else(|| file.mode()) & 0o7777;
    if let Some(opened) = plain.as_opened() {
        let mut source = kiln_ssh::FileSource::file(opened.try_clone()?)?;
        source.mode = mode;
        return Ok(source);
    }
    Ok(kiln_ssh::FileSource::bytes(plain.whole(MAX_MEMORY)?, mode))
}

/// Which names an upload leaves out.
fn excludes(patterns: &[String]) -> CallResult<Option<kiln_ssh::Excludes>> {
    if patterns.len() > MAX_EXCLUDES {
        return Err(fail(ErrorCode::Limit, "an upload leaves out by 1000 patterns at most"));
    }
    let read = |text: &String| {
        let wrong = |e| fail(ErrorCode::Invalid, format!("`{text}` is no pattern: {e}"));
        glob::Pattern::new(text).map_err(wrong)
    };
    let patterns: Vec<glob::Pattern> = patterns.iter().map(read).collect::<CallResult<_>>()?;
    if patterns.is_empty() {
        return Ok(None);
    }
    Ok(Some(Arc::new(move |name| patterns.iter().any(|pattern| pattern.matches(name)))))
}

impl State {
    fn ssh(&self, session: &Resource<Session>) -> CallResult<Arc<Ssh>> {
        Ok(Arc::clone(&self.table.get(session)?.ssh))
    }

    /// The gate for what comes with the session of a role.
    fn enter_session(&mut self, function: &'static str) -> CallResult<Call> {
        Call::enter(self, function, Authority::Role(Role::ACTIVE))
    }

    /// A transfer's bar and options.
    fn transfer(&self, ssh: &Ssh, title: &str, total: u64) -> (Bar, kiln_ssh::TransferOptions) {
        let bar = bar(&self.step, title, total);
        let progress = Some(bar.counter());
        (bar, kiln_ssh::TransferOptions { method: ssh.method, progress, ..Default::default() })
    }
}

impl sessions::HostProcess for State {
    async fn next_output(&mut self, this: Resource<Process>) -> CallResult<Option<Piece>> {
        let call = self.enter_session("sessions.[method]process.next-output")?;
        let process = &mut self.table.get_mut(&this)?.process;
        let result = call.wait(async { process.next_output().await.map_err(|e| ssh_error(&e)) }).await;
        let vault = &self.step.build.vault;
        let piece = |stream, data: &[u8]| Piece { stream, data: sealed_bytes(data.to_vec(), vault) };
        call.done(result.map(|output| {
            output.map(|output| match output {
                kiln_ssh::Output::Stdout(data) => piece(Stream::Stdout, &data),
                kiln_ssh::Output::Stderr(data) => piece(Stream::Stderr, &data),
            })
        }))
    }

    async fn write_stdin(&mut self, this: Resource<Process>, data: Vec<u8>) -> CallResult<()> {
        let mut call = self.enter_session("sessions.[method]process.write-stdin")?;
        call.bytes(data.len() as u64);
        let data = self.step.build.vault.unseal_bytes(data);
        let stdin = self.table.get(&this)?.process.stdin();
        let result = call.wait(async { stdin.write(data.into()).await.map_err(|e| ssh_error(&e)) }).await;
        call.done(result)
    }

    async fn close_stdin(&mut self, this: Resource<Process>) -> CallResult<()> {
        let call = self.enter_session("sessions.[method]process.close-stdin")?;
        let stdin = self.table.get(&this)?.process.stdin();
        let result = call.wait(async { stdin.close().await.map_err(|e| ssh_error(&e)) }).await;
        call.done(result)
    }

    async fn wait(&mut self, this: Resource<Process>) -> CallResult<Resource<Finished>> {
        let call = self.enter_session("sessions.[method]process.wait")?;
        let running = self.table.get_mut(&this)?;
        let Some(mut follow) = running.follow.take() else {
            return call.done(Err(fail(ErrorCode::Ended, "this process was waited for already")));
        };
        let process = &mut running.process;
        let waited = call.wait(async {
            while let Some(output) = process.next_output().await.map_err(|e| ssh_error(&e))? {
                follow.take(&output);
            }
            process.wait().await.map_err(|e| ssh_error(&e))
        });
        let status = waited.await;
        let result = status.and_then(|status| Ok(self.table.push(follow.finish(&status))?));
        call.done(result)
    }

    async fn signal(&mut self, this: Resource<Process>, signal: Signal) -> CallResult<()> {
        let call = self.enter_session("sessions.[method]process.signal")?;
        let signal = match signal {
            Signal::Interrupt => kiln_ssh::Signal::Interrupt,
            Signal::Terminate => kiln_ssh::Signal::Terminate,
            Signal::Kill => kiln_ssh::Signal::Kill,
        };
        let process = &self.table.get(&this)?.process;
        let result = call.wait(async { process.signal(signal).await.map_err(|e| ssh_error(&e)) }).await;
        call.done(result)
    }

    async fn drop(&mut self, this: Resource<Process>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl sessions::HostSession for State {
    async fn kind(&mut self, this: Resource<Session>) -> wasmtime::Result<Kind> {
        let _call = Call::by_role(self, "sessions.[method]session.kind", Role::ACTIVE)?;
        self.table.get(&this)?;
        Ok(Kind::Ssh)
    }

    async fn os(&mut self, this: Resource<Session>) -> wasmtime::Result<String> {
        let _call = Call::by_role(self, "sessions.[method]session.os", Role::ACTIVE)?;
        self.table.get(&this)?;
        Ok(String::new())
    }

    async fn run(
        &mut self,
        this: Resource<Session>,
        command: Resource<Command>,
    ) -> CallResult<Resource<Finished>> {
        let mut call = self.enter_session("sessions.[method]session.run")?;
        let (ssh, command) = (self.ssh(&this)?, self.table.delete(command)?);
        call.target(self.step.shown(&command.line));
        let step = Arc::clone(&self.step);
        let (line, options) = prepared(&step, &command)?;
        let result = call.wait(run_to_end(&ssh.session, &step, &line, options, command.mode)).await;
        let result = result.and_then(|finished| Ok(self.table.push(finished)?));
        call.done(result)
    }

    async fn start(
        &mut self,
        this: Resource<Session>,
        command: Resource<Command>,
    ) -> CallResult<Resource<Process>> {
        let mut call = self.enter_session("sessions.[method]session.start")?;
        let (ssh, command) = (self.ssh(&this)?, self.table.delete(command)?);
        call.target(self.step.shown(&command.line));
        let (line, mut options) = prepared(&self.step, &command)?;
        if command.stdin.is_none() {
            options.stdin = kiln_ssh::Input::Manual;
        }
        let follow = Follow::new(&self.step, command.mode);
        let started =
            call.wait(async { ssh.session.exec(&line, options).await.map_err(|e| ssh_error(&e)) }).await;
        let result =
            started.and_then(|process| Ok(self.table.push(Process { process, follow: Some(follow) })?));
        call.done(result)
    }

    async fn upload(
        &mut self,
        this: Resource<Session>,
        file: Resource<File>,
        remote: String,
        options: Resource<UploadOptions>,
    ) -> CallResult<()> {
        let mut call = self.enter_session("sessions.[method]session.upload")?;
        call.target(self.step.shown(&remote));
        let (ssh, options) = (self.ssh(&this)?, self.table.delete(options)?);
        let file = self.table.get(&file)?.clone();
        let remote = self.step.build.vault.unseal(&remote);
        let source = source(&self.step, &file, options.mode)?;
        let (_bar, transfer) = self.transfer(&ssh, &format!("uploading {}", file.name()), source.size);
        let work = async { ssh.session.upload(source, &remote, &transfer).await.map_err(|e| ssh_error(&e)) };
        let result = call.wait(work).await.map(|moved| call.bytes(moved.bytes));
        call.done(result)
    }

    async fn upload_directory(
        &mut self,
        this: Resource<Session>,
        directory: Resource<DirectoryHandle>,
        remote: String,
        contents: bool,
        options: Resource<UploadOptions>,
    ) -> CallResult<()> {
        let mut call = self.enter_session("sessions.[method]session.upload-directory")?;
        call.target(self.step.shown(&remote));
        let (ssh, options) = (self.ssh(&this)?, self.table.delete(options)?);
        let excludes = match excludes(&options.exclude) {
            Ok(excludes) => excludes,
            Err(error) => return call.done(Err(error)),
        };
        let directory = self.table.get(&directory)?;
        let (dir, name) = (directory.opened()?, directory.file_name());
        let remote = self.step.build.vault.unseal(&remote);
        let target = if contents { remote } else { format!("{}/{name}", remote.trim_end_matches('/')) };
        let (_bar, mut transfer) = self.transfer(&ssh, &format!("uploading {name}"), 0);
        transfer.excludes = excludes;
        let work =
            async { ssh.session.upload_directory(dir, &target, &transfer).await.map_err(|e| ssh_error(&e)) };
        let result = call.wait(work).await.map(|moved| call.bytes(moved.bytes));
        call.done(result)
    }

    async fn download(
        &mut self,
        this: Resource<Session>,
        remote: String,
        to: Resource<Output>,
    ) -> CallResult<Resource<File>> {
        let mut call = self.enter_session("sessions.[method]session.download")?;
        call.target(self.step.shown(&remote));
        let (ssh, output) = (self.ssh(&this)?, self.table.get(&to)?.clone());
        let remote = self.step.build.vault.unseal(&remote);
        let (_bar, transfer) = self.transfer(&ssh, &format!("downloading {remote}"), 0);
        let work = async {
            let path = output.prepare_for_writing()?;
            let sink = std::fs::File::create(&path)?;
            let moved = ssh.session.download(&remote, sink, &transfer).await;
            if moved.is_err() {
                // Half a file is worse than none.
                let _ = std::fs::remove_file(&path);
            }
            moved.map_err(|e| ssh_error(&e))
        };
        let result = call.wait(work).await.map(|moved| call.bytes(moved.bytes));
        let result = result.and_then(|()| Ok(self.table.push(output.written()?)?));
        call.done(result)
    }

    async fn download_directory(
        &mut self,
        this: Resource<Session>,
        remote: String,
        contents: bool,
        to: Resource<Output>,
    ) -> CallResult<()> {
        let mut call = self.enter_session("sessions.[method]session.download-directory")?;
        call.target(self.step.shown(&remote));
        let (ssh, output) = (self.ssh(&this)?, self.table.get(&to)?.clone());
        let remote = self.step.build.vault.unseal(&remote);
        let name = remote.trim_end_matches('/').rsplit('/').next().unwrap_or("").to_owned();
        let output = if contents || name.is_empty() { output } else { output.child(&name)? };
        let (_bar, transfer) = self.transfer(&ssh, &format!("downloading {remote}"), 0);
        let work = async {
            output.make_directory()?;
            let into = output.open_directory()?;
            ssh.session.download_directory(&remote, into, &transfer).await.map_err(|e| ssh_error(&e))
        };
        let result = call.wait(work).await.map(|moved| call.bytes(moved.bytes));
        call.done(result)
    }

    async fn reconnect(&mut self, this: Resource<Session>, timeout_ms: u64) -> CallResult<()> {
        let call = self.enter_session("sessions.[method]session.reconnect")?;
        let ssh = self.ssh(&this)?;
        let limit = Duration::from_millis(timeout_ms);
        let again = ssh.session.reconnect(limit, kiln_ssh::HostKeyChange::Refuse);
        let result = call.wait(async { again.await.map_err(|e| ssh_error(&e)) }).await;
        call.done(result)
    }

    async fn forward(&mut self, this: Resource<Session>, host: String, port: u16) -> CallResult<u16> {
        let authority = Authority::Granted(Request::Switch(Switch::Forward));
        let mut call = Call::enter(self, "sessions.[method]session.forward", authority)?;
        call.target(self.step.shown(&format!("{host}:{port}")));
        let ssh = self.ssh(&this)?;
        if ssh.forwards.fetch_add(1, Ordering::Relaxed) >= MAX_FORWARDS {
            return call.done(Err(fail(ErrorCode::Limit, "a session forwards 64 ports at most")));
        }
        let result =
            call.wait(async { ssh.session.forward(&host, port).await.map_err(|e| ssh_error(&e)) }).await;
        call.done(result)
    }

    async fn share(&mut self, this: Resource<Session>) -> wasmtime::Result<Resource<Session>> {
        let _call = Call::by_role(self, "sessions.[method]session.share", Role::ACTIVE)?;
        let session = self.table.get(&this)?.clone();
        Ok(self.table.push(session)?)
    }

    async fn drop(&mut self, this: Resource<Session>) -> wasmtime::Result<()> {
        // The connection lives as long as the build.
        self.table.delete(this)?;
        Ok(())
    }
}
