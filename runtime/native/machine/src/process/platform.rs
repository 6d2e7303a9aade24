//! What the operating system must do for children: the only file with `cfg(target_os)`.
//!
//! Linux: every child gets its own session (hence process group), is told to die with the thread that
//! forked it (`PR_SET_PDEATHSIG`, prctl(2)) and announces itself to the supervisor between fork and
//! exec, so that no instant exists in which kiln could die and leave it unknown. A process is named by
//! pid *and* start time (field 22 of proc(5) `stat`), so a reused pid is never taken for ours.

use std::io;

/// What a child does between fork and exec.
#[derive(Debug)]
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "nothing is started there yet"))]
pub(crate) struct BeforeExec {
    /// Ask the kernel to kill the child when the spawning thread ends.
    pub(crate) die_with_parent: bool,
    /// Where to write `+PID\n`.
    pub(crate) announce: Option<std::sync::Arc<std::os::fd::OwnedFd>>,
}

#[cfg(target_os = "linux")]
mod system {
    use super::BeforeExec;
    use rustix::process::{
        Pid, PidfdFlags, Signal, getpid, getppid, kill_process, kill_process_group, pidfd_open,
        set_parent_process_death_signal, setsid,
    };
    use std::io;
    use std::os::fd::OwnedFd;
    use std::os::unix::process::CommandExt;
    use std::time::Duration;

    #[expect(unsafe_code, reason = "pre_exec is the only hook between fork and exec")]
    pub(crate) fn prepare(command: &mut std::process::Command, before: BeforeExec) {
        let parent = getpid();
        let hook = move || {
            setsid()?;
            if before.die_with_parent {
                set_parent_process_death_signal(Some(Signal::KILL))?;
                // The parent may have died before the request was made; then nobody will signal us.
                if getppid() != Some(parent) {
                    return Err(io::Error::from_raw_os_error(3));
                }
            }
            if let Some(pipe) = &before.announce {
                let mut buffer = [0_u8; 16];
                let line = announcement(getpid().as_raw_nonzero().get(), &mut buffer);
                // A supervisor that is gone or stuck must not stop the build.
                let _ = rustix::io::write(pipe, line);
            }
            Ok(())
        };
        // SAFETY: the hook makes system calls only; it neither allocates nor takes locks.
        unsafe {
            command.pre_exec(hook);
        }
    }

