//! The two programs, run in a project folder.

use kiln_tests::{Finished, Project, Running};
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    Kiln,
    Packer,
}

impl Program {
    /// A command in the folder and environment of `project`. kiln is called `packer`, which makes
    /// it print as Packer does.
    pub(crate) fn command(self, project: &Project, args: &[&str]) -> Command {
        let mut command = match self {
            Self::Kiln => project.packer(args),
            Self::Packer => {
                let mut command = Command::new(packer());
                project.prepare(&mut command);
                command.args(args);
                command
            }
        };
        command.env("CHECKPOINT_DISABLE", "1").env("PACKER_NO_COLOR", "1");
        command
    }

    /// Runs it.
    pub(crate) fn run(self, project: &Project, args: &[&str]) -> Finished {
        Running::start(self.command(project, args)).finish()
    }

    /// Runs it with a text on standard input.
    pub(crate) fn with_stdin(self, project: &Project, args: &[&str], text: &str) -> Finished {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("home/stdin{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let file = std::fs::File::open(project.write(&name, text)).unwrap();
        let mut command = self.command(project, args);
        command.stdin(file);
        Running::start(command).finish()
    }
}

/// Packer 1.6.6, as Debian has it.
///
/// # Panics
/// If it is not there, with the command that installs it.
fn packer() -> &'static Path {
    static FOUND: std::sync::OnceLock<()> = std::sync::OnceLock::new();
    let path = Path::new("/usr/bin/packer");
    FOUND.get_or_init(|| {
        assert!(path.exists(), "{} is missing; run `apt-get install packer`", path.display());
        let output = Command::new(path).arg("version").env("CHECKPOINT_DISABLE", "1").output().unwrap();
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        assert_eq!(version, "Packer v1.6.6", "the comparison is with Debian's package of this version");
    });
    path
}

/// What `work` gives for each case, computed by as many threads as there are processors.
pub(crate) fn in_parallel<C: Sync, R: Send>(cases: &[C], work: impl Fn(&C) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<Option<R>>> = Mutex::new(cases.iter().map(|_| None).collect());
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((index, case)) = {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    cases.get(index).map(|case| (index, case))
                } {
                    let result = work(case);
                    results.lock().unwrap()[index] = Some(result);
                }
            });
        }
    });
    results.into_inner().unwrap().into_iter().map(Option::unwrap).collect()
}
