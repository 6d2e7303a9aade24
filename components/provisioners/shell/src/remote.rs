//! Running scripts over a connection that may be lost.
//!
//! ```text
//! upload ─► start ─► ended with a status ─────────────► judged
//!   ▲         │  └─► connection lost while it ran ────► judged (expect_disconnect)
//!   └─ reconnect ◄─ connection lost before it started
//! ```

use crate::options::{Options, Script};
use kiln_scripts::Exit;
use kiln_sdk::sessions::{Command, Finished, OutputMode, Session, UploadOptions};
use kiln_sdk::{Config, Error, duration, files, log, render, secrets, ui};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// How long to wait before something is tried again that did not fail for the connection.
const PAUSE: u64 = 1_000;

/// The machine's side of one step.
pub(crate) struct Remote<'a> {
    session: &'a Session,
    options: &'a Config<Options>,
    patience: Duration,
    uploaded: BTreeSet<String>,
}

impl<'a> Remote<'a> {
    pub(crate) fn new(session: &'a Session, options: &'a Config<Options>) -> Result<Self, Error> {
        let patience =
            duration::wait(&options.start_retry_timeout).map_err(|e| e.at("/start_retry_timeout"))?;
        Ok(Self { session, options, patience: Duration::from_millis(patience), uploaded: BTreeSet::new() })
    }

    /// Uploads a script, and its variables if they go into a file, runs it and judges its end.
    pub(crate) fn run(
        &mut self,
        script: &Script,
        path: &str,
        variables_path: &str,
        variables: &str,
    ) -> Result<(), Error> {
        let in_file = self.options.use_env_var_file;
        let fields = serde_json::json!({ "Vars": variables, "Path": path, "EnvVarFile": variables_path });
        let line = render::go_template(self.options.command(), &fields.to_string())
            .map_err(|e| e.at("/execute_command"))?;
        self.uploaded.insert(path.to_owned());
        if in_file {
            self.uploaded.insert(variables_path.to_owned());
        }
        let finished = self.with_patience(|session| {
            if in_file {
                let content = files::from_text("variables", variables)?;
                upload(session, &content, variables_path, 0o600)?;
            }
            upload(session, &script.content, path, 0o755).map_err(|e| e.at(script.pointer.as_str()))?;
            session.run(Command::new(&line))
        })?;
        let exit = Exit { status: finished.status(), disconnected: finished.disconnected() };
        exit.judge(&self.options.valid_exit_codes, self.options.expect_disconnect)
            .map_err(|e| e.at(script.pointer.as_str()))
    }

    /// Removes what was uploaded, with one command.
    pub(crate) fn clean(&self) -> Result<(), Error> {
        if self.uploaded.is_empty() {
            return Ok(());
        }
        let mut line = "rm -f".to_owned();
        for path in &self.uploaded {
            line.push(' ');
            line.push_str(&secrets::quote(path, secrets::Quoting::Posix)?);
        }
        let finished = self.with_patience(|session| {
            let command = Command::new(&line);
            command.output(OutputMode::OnError);
            let finished = session.run(command)?;
            if finished.disconnected() { Err(lost()) } else { Ok(finished) }
        })?;
        removed(&finished)
    }

    /// Does `work`, again after a reconnect while the connection is lost, as long as the user wants
    /// to wait.
    fn with_patience<T>(&self, work: impl Fn(&Session) -> Result<T, Error>) -> Result<T, Error> {
        let begun = Instant::now();
        loop {
            let error = match work(self.session) {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            let left = self.patience.saturating_sub(begun.elapsed());
            if left.is_zero() || !(error.is_disconnected() || error.retryable) {
                return Err(error);
            }
            log!("trying again for {} s: {}", left.as_secs(), error.message);
            if error.is_disconnected() {
                let left = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
                self.session.reconnect(left)?;
            } else {
                ui::sleep(PAUSE)?;
            }
        }
    }
}

fn upload(session: &Session, content: &files::File, path: &str, mode: u32) -> Result<(), Error> {
    let options = UploadOptions::new();
    options.mode(mode);
    session.upload(content, path, options).map_err(|e| e.doing(&format!("uploading to {path}")))
}

fn lost() -> Error {
    Error::new(kiln_sdk::ErrorCode::Disconnected, "the connection was lost")
}

fn removed(finished: &Finished) -> Result<(), Error> {
    if finished.status() == Some(0) {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&finished.stderr()).trim().to_owned();
    Err(Error::failed(format!("cannot remove the uploaded scripts ({why}); `skip_clean = true` leaves them")))
}