    /// `+PID\n` without allocation.
    fn announcement(pid: i32, buffer: &mut [u8; 16]) -> &[u8] {
        let mut at = buffer.len();
        let mut rest = pid.unsigned_abs();
        let mut put = |byte: u8| {
            at = at.saturating_sub(1);
            if let Some(slot) = buffer.get_mut(at) {
                *slot = byte;
            }
        };
        put(b'\n');
        loop {
            put(b'0' + u8::try_from(rest % 10).unwrap_or(0));
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        put(b'+');
        buffer.get(at..).unwrap_or_default()
    }

    pub(crate) fn watch(pid: u32) -> io::Result<OwnedFd> {
        Ok(pidfd_open(as_pid(pid)?, PidfdFlags::NONBLOCK)?)
    }

    fn as_pid(pid: u32) -> io::Result<Pid> {
        i32::try_from(pid)
            .ok()
            .and_then(Pid::from_raw)
            .ok_or_else(|| io::Error::other("impossible process id"))
    }

    struct Stat {
        group: u32,
        session: u32,
        start: u64,
        zombie: bool,
    }

    /// Fields of `/proc/PID/stat`; the name in parentheses may contain anything, so parse after the last one.
    #[expect(clippy::disallowed_methods, reason = "the state of a process is read from /proc")]
    fn stat(pid: u32) -> Option<Stat> {
        let text = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
        let text = String::from_utf8_lossy(&text);
        let mut fields = text.rsplit_once(')')?.1.split_ascii_whitespace();
        let zombie = matches!(fields.next()?, "Z" | "X");
        let group = fields.nth(1)?.parse().ok()?;
        let session = fields.next()?.parse().ok()?;
        let start = fields.nth(15)?.parse().ok()?;
        Some(Stat { group, session, start, zombie })
    }

    pub(crate) fn start_time(pid: u32) -> Option<u64> {
        stat(pid).map(|stat| stat.start)
    }

    /// How long a thread of a process has had a processor, and how long it has waited for one: fields 1
    /// and 2 of `/proc/PID/task/TID/schedstat`, in nanoseconds (the kernel's sched-stats.rst).
    #[expect(clippy::disallowed_methods, reason = "the work of a thread is read from /proc")]
    pub(crate) fn processor_time(pid: u32, thread: u32) -> Option<(Duration, Duration)> {
        let text = std::fs::read_to_string(format!("/proc/{pid}/task/{thread}/schedstat")).ok()?;
        let mut fields = text.split_ascii_whitespace().map(str::parse::<u64>);
        let mut next = || Some(Duration::from_nanos(fields.next()?.ok()?));
        Some((next()?, next()?))
    }

    /// Living processes of the session or group that the child `pid` founded. `start` is its start time;
    /// if another process bears the pid now, the session is not ours and the answer is empty.
    fn members(pid: u32, start: Option<u64>) -> Vec<u32> {
        if pid < 2 {
            return Vec::new();
        }
        if let Some(leader) = stat(pid)
            && start != Some(leader.start)
        {
            return Vec::new();
        }
        #[expect(clippy::disallowed_methods, reason = "the list of processes is /proc")]
        let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
        entries
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
            .filter(|candidate| {
                stat(*candidate).is_some_and(|it| {
                    !it.zombie
                        && (it.session == pid || it.group == pid)
                        && start.is_none_or(|start| it.start >= start)
                })
            })
            .collect()
    }

    /// Signals all members; says how many there were.
    pub(crate) fn signal_all(pid: u32, start: Option<u64>, force: bool) -> usize {
        let signal = if force { Signal::KILL } else { Signal::TERM };
        let members = members(pid, start);
        if members.contains(&pid)
            && let Ok(group) = as_pid(pid)
        {
            let _ = kill_process_group(group, signal);
        }
        for member in &members {
            if let Ok(member) = as_pid(*member) {
                let _ = kill_process(member, signal);
            }
        }
        members.len()
    }

    pub(crate) fn count(pid: u32, start: Option<u64>) -> usize {
        members(pid, start).len()
    }

    /// A pipe whose write end never blocks: (read, write), both close-on-exec.
    pub(crate) fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
        let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        rustix::fs::fcntl_setfl(&write, rustix::fs::OFlags::NONBLOCK)?;
        Ok((read, write))
    }

    /// Gives the space of the first `length` bytes back; they read as zeroes.
    pub(crate) fn punch_hole(file: &std::fs::File, length: u64) -> io::Result<()> {
        use rustix::fs::FallocateFlags;
        Ok(rustix::fs::fallocate(file, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, 0, length)?)
    }

    pub(crate) fn write_now(pipe: &OwnedFd, line: &[u8]) {
        let _ = rustix::io::write(pipe, line);
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use super::BeforeExec;
    use std::io;
    use std::os::fd::OwnedFd;

    fn unsupported() -> io::Error {
        io::Error::new(io::ErrorKind::Unsupported, "kiln can start programs on Linux only")
    }
    pub(crate) fn prepare(_: &mut std::process::Command, _: BeforeExec) {}
    pub(crate) fn watch(_: u32) -> io::Result<OwnedFd> {
        Err(unsupported())
    }
    pub(crate) fn start_time(_: u32) -> Option<u64> {
        None
    }
    pub(crate) fn processor_time(_: u32, _: u32) -> Option<(std::time::Duration, std::time::Duration)> {
        None
    }
    pub(crate) fn signal_all(_: u32, _: Option<u64>, _: bool) -> usize {
        0
    }
    pub(crate) fn count(_: u32, _: Option<u64>) -> usize {
        0
    }
    pub(crate) fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
        Err(unsupported())
    }
    pub(crate) fn punch_hole(_: &std::fs::File, _: u64) -> io::Result<()> {
        Err(unsupported())
    }
    pub(crate) fn write_now(_: &OwnedFd, _: &[u8]) {}
}

pub(crate) use system::{
    count, pipe, prepare, processor_time, punch_hole, signal_all, start_time, watch, write_now,
};

/// Kills what remains of the session until it is empty: members may fork while they are being killed.
/// Bounded to a second. Says whether anything was there.
pub(crate) fn exterminate(pid: u32, start: Option<u64>) -> bool {
    let mut found = false;
    for _ in 0..50 {
        if signal_all(pid, start, true) == 0 {
            break;
        }
        found = true;
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    found
}

/// True if the error says that the program does not exist.
pub(crate) fn not_found(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}
