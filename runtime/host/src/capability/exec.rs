//! `exec` (grant, or a `command` that the template names): programs on the user's machine. Threat:
//! everything; a granted program has full trust, and is shown as such. Programs end with kiln.

use super::{Authority, Call};
use crate::bindings::kiln::host::exec::{self, Part};
use crate::bindings::kiln::host::sessions::{OutputMode, Piece, Stream};
use crate::bindings::kiln::host::types::ErrorCode;
use crate::designation;
use crate::error::{CallError, CallResult, fail};
use crate::file::{File, MAX_HELD};
use crate::finished::{Capture, Finished, Mode, Shown, sealed_bytes};
use crate::journal::Entry;
use crate::state::State;
use kiln_machine::{Chunk, Exit, Output as Pipes, Process, ProcessError, Program, Spawner, Stdin};
use kiln_plan::grant::Request;
use kiln_plan::{Data, Designation, Origin, OutputStream};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::process::ChildStdin;
use tokio::sync::mpsc::Receiver;
use wasmtime::component::Resource;

/// The most arguments of a program, and bytes of all of them.
const MAX_ARGUMENTS: usize = 100_000;
const MAX_ARGUMENT_BYTES: usize = 8 << 20;
/// Variables that every program gets: without them hardly any runs.
const BASE: &[&str] = &["PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT", "TEMP"];
/// How long output may still come after the program ended.
const LINGER: Duration = Duration::from_millis(500);
/// Between asking a program to end and ending it.
const GRACE: Duration = Duration::from_secs(2);

/// A program to run.
#[derive(Debug, Default)]
pub struct ProgramCall {
    program: String,
    arguments: Vec<OsString>,
    size: usize,
    env: Vec<(String, String)>,
    inherit: bool,
    stdin: Option<File>,
    timeout: Option<Duration>,
    mode: Mode,
    wrong: Option<&'static str>,
}

/// A running program.
#[derive(Debug)]
pub struct RunningProgram {
    process: Process,
    /// What it reads, if a guest writes it and has not ended it.
    input: Option<ChildStdin>,
    output: Receiver<Chunk>,
    stdout: Capture,
    stderr: Capture,
    began: Instant,
    deadline: Option<Instant>,
    program: String,
    entry: Option<u64>,
}

impl State {
    /// Whether an option of the user's names the program.
    fn is_named_by_user(&self, program: &str) -> bool {
        self.step.configuration.as_ref().is_some_and(|configuration| {
            let Data::Map(map) = &configuration.value.data else { return false };
            map.keys().any(|name| {
                let pointer = kiln_plan::pointer_push("", name);
                designation::find(configuration, &pointer).is_ok_and(|designated| {
                    designated.designation == Designation::Command
                        && designated.text == program
                        && designated.origin() != Origin::Component
                        && !configuration.is_default(&pointer)
                })
            })
        })
    }

    /// The gate of `run` and `start`.
    fn enter_program(&mut self, function: &'static str, program: &str) -> CallResult<Call> {
        if self.is_named_by_user(program) {
            return Call::enter(self, function, Authority::Designation);
        }
        Call::enter(self, function, Authority::Granted(Request::Exec(program)))
    }

    /// The program as it is started: secrets in place, environment, working directory.
    fn program(&self, call: &ProgramCall) -> CallResult<Program> {
        if let Some(wrong) = call.wrong {
            return Err(fail(ErrorCode::Invalid, wrong));
        }
        let options = self.step.build.options();
        let vault = &self.step.build.vault;
        let mut program = Program::new(PathBuf::from(&call.program), call.arguments.clone());
        let inherited = options.environment.iter().filter(|(name, _)| {
            BASE.contains(&name.as_str())
                || (call.inherit && self.step.grants.permit(&Request::Env(name)).is_ok())
        });
        program.env = inherited.map(|(name, value)| (name.into(), value.into())).collect();
        for (name, value) in &call.env {
            if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
                return Err(fail(
                    ErrorCode::Invalid,
                    format!("`{}` is no environment variable", name.escape_debug()),
                ));
            }
            program.env.retain(|(known, _)| *known != **name);
            program.env.push((name.into(), vault.unseal(value).into()));
        }
        program.cwd = Some(options.working_dir.clone());
        program.output = Pipes::Piped;
        Ok(program)
    }

    /// `input` is what the program reads if the call says nothing.
    async fn start_program(
        &mut self,
        gate: &Call,
        call: ProgramCall,
        input: Stdin,
    ) -> CallResult<RunningProgram> {
        let mut program = self.program(&call)?;
        program.stdin = match &call.stdin {
            Some(stdin) => {
                let stdin = stdin.plain(&self.step.build.vault);
                Stdin::Bytes(gate.blocking(move || Ok(stdin.whole(MAX_HELD)?)).await?)
            }
            None => input,
        };
        let spawner = self.step.build.run.host.spawner()?;
        let (began, name) = (Instant::now(), call.program.clone());
        let mut process = gate.wait(async { spawner.spawn(program).await.map_err(|e| refuse(&e)) }).await?;
        let output =
            process.take_output().ok_or_else(|| fail(ErrorCode::Failed, "the program has no output"))?;
        let entry = Entry::Process { pid: process.pid(), start: process.start_time(), summary: name.clone() };
        let entry = self.step.build.journal.record(entry).ok();
        Ok(RunningProgram {
            input: process.take_input(),
            process,
            output,
            stdout: Capture::default(),
            stderr: Capture::default(),
            began,
            deadline: call.timeout.and_then(|timeout| began.checked_add(timeout)),
            program: name,
            entry,
        })
    }
}

