//! Starting other programs: print, run, limit, measure. Main type: [`Launch`].
//!
//! A limited child has its own process group, which is killed as a whole when its time is over or
//! when xtask is interrupted: no QEMU and no test binary outlives the command that started it.

use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The group that an interrupt must end, or 0.
static GROUP: AtomicI32 = AtomicI32::new(0);
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// How a limited command ended.
pub(crate) enum Ended {
    Success,
    Failed(String),
    OverBudget,
}

/// A command line being put together.
pub(crate) struct Launch {
    command: Command,
    quiet: bool,
}

/// What a command said on stdout, line by line, while it is also passed through.
pub(crate) type Listener<'a> = &'a mut (dyn FnMut(&str) + Send);

impl Launch {
    /// A program found in `PATH` or by its path.
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        command.stdin(Stdio::null());
        Self { command, quiet: false }
    }

    /// The cargo that runs us, or the one in `PATH`. Variables that this cargo set for xtask alone
    /// are taken away, else they would look like changes to every build script that reads them.
    pub(crate) fn cargo() -> Self {
        let mut launch = Self::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
                launch.command.env_remove(&*name);
            }
        }
        launch
    }

    pub(crate) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    /// An option with a path as its value.
    pub(crate) fn arg_path(mut self, option: &str, path: &Path) -> Self {
        self.command.arg(option).arg(path);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Do not print the command line.
    pub(crate) fn quiet(mut self) -> Self {
        self.quiet = true;
        self
    }

    /// The command as a person would type it.
    pub(crate) fn shown(&self) -> String {
        let words = std::iter::once(self.command.get_program()).chain(self.command.get_args());
        words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
    }

    /// Run with our output; an exit code other than 0 is an error.
    pub(crate) fn run(mut self) -> Result<()> {
        let shown = self.shown();
        if !self.quiet {
            eprintln!("+ {shown}");
        }
        let status = self.command.status().with_context(|| format!("could not start {shown}"))?;
        if !status.success() {
            bail!("{shown}: {status}");
        }
        Ok(())
    }

    /// Run and return stdout; stderr goes to ours.
    pub(crate) fn output(mut self) -> Result<String> {
        let shown = self.shown();
        self.command.stderr(Stdio::inherit());
        let out = self.command.output().with_context(|| format!("could not start {shown}"))?;
        if !out.status.success() {
            bail!("{shown}: {}", out.status);
        }
        Ok(String::from_utf8_lossy(&out.stdout).into_owned())
    }

    /// Run at most `budget`; each line of stdout is shown and given to `listen`.
    pub(crate) fn limited(mut self, budget: Duration, listen: Listener<'_>) -> Result<Ended> {
        let shown = self.shown();
        eprintln!("+ {shown}");
        catch_interrupts();
        self.command.stdout(Stdio::piped()).process_group(0);
        let mut child = self.command.spawn().with_context(|| format!("could not start {shown}"))?;
        let group = i32::try_from(child.id()).context("process number")?;
        GROUP.store(group, Ordering::SeqCst);
        let stdout = child.stdout.take();
        let ended = thread::scope(|scope| {
            scope.spawn(move || pass_lines(stdout, listen));
            let ended = wait_within(&mut child, budget, &shown);
            // What the child left behind holds the pipe open, and would hold us.
            end_group(group);
            ended
        });
        GROUP.store(0, Ordering::SeqCst);
        if INTERRUPTED.load(Ordering::SeqCst) {
            bail!("interrupted");
        }
        ended
    }

    /// The plain command, for callers that need more than the ways above.
    pub(crate) fn into_command(self) -> Command {
        self.command
    }
}

fn pass_lines(stdout: Option<impl std::io::Read>, listen: Listener<'_>) {
    let Some(stdout) = stdout else { return };
    let mut reader = BufReader::new(stdout);
    let mut line = Vec::new();
    while matches!(reader.read_until(b'\n', &mut line), Ok(n) if n > 0) {
        let mut out = std::io::stdout().lock();
        // A reader that went away (`| head`) must not end the suite.
        let _ = out.write_all(&line);
        let _ = out.flush();
        listen(&String::from_utf8_lossy(&line));
        line.clear();
    }
}

fn wait_within(child: &mut Child, budget: Duration, shown: &str) -> Result<Ended> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().context("waiting for a child")? {
            return Ok(if status.success() {
                Ended::Success
            } else {
                Ended::Failed(format!("{shown}: {status}"))
            });
        }
        let over = start.elapsed() > budget;
        if over || INTERRUPTED.load(Ordering::SeqCst) {
            if let Ok(group) = i32::try_from(child.id()) {
                end_group(group);
            }
            child.wait().context("waiting for a killed child")?;
            return Ok(Ended::OverBudget);
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// Kill what is left of a group; nothing left is no error.
#[expect(unsafe_code, reason = "std cannot signal a process group")]
fn end_group(group: i32) {
    // SAFETY: kill takes plain numbers; `group` is the number of a child that we made a group leader.
    unsafe {
        libc::kill(-group, libc::SIGKILL);
    }
}

#[expect(unsafe_code, reason = "std has no signal handlers")]
fn catch_interrupts() {
    extern "C" fn note(_signal: libc::c_int) {
        INTERRUPTED.store(true, Ordering::SeqCst);
    }
    let handler = note as extern "C" fn(libc::c_int);
    for signal in [libc::SIGINT, libc::SIGTERM] {
        // SAFETY: the handler does nothing but store to an atomic, which is async-signal-safe.
        unsafe {
            libc::signal(signal, handler as *const () as libc::sighandler_t);
        }
    }
}
