//! Child processes that end with kiln: [`Spawner`] starts them, [`Process`] is one of them.
//!
//! Invariant: whatever happens to kiln (return, panic, `kill -9`), no child and no grandchild stays,
//! unless it was [`Process::release`]d. Three layers keep it: one long-lived thread forks every child
//! with `PR_SET_PDEATHSIG` (the signal is bound to the *thread* that forked, so a pool thread would not
//! do); every child leads its own session, which is killed as a whole; and a supervisor process kills
//! the sessions when the pipe from kiln closes.
//!
//! States of a `Process`: running → (exited: `Exit` known, session swept or left) ; a dropped handle of
//! a running process kills its session.

mod platform;
mod run;
mod supervisor;

pub(crate) use platform::{processor_time, punch_hole};
pub use run::{Finished, RunLimits};
pub use supervisor::supervise;

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot, watch};

/// Bytes per chunk of output, and how many chunks wait for a slow reader.
const CHUNK: usize = 16 * 1024;
const CHUNKS: usize = 32;

/// Why a program could not be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// No such file.
    #[error("program `{0}` was not found; install it or name it with its path")]
    NotFound(String),
    /// The system refused.
    #[error("could not start `{program}`: {source}")]
    Start {
        /// What was to be started.
        program: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The log file could not be made.
    #[error("could not create the log file {path}: {source}")]
    Log {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The deadline passed; the program and all it started were killed.
    #[error("`{program}` did not end within {limit:?} and was killed")]
    TimedOut {
        /// What ran.
        program: String,
        /// The deadline.
        limit: Duration,
    },
    /// The caller cancelled; the program and all it started were killed.
    #[error("cancelled")]
    Cancelled,
    /// The spawner thread is gone or could not start.
    #[error("cannot start programs: {0}")]
    Spawner(io::Error),
}

/// Where a child's standard output and error go.
#[derive(Debug, Clone, Default)]
pub enum Output {
    /// Nowhere.
    #[default]
    Null,
    /// To [`Process::take_output`], bounded: a reader that does not read stops the child.
    Piped,
    /// Both into this file, which is created or emptied.
    Log(PathBuf),
}

/// What a child reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Stdin {
    /// Nothing: `/dev/null`.
    #[default]
    Null,
    /// These bytes, then the end.
    Bytes(Vec<u8>),
    /// What is written to [`Process::take_input`].
    Written,
}

/// A program to start. The environment is exactly `env`; nothing is inherited.
#[derive(Debug, Clone, Default)]
pub struct Program {
    /// Name (looked up in the `PATH` of `env`, else in the default path) or path.
    pub path: PathBuf,
    /// Arguments without the program's name.
    pub args: Vec<OsString>,
    /// The whole environment.
    pub env: Vec<(OsString, OsString)>,
    /// Working directory; kiln's own if none.
    pub cwd: Option<PathBuf>,
    /// Standard input.
    pub stdin: Stdin,
    /// Where output goes.
    pub output: Output,
    /// Leave out `PR_SET_PDEATHSIG`, so that [`Process::release`] lets it outlive kiln. The supervisor
    /// still kills it if it was not released; without a supervisor this has no effect.
    pub releasable: bool,
}

impl Program {
    /// A program with arguments, an empty environment, no input and no output.
    pub fn new(path: impl Into<PathBuf>, args: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        Self { path: path.into(), args: args.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// With this status.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl Exit {
    /// Status 0.
    pub fn success(self) -> bool {
        self == Self::Code(0)
    }
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit status {code}"),
            Self::Signal(signal) => write!(f, "killed by signal {signal}"),
        }
    }
}

/// A piece of a child's output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chunk {
    /// From standard output.
    Stdout(Vec<u8>),
    /// From standard error.
    Stderr(Vec<u8>),
}

type Started = Result<Unadopted, ProcessError>;

/// A child on its way from the spawner thread to the caller; if the caller is gone, it is killed.
#[derive(Debug)]
struct Unadopted(Option<std::process::Child>);

