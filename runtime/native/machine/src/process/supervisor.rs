//! The supervisor: a second process that outlives kiln and kills its children, also after `kill -9`.
//!
//! It reads lines from a pipe whose only other end is kiln's: `+PID` (written by the child itself
//! between fork and exec) and `-PID` (written by kiln when the child's session is empty or shall be
//! left alone). When the pipe closes, kiln is gone: every session still listed is killed.
//! Invariant: a pid that was reused is never signalled, because the start time is noted at `+`.

use super::platform;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};

/// More children than a build can have; beyond it the table is first cleared of those that are gone.
const MOST: usize = 4096;

/// Runs the supervisor on `stdin` until the pipe closes, kills what is left and returns. The hidden
/// subcommand of the command line calls this with its standard input and then exits.
pub fn supervise(stdin: impl Read) {
    let mut sessions: BTreeMap<u32, Option<u64>> = BTreeMap::new();
    let mut lines = BufReader::with_capacity(4096, stdin);
    let mut line = Vec::new();
    loop {
        line.clear();
        // Bounded, because a line is at most a sign and a number.
        match (&mut lines).take(64).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => break,
            Ok(_) => note(&mut sessions, &line),
        }
    }
    for (pid, start) in sessions {
        platform::exterminate(pid, start);
    }
}

fn note(sessions: &mut BTreeMap<u32, Option<u64>>, line: &[u8]) {
    let Some(text) = std::str::from_utf8(line).ok().map(str::trim_end) else { return };
    let parsed = |digits: &str| digits.parse::<u32>().ok();
    if let Some(pid) = text.strip_prefix('+').and_then(parsed) {
        if sessions.len() >= MOST {
            sessions.retain(|pid, start| platform::count(*pid, *start) > 0);
        }
        sessions.insert(pid, platform::start_time(pid));
    } else if let Some(pid) = text.strip_prefix('-').and_then(parsed) {
        sessions.remove(&pid);
    }
}
