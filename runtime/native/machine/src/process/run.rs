//! Running a program to its end: [`Spawner::run`]. Invariant: on every way out nothing of it runs on,
//! except what a program that ended by itself left behind on purpose.

use super::{Chunk, Exit, Output, Process, ProcessError, Program, Spawner};
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;

/// After the program ended, how long output may still come from whoever inherited the pipe.
const LINGER: Duration = Duration::from_millis(500);
/// Between asking and killing.
const GRACE: Duration = Duration::from_secs(2);

/// Bounds of a run.
#[derive(Debug, Clone)]
pub struct RunLimits {
    /// Longest time; none waits for the program or the cancel.
    pub timeout: Option<Duration>,
    /// Bytes kept of each stream; what comes later is read and dropped.
    pub keep: usize,
}

impl Default for RunLimits {
    fn default() -> Self {
        Self { timeout: None, keep: 1024 * 1024 }
    }
}

/// A program that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// How.
    pub exit: Exit,
    /// Its standard output, up to [`RunLimits::keep`].
    pub stdout: Vec<u8>,
    /// Its standard error, likewise.
    pub stderr: Vec<u8>,
    /// Whether something was dropped.
    pub truncated: bool,
}

impl Spawner {
    /// Runs `program` to the end and captures its output (its own `output` setting is ignored).
    ///
    /// # Errors
    /// [`ProcessError`]; a status other than 0 is not an error here.
    pub async fn run(
        &self,
        mut program: Program,
        limits: RunLimits,
        cancel: &CancellationToken,
    ) -> Result<Finished, ProcessError> {
        program.output = Output::Piped;
        let name = program.name();
        let mut process = self.spawn(program).await?;
        let Some(mut output) = process.take_output() else {
            return Err(ProcessError::Spawner(std::io::Error::other("a piped program has no output")));
        };
        let mut kept = Kept { limit: limits.keep, ..Kept::default() };
        let limit = limits.timeout.unwrap_or(Duration::MAX);
        let ended = tokio::select! {
            exit = kept.follow(&process, &mut output) => Ok(exit),
            () = cancel.cancelled() => Err(ProcessError::Cancelled),
            () = tokio::time::sleep(limit) => Err(ProcessError::TimedOut { program: name, limit }),
        };
        match ended {
            Ok(exit) => {
                Ok(Finished { exit, stdout: kept.stdout, stderr: kept.stderr, truncated: kept.truncated })
            }
            Err(error) => {
                process.kill_group(GRACE).await;
                Err(error)
            }
        }
    }
}

#[derive(Default)]
struct Kept {
    limit: usize,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    truncated: bool,
}

impl Kept {
    async fn follow(&mut self, process: &Process, output: &mut Receiver<Chunk>) -> Exit {
        let ending = process.ending();
        tokio::pin!(ending);
        let exit = loop {
            tokio::select! {
                biased;
                chunk = output.recv() => match chunk {
                    Some(chunk) => self.keep(chunk),
                    None => return ending.await,
                },
                exit = &mut ending => break exit,
            }
        };
        let late = async {
            while let Some(chunk) = output.recv().await {
                self.keep(chunk)
            }
        };
        let _ = tokio::time::timeout(LINGER, late).await;
        exit
    }

    fn keep(&mut self, chunk: Chunk) {
        let (stream, bytes) = match chunk {
            Chunk::Stdout(bytes) => (&mut self.stdout, bytes),
            Chunk::Stderr(bytes) => (&mut self.stderr, bytes),
        };
        let room = self.limit.saturating_sub(stream.len());
        self.truncated |= bytes.len() > room;
        stream.extend(bytes.into_iter().take(room));
    }
}