impl Drop for Unadopted {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            platform::signal_all(child.id(), platform::start_time(child.id()), true);
            let _ = child.wait();
        }
    }
}
type Job = (Program, oneshot::Sender<Started>);

/// Starts programs. Cheap to clone; lives as long as its last clone.
#[derive(Debug, Clone)]
pub struct Spawner {
    jobs: std::sync::mpsc::Sender<Job>,
    pipe: Option<Arc<OwnedFd>>,
}

impl Spawner {
    /// Starts the spawner thread and, if given, the supervisor: a program (kiln itself) and the
    /// arguments that make it call [`supervise`] on its standard input.
    ///
    /// # Errors
    /// [`ProcessError::Spawner`], [`ProcessError::NotFound`] or [`ProcessError::Start`].
    pub fn start(supervisor: Option<(&Path, &[&str])>) -> Result<Self, ProcessError> {
        let pipe =
            supervisor.map(|(program, args)| start_supervisor(program, args)).transpose()?.map(Arc::new);
        let (jobs, queue) = std::sync::mpsc::channel::<Job>();
        let announce = pipe.clone();
        std::thread::Builder::new()
            .name("kiln-spawner".into())
            .spawn(move || {
                // The thread must outlive its children: it ends with the last Spawner or Process.
                for (program, reply) in queue {
                    // If nobody waits any more, dropping the answer kills the child.
                    drop(reply.send(fork(program, announce.clone())));
                }
            })
            .map_err(ProcessError::Spawner)?;
        Ok(Self { jobs, pipe })
    }

    /// Starts `program`.
    ///
    /// # Errors
    /// [`ProcessError`], but neither `TimedOut` nor `Cancelled`.
    pub async fn spawn(&self, mut program: Program) -> Result<Process, ProcessError> {
        let gone = || ProcessError::Spawner(io::Error::other("the spawner thread ended"));
        let name = program.name();
        let input = match &mut program.stdin {
            Stdin::Bytes(bytes) => Some(std::mem::take(bytes)),
            Stdin::Null | Stdin::Written => None,
        };
        let (reply, started) = oneshot::channel();
        self.jobs.send((program, reply)).map_err(|_| gone())?;
        let mut started = started.await.map_err(|_| gone())??;
        let child = started.0.take().ok_or_else(gone)?;
        Process::adopt(child, input, self.clone())
            .map_err(|source| ProcessError::Start { program: name, source })
    }
}

fn start_supervisor(program: &Path, args: &[&str]) -> Result<OwnedFd, ProcessError> {
    let (read, write) = platform::pipe().map_err(ProcessError::Spawner)?;
    #[expect(clippy::disallowed_methods, reason = "the supervisor is started by the spawner's owner")]
    let mut command = Command::new(program);
    command.args(args).env_clear().stdin(read).stdout(Stdio::null()).stderr(Stdio::null());
    platform::prepare(&mut command, platform::BeforeExec { die_with_parent: false, announce: None });
    // Never waited for: it ends after kiln, and is reaped by init.
    command.spawn().map_err(|source| start_error(&program.display().to_string(), source))?;
    Ok(write)
}

fn start_error(program: &str, source: io::Error) -> ProcessError {
    if platform::not_found(&source) {
        ProcessError::NotFound(program.to_owned())
    } else {
        ProcessError::Start { program: program.to_owned(), source }
    }
}

