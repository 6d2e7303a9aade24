//! `sessions` (role; `forward`: grant): the connection to the machine that is being built. Threat:
//! output of a hostile machine, and a component that opens the machine's network to the user's.
//! A session is root on the image; nothing here protects the image from the component.

pub(crate) mod connection;

pub use connection::{Process, Session};

use super::{Call, Role};
use crate::bindings::kiln::host::sessions::{self, OutputMode};
use crate::file::File;
pub use crate::finished::Finished;
use crate::finished::Mode;
use crate::state::State;
use std::time::Duration;
use wasmtime::component::Resource;

/// The most variables of a command, and names of an exclusion.
const MAX_ITEMS: usize = 10_000;

/// A command to run.
#[derive(Debug, Default)]
pub struct Command {
    pub(crate) line: String,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) stdin: Option<File>,
    pub(crate) pty: bool,
    pub(crate) timeout: Option<Duration>,
    pub(crate) mode: Mode,
}

/// How a file is uploaded.
#[derive(Debug, Default)]
pub struct UploadOptions {
    pub(crate) mode: Option<u32>,
    pub(crate) exclude: Vec<String>,
}

/// The contract's word for what becomes of output.
pub(super) fn mode_of(mode: OutputMode) -> Mode {
    match mode {
        OutputMode::Live => Mode::Live,
        OutputMode::Quiet => Mode::Quiet,
        OutputMode::OnError => Mode::OnError,
    }
}

impl sessions::Host for State {}

impl sessions::HostCommand for State {
    async fn new(&mut self, line: String) -> wasmtime::Result<Resource<Command>> {
        let _call = Call::always(self, "sessions.[constructor]command")?;
        Ok(self.table.push(Command { line, ..Command::default() })?)
    }

    async fn env(&mut self, this: Resource<Command>, name: String, value: String) -> wasmtime::Result<()> {
        let _call = Call::always(self, "sessions.[method]command.env")?;
        let command = self.table.get_mut(&this)?;
        if command.env.len() >= MAX_ITEMS {
            return Err(wasmtime::Error::msg("a command has 10,000 variables at most"));
        }
        command.env.push((name, value));
        Ok(())
    }

    async fn stdin(&mut self, this: Resource<Command>, content: Resource<File>) -> wasmtime::Result<()> {
        let _call = Call::always(self, "sessions.[method]command.stdin")?;
        let content = self.table.get(&content)?.clone();
        self.table.get_mut(&this)?.stdin = Some(content);
        Ok(())
    }

    async fn pty(&mut self, this: Resource<Command>) -> wasmtime::Result<()> {
        let _call = Call::always(self, "sessions.[method]command.pty")?;
        self.table.get_mut(&this)?.pty = true;
        Ok(())
    }

    async fn timeout(&mut self, this: Resource<Command>, milliseconds: u64) -> wasmtime::Result<()> {
        let _call = Call::always(self, "sessions.[method]command.timeout")?;
        self.table.get_mut(&this)?.timeout = Some(Duration::from_millis(milliseconds));
        Ok(())
    }

    async fn output(&mut self, this: Resource<Command>, mode: OutputMode) -> wasmtime::Result<()> {
        let _call = Call::always(self, "sessions.[method]command.output")?;
        self.table.get_mut(&this)?.mode = mode_of(mode);
        Ok(())
    }

    async fn drop(&mut self, this: Resource<Command>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl sessions::HostFinished for State {
    async fn status(&mut self, this: Resource<Finished>) -> wasmtime::Result<Option<i32>> {
        let _call = Call::by_role(self, "sessions.[method]finished.status", Role::ACTIVE)?;
        Ok(self.table.get(&this)?.status)
    }

    async fn disconnected(&mut self, this: Resource<Finished>) -> wasmtime::Result<bool> {
        let _call = Call::by_role(self, "sessions.[method]finished.disconnected", Role::ACTIVE)?;
        Ok(self.table.get(&this)?.disconnected)
    }

    async fn stdout(&mut self, this: Resource<Finished>) -> wasmtime::Result<Vec<u8>> {
        let _call = Call::by_role(self, "sessions.[method]finished.stdout", Role::ACTIVE)?;
        Ok(self.table.get(&this)?.stdout.bytes(&self.step.build.vault))
    }

    async fn stderr(&mut self, this: Resource<Finished>) -> wasmtime::Result<Vec<u8>> {
        let _call = Call::by_role(self, "sessions.[method]finished.stderr", Role::ACTIVE)?;
        Ok(self.table.get(&this)?.stderr.bytes(&self.step.build.vault))
    }

    async fn truncated(&mut self, this: Resource<Finished>) -> wasmtime::Result<bool> {
        let _call = Call::by_role(self, "sessions.[method]finished.truncated", Role::ACTIVE)?;
        let finished = self.table.get(&this)?;
        Ok(finished.stdout.truncated() || finished.stderr.truncated())
    }

    async fn elapsed(&mut self, this: Resource<Finished>) -> wasmtime::Result<u64> {
        let _call = Call::by_role(self, "sessions.[method]finished.elapsed", Role::ACTIVE)?;
        Ok(u64::try_from(self.table.get(&this)?.elapsed.as_millis()).unwrap_or(u64::MAX))
    }

    async fn drop(&mut self, this: Resource<Finished>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl sessions::HostUploadOptions for State {
    async fn new(&mut self) -> wasmtime::Result<Resource<UploadOptions>> {
        let _call = Call::always(self, "sessions.[constructor]upload-options")?;
        Ok(self.table.push(UploadOptions::default())?)
    }

    async fn mode(&mut self, this: Resource<UploadOptions>, mode: u32) -> wasmtime::Result<()> {
        let _call = Call::always(self, "sessions.[method]upload-options.mode")?;
        self.table.get_mut(&this)?.mode = Some(mode & 0o7777);
        Ok(())
    }

    async fn exclude(
        &mut self,
        this: Resource<UploadOptions>,
        patterns: Vec<String>,
    ) -> wasmtime::Result<()> {
        let _call = Call::always(self, "sessions.[method]upload-options.exclude")?;
        let options = self.table.get_mut(&this)?;
        if options.exclude.len() + patterns.len() > MAX_ITEMS {
            return Err(wasmtime::Error::msg("an upload excludes 10,000 patterns at most"));
        }
        options.exclude.extend(patterns);
        Ok(())
    }

    async fn drop(&mut self, this: Resource<UploadOptions>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}