impl RunningProgram {
    /// The next piece of output; none at the end of the program.
    async fn next(&mut self) -> Option<Chunk> {
        tokio::select! {
            biased;
            chunk = self.output.recv() => chunk,
            // Somebody else may hold the pipe: output ends a little after the program.
            _ = async { self.process.wait().await; tokio::time::sleep(LINGER).await } => None,
        }
    }

    fn keep(&mut self, chunk: &Chunk) {
        match chunk {
            Chunk::Stdout(bytes) => self.stdout.push(bytes),
            Chunk::Stderr(bytes) => self.stderr.push(bytes),
        }
    }

    async fn follow(&mut self, mut shown: Shown) -> CallResult<Finished> {
        // Nobody writes any more: a program that reads to the end would wait for ever.
        self.input = None;
        let limit = self.deadline;
        let program = self.program.clone();
        let follow = async {
            while let Some(chunk) = self.next().await {
                self.keep(&chunk);
                match &chunk {
                    Chunk::Stdout(bytes) => shown.push(OutputStream::Stdout, bytes),
                    Chunk::Stderr(bytes) => shown.push(OutputStream::Stderr, bytes),
                }
            }
            self.process.wait().await
        };
        let exit = match limit {
            None => follow.await,
            Some(limit) => match tokio::time::timeout_at(limit.into(), follow).await {
                Ok(exit) => exit,
                Err(_) => {
                    shown.finish(false);
                    self.process.kill_group(GRACE).await;
                    return Err(fail(ErrorCode::TimedOut, format!("`{program}` did not end in time")));
                }
            },
        };
        shown.finish(exit.success());
        Ok(Finished {
            status: match exit {
                Exit::Code(code) => Some(code),
                Exit::Signal(_) => None,
            },
            disconnected: false,
            stdout: std::mem::take(&mut self.stdout),
            stderr: std::mem::take(&mut self.stderr),
            elapsed: self.began.elapsed(),
        })
    }
}

fn refuse(error: &ProcessError) -> CallError {
    let code = match error {
        ProcessError::NotFound(_) => ErrorCode::NotFound,
        ProcessError::TimedOut { .. } => ErrorCode::TimedOut,
        ProcessError::Cancelled => ErrorCode::Cancelled,
        _ => ErrorCode::Failed,
    };
    fail(code, error.to_string())
}

impl crate::host::HostInner {
    /// Starts programs; itself started with the first of them.
    pub(crate) fn spawner(&self) -> CallResult<Spawner> {
        if let Some(spawner) = self.spawner.get() {
            return Ok(spawner.clone());
        }
        let arguments: Vec<&str> = self
            .options
            .supervisor
            .iter()
            .flat_map(|(_, arguments)| arguments.iter().map(String::as_str))
            .collect();
        let supervisor =
            self.options.supervisor.as_ref().map(|(program, _)| (program.as_path(), arguments.as_slice()));
        let spawner = Spawner::start(supervisor).map_err(|e| refuse(&e))?;
        Ok(self.spawner.get_or_init(|| spawner).clone())
    }
}

impl exec::HostCall for State {
    async fn new(&mut self, program: String) -> wasmtime::Result<Resource<ProgramCall>> {
        // A constructor cannot refuse: `run` and `start` look for the grant.
        let _call = Call::always(self, "exec.[constructor]call")?;
        let wrong = (program.is_empty() || program.contains('\0')).then_some("a program needs a name");
        Ok(self.table.push(ProgramCall { program, wrong, ..ProgramCall::default() })?)
    }

