//! A folder with a template in it, and kiln run there.

use crate::made;
use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The longest that one kiln may take in a test.
const PATIENCE: Duration = Duration::from_secs(240);

/// A project folder with a home, state and cache of its own.
pub struct Project {
    dir: TempDir,
}

/// A kiln that ended.
#[derive(Debug)]
pub struct Finished {
    /// Exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Finished {
    /// Checks the exit code, showing everything if it differs.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// Checks that the output contains every one of `parts`.
    #[track_caller]
    pub fn expect(self, parts: &[&str]) -> Self {
        for part in parts {
            let found = self.out.contains(part) || self.err.contains(part);
            assert!(found, "no `{part}` in\nstdout:\n{}\nstderr:\n{}", self.out, self.err);
        }
        self
    }

    /// Checks that `text` occurs nowhere.
    #[track_caller]
    pub fn expect_not(self, text: &str) -> Self {
        let found = self.out.contains(text) || self.err.contains(text);
        assert!(!found, "`{text}` in\nstdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }
}

impl Project {
    /// An empty one.
    pub fn new() -> Self {
        Self { dir: TempDir::with_prefix("kiln-test-").unwrap() }
    }

    /// One with `template.pkr.hcl`.
    pub fn with(template: &str) -> Self {
        let project = Self::new();
        project.write("template.pkr.hcl", template);
        project
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file, folders included.
    pub fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// Reads a file.
    #[track_caller]
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// kiln with `args`, environment of its own, not yet started.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(made("release/kiln", "cargo xtask build"));
        self.prepare(&mut command);
        command.args(args);
        command
    }

    /// kiln with `args` under the name `packer`, by a link in the home; threads of one test share it.
    pub fn packer(&self, args: &[&str]) -> Command {
        let kiln = self.command(&[]);
        let link = self.path("home/packer");
        match std::os::unix::fs::symlink(kiln.get_program(), &link) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => panic!("{}: {error}", link.display()),
            _ => {}
        }
        let mut command = Command::new(link);
        self.prepare(&mut command);
        command.args(args);
        command
    }

    /// Gives `command` the project's folder and environment.
    pub fn prepare(&self, command: &mut Command) {
        let home = self.path("home");
        fs::create_dir_all(&home).unwrap();
        command
            .current_dir(self.dir.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", &home)
            .env("XDG_STATE_HOME", home.join("state"))
            .env("XDG_CACHE_HOME", home.join("cache"))
            .env("XDG_CONFIG_HOME", home.join("config"))
            .env("TMPDIR", self.make_dir("tmp"))
            .stdin(Stdio::null());
    }

    fn make_dir(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(&path).unwrap();
        path
    }

    /// Runs kiln to its end.
    pub fn kiln(&self, args: &[&str]) -> Finished {
        self.start(args).finish()
    }

    /// Starts kiln.
    pub fn start(&self, args: &[&str]) -> Running {
        Running::start(self.command(args))
    }

    /// `build template.pkr.hcl` with more arguments in front.
    pub fn build(&self, args: &[&str]) -> Finished {
        self.kiln(&[&["build"], args, &["template.pkr.hcl"]].concat())
    }

    /// Processes whose command line or environment names this project's folder.
    pub fn processes(&self) -> Vec<String> {
        let marker = self.dir.path().to_str().unwrap().to_owned();
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let pid = entry.file_name().to_string_lossy().into_owned();
            if !pid.bytes().all(|b| b.is_ascii_digit()) {
                continue;
            }
            let text = |name: &str| {
                fs::read(entry.path().join(name)).map(|b| String::from_utf8_lossy(&b).replace('\0', " "))
            };
            let line = text("cmdline").unwrap_or_default();
            let cwd = fs::read_link(entry.path().join("cwd")).unwrap_or_default();
            if line.contains(&marker) || (cwd.starts_with(&marker) && !line.is_empty()) {
                found.push(format!("{pid}: {line}"));
            }
        }
        found
    }

    /// Everything in the project folder but its home, for messages and leak checks.
    pub fn files(&self) -> Vec<String> {
        let mut names = Vec::new();
        list(self.dir.path(), self.dir.path(), &mut names);
        names.retain(|name| !name.starts_with("home"));
        names.sort();
        names
    }
}

impl Default for Project {
    fn default() -> Self {
        Self::new()
    }
}

fn list(root: &Path, dir: &Path, names: &mut Vec<String>) {
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        names.push(path.strip_prefix(root).unwrap().to_string_lossy().into_owned());
        if path.is_dir() && !path.is_symlink() {
            list(root, &path, names);
        }
    }
}

/// A kiln that runs.
pub struct Running {
    child: Child,
    out: Arc<Mutex<String>>,
    readers: Vec<thread::JoinHandle<String>>,
}

impl Running {
    /// Starts a command whose output is collected.
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = Arc::new(Mutex::new(String::new()));
        let (stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let shared = Arc::clone(&out);
        let lines = thread::spawn(move || {
            for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
                let mut text = shared.lock().unwrap();
                text.push_str(&String::from_utf8_lossy(&line));
                text.push('\n');
            }
            String::new()
        });
        let errors = thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = stderr.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        });
        Self { child, out, readers: vec![lines, errors] }
    }

    /// What it printed so far.
    pub fn output(&self) -> String {
        self.out.lock().unwrap().clone()
    }

    /// Waits until its output contains `text`.
    #[track_caller]
    pub fn wait_for(&self, text: &str) {
        wait_until(&format!("`{text}` in the output"), || self.output().contains(text), || self.output());
    }

    /// Sends a signal by name: `INT`, `TERM`, `KILL`.
    ///
    /// # Panics
    /// If it has ended.
    pub fn signal(&self, name: &str) {
        assert!(self.try_signal(name), "it has ended: {}", self.output());
    }

    /// The same; gives whether it was still there.
    pub fn try_signal(&self, name: &str) -> bool {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-s", name, &pid]).status().unwrap().success()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end; kills it and fails if that takes too long.
    #[track_caller]
    pub fn finish(mut self) -> Finished {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > deadline {
                let _ = self.child.kill();
                panic!("kiln did not end within {PATIENCE:?}; it printed\n{}", self.output());
            }
            thread::sleep(Duration::from_millis(20));
        };
        let mut texts = self.readers.drain(..).map(|reader| reader.join().unwrap());
        texts.next();
        let err = texts.next().unwrap_or_default();
        drop(texts);
        Finished { code: status.code(), out: self.output(), err }
    }
}

/// Waits for `condition`, 90 s at most; `seen` is shown when it does not come.
#[track_caller]
pub fn wait_until(what: &str, condition: impl Fn() -> bool, seen: impl Fn() -> String) {
    let deadline = Instant::now() + Duration::from_secs(90);
    while !condition() {
        assert!(Instant::now() < deadline, "no {what}; seen:\n{}", seen());
        thread::sleep(Duration::from_millis(50));
    }
}
