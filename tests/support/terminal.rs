//! kiln in a terminal: what it shows there, what a person types, a window that changes its size.

use crate::{Finished, Project, wait_until};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// The longest that one kiln may take in a test.
const PATIENCE: Duration = Duration::from_secs(240);

/// A kiln that runs in a terminal of its own.
pub struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keyboard: Box<dyn Write + Send>,
    shown: Arc<Mutex<Shown>>,
    reader: thread::JoinHandle<()>,
}

/// What arrived, as bytes and as the cells of the window.
struct Shown {
    bytes: Vec<u8>,
    window: vt100::Parser,
}

impl Terminal {
    /// Starts kiln in a window of 24 rows and 100 columns; `more` is added to the environment.
    pub fn start(project: &Project, args: &[&str], more: &[(&str, &str)]) -> Self {
        let size = PtySize { rows: 24, cols: 100, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = builder(&project.command(args));
        command.env("TERM", "xterm-256color");
        more.iter().for_each(|(name, value)| command.env(name, value));
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let shown =
            Arc::new(Mutex::new(Shown { bytes: Vec::new(), window: vt100::Parser::new(24, 100, 10_000) }));
        let reader = read(pair.master.try_clone_reader().unwrap(), Arc::clone(&shown));
        let keyboard = pair.master.take_writer().unwrap();
        Self { child, master: pair.master, keyboard, shown, reader }
    }

    /// Everything that arrived, control sequences included.
    pub fn output(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap().bytes).into_owned()
    }

    /// What the window shows now.
    pub fn window(&self) -> String {
        text_of(self.shown.lock().unwrap().window.screen())
    }

    /// Waits until something arrived that contains `text`.
    #[track_caller]
    pub fn wait_for(&self, text: &str) {
        wait_until(&format!("`{text}` in the terminal"), || self.output().contains(text), || self.output());
    }

    /// Waits until the window shows what `wanted` accepts.
    #[track_caller]
    pub fn wait_to_show(&self, what: &str, wanted: impl Fn(&str) -> bool) {
        wait_until(what, || wanted(&self.window()), || self.window());
    }

    /// Types.
    pub fn send(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Gives the window another size.
    pub fn resize(&self, rows: u16, cols: u16) {
        self.master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
        self.shown.lock().unwrap().window.screen_mut().set_size(rows, cols);
    }

    /// Waits for its end; kills it and fails if that takes too long. All that arrived is `out`.
    #[track_caller]
    pub fn finish(mut self) -> Finished {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > deadline {
                let _ = self.child.kill();
                panic!("kiln did not end within {PATIENCE:?}; it showed\n{}", self.output());
            }
            thread::sleep(Duration::from_millis(20));
        };
        // What kiln left running keeps the terminal open; what kiln wrote is there by now.
        let deadline = Instant::now() + Duration::from_millis(500);
        while !self.reader.is_finished() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
        }
        let code = status.signal().is_none().then(|| status.exit_code() as i32);
        Finished { code, out: self.output(), err: String::new() }
    }
}

/// The rows of a screen. `contents` would join rows that are padded to the window's width.
fn text_of(screen: &vt100::Screen) -> String {
    let (_, columns) = screen.size();
    let rows: Vec<String> = screen.rows(0, columns).map(|row| row.trim_end().to_owned()).collect();
    rows.join("\n").trim_end().to_owned()
}

/// What a window of this size would show after all these bytes.
pub fn replayed(bytes: &str, rows: u16, columns: u16) -> String {
    let mut window = vt100::Parser::new(rows, columns, 0);
    window.process(bytes.as_bytes());
    text_of(window.screen())
}

fn builder(command: &std::process::Command) -> CommandBuilder {
    let mut builder = CommandBuilder::new(command.get_program());
    builder.args(command.get_args());
    builder.env_clear();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            builder.env(name, value);
        }
    }
    if let Some(folder) = command.get_current_dir() {
        builder.cwd(folder);
    }
    builder
}

fn read(mut from: Box<dyn Read + Send>, shown: Arc<Mutex<Shown>>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut piece = [0; 4096];
        // The end of the last program on a terminal is an error here, not the end of a file.
        while let Ok(count @ 1..) = from.read(&mut piece) {
            let mut shown = shown.lock().unwrap();
            shown.bytes.extend_from_slice(&piece[..count]);
            shown.window.process(&piece[..count]);
        }
    })
}