    async fn argument(&mut self, this: Resource<ProgramCall>, parts: Vec<Part>) -> wasmtime::Result<()> {
        let _call = Call::always(self, "exec.[method]call.argument")?;
        let mut argument = OsString::new();
        let mut wrong = None;
        for part in parts {
            match part {
                Part::Text(text) => {
                    if text.contains('\0') {
                        wrong = Some("an argument cannot hold a NUL character");
                    }
                    argument.push(self.step.build.vault.unseal(&text));
                }
                Part::File(file) => match self.path_for_program(self.table.get(&file)?) {
                    Ok(path) => argument.push(path),
                    Err(_) => wrong = Some("a file cannot be given to a program"),
                },
                Part::Directory(directory) => argument.push(&self.table.get(&directory)?.path),
                Part::Output(output) => match self.table.get(&output)?.prepare_for_writing() {
                    Ok(path) => argument.push(path),
                    Err(_) => wrong = Some("an output that a program should write exists already"),
                },
            }
        }
        let call = self.table.get_mut(&this)?;
        call.size += argument.len();
        call.arguments.push(argument);
        if call.arguments.len() > MAX_ARGUMENTS || call.size > MAX_ARGUMENT_BYTES {
            call.arguments.clear();
            wrong = Some("the program has more than 100,000 arguments or 8 MiB of them");
        }
        call.wrong = call.wrong.or(wrong);
        Ok(())
    }

    async fn env(
        &mut self,
        this: Resource<ProgramCall>,
        name: String,
        value: String,
    ) -> wasmtime::Result<()> {
        let _call = Call::always(self, "exec.[method]call.env")?;
        let call = self.table.get_mut(&this)?;
        call.size += name.len() + value.len();
        if call.size > MAX_ARGUMENT_BYTES {
            call.wrong = Some("the program has more than 8 MiB of arguments and variables");
        } else {
            call.env.push((name, value));
        }
        Ok(())
    }

    async fn inherit_env(&mut self, this: Resource<ProgramCall>) -> wasmtime::Result<()> {
        // What is inherited is decided when it runs: the granted names only.
        let _call = Call::always(self, "exec.[method]call.inherit-env")?;
        self.table.get_mut(&this)?.inherit = true;
        Ok(())
    }

    async fn stdin(&mut self, this: Resource<ProgramCall>, content: Resource<File>) -> wasmtime::Result<()> {
        let _call = Call::always(self, "exec.[method]call.stdin")?;
        let content = self.table.get(&content)?.clone();
        self.table.get_mut(&this)?.stdin = Some(content);
        Ok(())
    }

    async fn timeout(&mut self, this: Resource<ProgramCall>, milliseconds: u64) -> wasmtime::Result<()> {
        let _call = Call::always(self, "exec.[method]call.timeout")?;
        self.table.get_mut(&this)?.timeout = Some(Duration::from_millis(milliseconds));
        Ok(())
    }

    async fn output(&mut self, this: Resource<ProgramCall>, mode: OutputMode) -> wasmtime::Result<()> {
        let _call = Call::always(self, "exec.[method]call.output")?;
        self.table.get_mut(&this)?.mode = super::sessions::mode_of(mode);
        Ok(())
    }

    async fn drop(&mut self, this: Resource<ProgramCall>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl State {
    /// Where a program finds the content: the file itself, or a private copy in scratch.
    #[expect(clippy::disallowed_methods, reason = "writes into the build's own folder")]
    fn path_for_program(&self, file: &File) -> CallResult<PathBuf> {
        if let Some(path) = file.host_path() {
            return Ok(path);
        }
        let build = &self.step.build;
        let folder = build.scratch()?.join(format!("program-{}", crate::secrets::random_hex(4)));
        crate::sealed_cache::private_folder(&folder)?;
        let path = folder.join(file.name());
        std::fs::write(&path, file.plain(&build.vault).whole(MAX_HELD)?)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // It may be a script that the program runs; text made by a guest has no mode of its own.
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700))?;
        }
        Ok(path)
    }
}