fn fork(program: Program, announce: Option<Arc<OwnedFd>>) -> Started {
    let name = program.name();
    if let Some(cwd) = program.cwd.as_deref().filter(|cwd| !cwd.is_dir()) {
        let source = io::Error::other(format!("working directory {} does not exist", cwd.display()));
        return Err(ProcessError::Start { program: name, source });
    }
    #[expect(clippy::disallowed_methods, reason = "this is the spawner")]
    let mut command = Command::new(&program.path);
    command.args(&program.args).env_clear().envs(program.env.iter().map(|(key, value)| (key, value)));
    if let Some(cwd) = &program.cwd {
        command.current_dir(cwd);
    }
    command.stdin(if program.stdin == Stdin::Null { Stdio::null() } else { Stdio::piped() });
    match &program.output {
        Output::Null => command.stdout(Stdio::null()).stderr(Stdio::null()),
        Output::Piped => command.stdout(Stdio::piped()).stderr(Stdio::piped()),
        Output::Log(path) => {
            let (out, err) =
                open_log(path).map_err(|source| ProcessError::Log { path: path.clone(), source })?;
            command.stdout(out).stderr(err)
        }
    };
    let die_with_parent = !program.releasable || announce.is_none();
    platform::prepare(&mut command, platform::BeforeExec { die_with_parent, announce });
    let started = command.spawn().map(|child| Unadopted(Some(child)));
    started.map_err(|source| start_error(&name, source))
}

#[expect(clippy::disallowed_methods, reason = "a child's log file is the spawner's to make")]
fn open_log(path: &Path) -> io::Result<(std::fs::File, std::fs::File)> {
    let file = std::fs::File::create(path)?;
    let second = file.try_clone()?;
    Ok((file, second))
}

/// A running or ended child. Dropping it while it runs kills it and all it started.
#[derive(Debug)]
pub struct Process {
    pid: u32,
    start_time: u64,
    exit: watch::Receiver<Option<Exit>>,
    input: Option<tokio::process::ChildStdin>,
    output: Option<mpsc::Receiver<Chunk>>,
    spawner: Spawner,
    released: AtomicBool,
}

impl Process {
    fn adopt(mut child: std::process::Child, input: Option<Vec<u8>>, spawner: Spawner) -> io::Result<Self> {
        let pid = child.id();
        let start_time = platform::start_time(pid).unwrap_or_default();
        #[expect(deprecated, reason = "the sound constructor is unsafe; an OwnedFd keeps what it asks for")]
        let pidfd = platform::watch(pid).and_then(tokio::io::unix::AsyncFd::new);
        let pidfd = pidfd.inspect_err(|_| {
            platform::exterminate(pid, Some(start_time));
            let _ = child.wait();
        })?;
        let pipe = child.stdin.take().map(tokio::process::ChildStdin::from_std).transpose()?;
        let input = match (pipe, input) {
            (Some(mut pipe), Some(bytes)) => {
                // A child that does not read its input ends the task by closing the pipe.
                tokio::spawn(async move { pipe.write_all(&bytes).await });
                None
            }
            (pipe, _) => pipe,
        };
        let output = pipes(&mut child)?;
        let (report, exit) = watch::channel(None);
        let announce = spawner.pipe.clone();
        tokio::spawn(async move {
            let _ = pidfd.readable().await;
            // The child is a zombie now, so this returns at once and its pid is still ours until then.
            let status = child.wait();
            if let Some(pipe) = announce.filter(|_| platform::count(pid, Some(start_time)) == 0) {
                platform::write_now(&pipe, format!("-{pid}\n").as_bytes());
            }
            report.send_replace(Some(to_exit(status)));
        });
        Ok(Self { pid, start_time, exit, input, output, spawner, released: AtomicBool::new(false) })
    }

    /// The process id; also the id of its group and session.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Clock ticks since boot at which it started: with the pid, its name for [`kill_recorded`].
    pub fn start_time(&self) -> u64 {
        self.start_time
    }

    /// How it ended, if it did.
    pub fn exited(&self) -> Option<Exit> {
        *self.exit.borrow()
    }

    /// Waits for the end; may be called often and from several tasks.
    pub async fn wait(&self) -> Exit {
        wait_for_exit(self.exit.clone()).await
    }

    /// The end as a future that does not borrow the process.
    pub(crate) fn ending(&self) -> impl Future<Output = Exit> + Send + use<> {
        wait_for_exit(self.exit.clone())
    }

