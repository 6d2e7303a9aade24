//! How long a command takes and how much memory it and its children use. Main type: [`Sample`].

use crate::launch::Launch;
use crate::machine::die_with_us;
use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::mem::MaybeUninit;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// No command of a benchmark takes this long; one that does hangs, and is ended.
const LIMIT: Duration = Duration::from_secs(600);

/// One run.
#[derive(Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) seconds: f64,
    /// Peak of resident memory in KiB: of the process itself from the kernel's own account, or the
    /// sum over its children at one moment, whichever is larger.
    pub(crate) peak_kib: f64,
    /// The part of it in which nothing worked, from 0 to 1; not a number if nothing told.
    pub(crate) idle: f64,
}

impl Sample {
    /// Of work that is not one command; memory is not asked for.
    pub(crate) fn timed(work: impl FnOnce() -> Result<()>) -> Result<Self> {
        let start = Instant::now();
        work()?;
        Ok(Self { seconds: start.elapsed().as_secs_f64(), peak_kib: f64::NAN, idle: f64::NAN })
    }
}

/// Run a command to its end; failure is an error that carries the end of what it said.
pub(crate) fn run(launch: Launch, work: &Path) -> Result<Sample> {
    let shown = launch.shown();
    let done = AtomicBool::new(false);
    let start = Instant::now();
    let child = spawn(launch, work)?;
    let (ended, seconds, sum) = thread::scope(|scope| {
        let sampler = scope.spawn(|| sample_tree(child.id(), &done));
        let ended = wait(child.id());
        let seconds = start.elapsed().as_secs_f64();
        done.store(true, Ordering::Relaxed);
        (ended, seconds, sampler.join().unwrap_or(0.0))
    });
    let (status, own) = ended?;
    if status != 0 {
        let text = fs::read(log(work)).unwrap_or_default();
        let tail = String::from_utf8_lossy(&text[text.len().saturating_sub(2000)..]).into_owned();
        bail!("{shown}: wait status {status}\n{tail}");
    }
    Ok(Sample { seconds, peak_kib: own.max(sum), idle: f64::NAN })
}

/// The command, its output in the log; it ends with us.
fn spawn(launch: Launch, work: &Path) -> Result<Child> {
    let shown = launch.shown();
    let mut command: Command = launch.into_command();
    let file = File::create(log(work))?;
    command.stdout(file.try_clone()?).stderr(file).stdin(Stdio::null());
    die_with_us(&mut command);
    command.spawn().with_context(|| format!("could not start {shown}"))
}

/// Start a command, look at its memory after `after`, when all its work waits, and interrupt it. The
/// peak of the sample is its proportional set size (proc_pid_smaps(5)): a page that many map counts once.
pub(crate) fn waiting(launch: Launch, work: &Path, after: Duration) -> Result<Sample> {
    let shown = launch.shown();
    let child = spawn(launch, work)?;
    thread::sleep(after);
    let peak_kib = proportional_kib(child.id());
    signal(child.id(), libc::SIGINT);
    wait(child.id())?;
    let peak_kib = peak_kib.with_context(|| format!("{shown} ended before it was looked at"))?;
    Ok(Sample { seconds: after.as_secs_f64(), peak_kib, idle: f64::NAN })
}

fn proportional_kib(id: u32) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{id}/smaps_rollup")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("Pss:"))?.split_whitespace().next()?.parse().ok()
}

/// Where the last command's output is.
pub(crate) fn log(work: &Path) -> PathBuf {
    work.join("last.log")
}

/// Wait for a child: its wait status and its peak of resident memory in KiB.
#[expect(unsafe_code, reason = "std does not return a child's resource usage")]
fn wait(id: u32) -> Result<(i32, f64)> {
    let mut status = 0;
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: both pointers are to live variables of the right type, and a zeroed rusage is valid.
    let (got, usage) = unsafe {
        let got = libc::wait4(i32::try_from(id)?, &raw mut status, 0, usage.as_mut_ptr());
        (got, usage.assume_init())
    };
    if got < 0 {
        return Err(std::io::Error::last_os_error()).context("wait4");
    }
    #[expect(clippy::cast_precision_loss, reason = "KiB of memory fit well into 52 bits")]
    Ok((status, usage.ru_maxrss as f64))
}

/// The largest sum of resident memory over a process and its descendants, in KiB.
fn sample_tree(root: u32, done: &AtomicBool) -> f64 {
    let mut peak = 0_u64;
    let end = Instant::now() + LIMIT;
    while !done.load(Ordering::Relaxed) {
        let mut open = vec![root];
        let mut sum = 0;
        while let Some(id) = open.pop() {
            sum += resident_kib(id);
            open.extend(children(id));
        }
        peak = peak.max(sum);
        if Instant::now() > end {
            signal(root, libc::SIGKILL);
        }
        thread::sleep(Duration::from_millis(20));
    }
    #[expect(clippy::cast_precision_loss, reason = "KiB of memory fit well into 52 bits")]
    let peak = peak as f64;
    peak
}

#[expect(unsafe_code, reason = "the child is waited for by wait4, so its handle cannot be used")]
fn signal(id: u32, signal: libc::c_int) {
    let Ok(id) = i32::try_from(id) else { return };
    // SAFETY: kill takes plain numbers; a child that was not waited for keeps its number.
    unsafe {
        libc::kill(id, signal);
    }
}

/// The second field of `/proc/ID/statm`, in pages of 4 KiB (proc(5)).
fn resident_kib(id: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{id}/statm")).unwrap_or_default();
    text.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4
}

fn children(id: u32) -> Vec<u32> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{id}/task")) else { return Vec::new() };
    tasks
        .flatten()
        .filter_map(|task| fs::read_to_string(task.path().join("children")).ok())
        .flat_map(|text| text.split_whitespace().filter_map(|word| word.parse().ok()).collect::<Vec<_>>())
        .collect()
}