impl exec::HostProcess for State {
    async fn next_output(&mut self, this: Resource<RunningProgram>) -> CallResult<Option<Piece>> {
        let call =
            Call::enter(self, "exec.[method]process.next-output", Authority::Role(super::Role::ACTIVE))?;
        let running = self.table.get_mut(&this)?;
        let chunk = call.wait(async { Ok(running.next().await) }).await;
        if let Ok(Some(chunk)) = &chunk {
            running.keep(chunk);
        }
        let vault = &self.step.build.vault;
        call.done(chunk.map(|chunk| {
            chunk.map(|chunk| match chunk {
                Chunk::Stdout(data) => Piece { stream: Stream::Stdout, data: sealed_bytes(data, vault) },
                Chunk::Stderr(data) => Piece { stream: Stream::Stderr, data: sealed_bytes(data, vault) },
            })
        }))
    }

    async fn write_stdin(&mut self, this: Resource<RunningProgram>, data: Vec<u8>) -> CallResult<()> {
        let mut call =
            Call::enter(self, "exec.[method]process.write-stdin", Authority::Role(super::Role::ACTIVE))?;
        call.bytes(data.len() as u64);
        let data = self.step.build.vault.unseal_bytes(data);
        let running = self.table.get_mut(&this)?;
        let Some(input) = &mut running.input else {
            return call.done(Err(fail(ErrorCode::Ended, "this program reads nothing more")));
        };
        let result = call.wait(async { Ok(input.write_all(&data).await?) }).await;
        call.done(result)
    }

    async fn close_stdin(&mut self, this: Resource<RunningProgram>) -> CallResult<()> {
        let call =
            Call::enter(self, "exec.[method]process.close-stdin", Authority::Role(super::Role::ACTIVE))?;
        self.table.get_mut(&this)?.input = None;
        call.done(Ok(()))
    }

    async fn wait(&mut self, this: Resource<RunningProgram>) -> CallResult<Resource<Finished>> {
        let call = Call::enter(self, "exec.[method]process.wait", Authority::Role(super::Role::ACTIVE))?;
        let shown = Shown::new(self.step.clone(), Mode::Quiet);
        let running = self.table.get_mut(&this)?;
        let finished = call.wait(running.follow(shown)).await;
        let entry = finished.is_ok().then(|| running.entry.take()).flatten();
        self.forget(entry);
        let result = finished.and_then(|finished| Ok(self.table.push(finished)?));
        call.done(result)
    }

    async fn kill(&mut self, this: Resource<RunningProgram>) -> CallResult<()> {
        let call =
            Call::enter_uncancelled(self, "exec.[method]process.kill", Authority::Role(super::Role::ACTIVE))?;
        let running = self.table.get_mut(&this)?;
        running.process.kill_group(GRACE).await;
        let entry = running.entry.take();
        self.forget(entry);
        call.done(Ok(()))
    }

    async fn drop(&mut self, this: Resource<RunningProgram>) -> wasmtime::Result<()> {
        // The drop of a process that runs ends it and what it started.
        let running = self.table.delete(this)?;
        self.forget(running.entry);
        Ok(())
    }
}

impl State {
    fn forget(&self, entry: Option<u64>) {
        if let Some(number) = entry {
            let _ = self.step.build.journal.done(number);
        }
    }
}

impl exec::Host for State {
    async fn os(&mut self) -> wasmtime::Result<String> {
        let _call = Call::always(self, "exec.os")?;
        Ok(match std::env::consts::OS {
            "macos" => "darwin".to_owned(),
            other => other.to_owned(),
        })
    }

    async fn run(&mut self, call: Resource<ProgramCall>) -> CallResult<Resource<Finished>> {
        let call = self.table.delete(call)?;
        let mut gate = self.enter_program("exec.run", &call.program)?;
        gate.target(call.program.clone());
        let shown = Shown::new(self.step.clone(), call.mode);
        let mut running = match self.start_program(&gate, call, Stdin::Null).await {
            Ok(running) => running,
            Err(error) => return gate.done(Err(error)),
        };
        let finished = gate.wait(running.follow(shown)).await;
        if finished.is_err() {
            running.process.kill_group(GRACE).await;
        }
        self.forget(running.entry);
        let result = finished.and_then(|finished| Ok(self.table.push(finished)?));
        gate.done(result)
    }

    async fn start(&mut self, call: Resource<ProgramCall>) -> CallResult<Resource<RunningProgram>> {
        let call = self.table.delete(call)?;
        let mut gate = self.enter_program("exec.start", &call.program)?;
        gate.target(call.program.clone());
        let running = self.start_program(&gate, call, Stdin::Written).await;
        let result = running.and_then(|running| Ok(self.table.push(running)?));
        gate.done(result)
    }
}