    /// The input of a child with [`Stdin::Written`]; the first call only. Dropping it ends the input.
    pub fn take_input(&mut self) -> Option<tokio::process::ChildStdin> {
        self.input.take()
    }

    /// The output of a child with [`Output::Piped`]; the first call only. The channel closes when all
    /// that hold the pipe have closed it.
    pub fn take_output(&mut self) -> Option<mpsc::Receiver<Chunk>> {
        self.output.take()
    }

    /// Asks everything in the child's session to end, and kills what is still there after `grace`.
    pub async fn kill_group(&self, grace: Duration) {
        let (pid, start) = (self.pid, Some(self.start_time));
        if !grace.is_zero() && platform::signal_all(pid, start, false) > 0 {
            let _ = tokio::time::timeout(grace, self.wait()).await;
        }
        let _ = tokio::task::spawn_blocking(move || platform::exterminate(pid, start)).await;
        if self.exited().is_none() {
            let _ = tokio::time::timeout(Duration::from_secs(5), self.wait()).await;
        }
        self.forget();
    }

    fn forget(&self) {
        if let Some(pipe) = &self.spawner.pipe {
            platform::write_now(pipe, format!("-{}\n", self.pid).as_bytes());
        }
    }

    /// Lets the process outlive kiln (`-on-error=abort`); needs [`Program::releasable`]. Its pid and
    /// start time are what [`kill_recorded`] needs later.
    pub fn release(&self) {
        self.released.store(true, Ordering::Relaxed);
        self.forget();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.released.load(Ordering::Relaxed) && self.exited().is_none() {
            platform::signal_all(self.pid, Some(self.start_time), true);
        }
    }
}

async fn wait_for_exit(mut exit: watch::Receiver<Option<Exit>>) -> Exit {
    match exit.wait_for(Option::is_some).await {
        Ok(seen) => seen.unwrap_or(Exit::Signal(9)),
        // The runtime is going down and took the waiting task with it.
        Err(_) => Exit::Signal(9),
    }
}

fn to_exit(status: io::Result<std::process::ExitStatus>) -> Exit {
    use std::os::unix::process::ExitStatusExt;
    match status {
        Ok(status) => match status.code() {
            Some(code) => Exit::Code(code),
            None => Exit::Signal(status.signal().unwrap_or(9)),
        },
        Err(_) => Exit::Signal(9),
    }
}

fn pipes(child: &mut std::process::Child) -> io::Result<Option<mpsc::Receiver<Chunk>>> {
    let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) else { return Ok(None) };
    let (send, receive) = mpsc::channel(CHUNKS);
    let out = tokio::process::ChildStdout::from_std(out)?;
    let err = tokio::process::ChildStderr::from_std(err)?;
    tokio::spawn(pump(out, send.clone(), Chunk::Stdout));
    tokio::spawn(pump(err, send, Chunk::Stderr));
    Ok(Some(receive))
}

async fn pump(
    mut pipe: impl tokio::io::AsyncRead + Unpin,
    send: mpsc::Sender<Chunk>,
    wrap: impl Fn(Vec<u8>) -> Chunk,
) {
    let mut buffer = vec![0; CHUNK];
    loop {
        let read = tokio::select! {
            read = pipe.read(&mut buffer) => read,
            // A reader that left must not keep the pipe of a daemon open.
            () = send.closed() => return,
        };
        let Ok(count) = read else { return };
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { return };
        if send.send(wrap(bytes.to_vec())).await.is_err() {
            return;
        }
    }
}

/// Kills what is left of a process recorded earlier, perhaps by another kiln, and all of its session.
/// A pid that another process bears by now is left alone. Says whether anything was killed.
pub async fn kill_recorded(pid: u32, start_time: u64) -> bool {
    tokio::task::spawn_blocking(move || platform::exterminate(pid, Some(start_time))).await.unwrap_or(false)
}
