//! The verbs. Each file is one verb; this one chooses.

mod build;
mod cleanup;
mod completion;
mod console;
mod docs;
mod explain;
pub(crate) mod fix;
mod fmt;
mod hcl2_upgrade;
pub(crate) mod init;
mod inspect;
mod man;
mod plugins;
mod validate;
mod version;

use crate::args::{Args, PluginsVerb, Verb, normalise};
use crate::exit::Exit;
use crate::screen::Screen;
use crate::settings::Showing;
use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches};
use std::ffi::OsString;
use std::io::Write;

/// Runs what the arguments say, the program's own name first.
pub(crate) fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let mut arguments = arguments.into_iter();
    let program = Program::of(arguments.next());
    let mut written: Vec<OsString> = arguments.collect();
    // What Packer takes instead of a verb. Flags may follow: `packer -v -machine-readable`.
    if let Some(first) = written.first_mut() {
        match first.to_str() {
            Some("-v" | "-version" | "--version") => *first = "version".into(),
            Some("-autocomplete-install" | "--autocomplete-install") => {
                return completion::install(&plain_screen(), program.name());
            }
            Some("-autocomplete-uninstall" | "--autocomplete-uninstall") => {
                return completion::uninstall(&plain_screen(), program.name());
            }
            _ => {}
        }
    }
    let command = Args::command();
    let normal = normalise(&command, written);
    let parsed = command
        .try_get_matches_from(std::iter::once("kiln".into()).chain(normal))
        .and_then(|matches| Args::from_arg_matches(&matches));
    match parsed {
        Ok(args) => start(args, program),
        Err(error) => refused(&error),
    }
}

/// Under which name kiln was started: scripts written for Packer get Packer's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    Kiln,
    Packer,
}

impl Program {
    fn of(path: Option<OsString>) -> Self {
        let path = std::path::PathBuf::from(path.unwrap_or_default());
        if path.file_stem().is_some_and(|name| name == "packer") { Self::Packer } else { Self::Kiln }
    }

    /// As it is typed.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Kiln => "kiln",
            Self::Packer => "packer",
        }
    }
}

fn plain_screen() -> Screen {
    Screen::new(Showing::lines())
}

/// What clap says instead of arguments: help, or what is wrong with them. On standard output, as
/// everything that people read.
fn refused(error: &clap::Error) -> Exit {
    let text = error.render().to_string();
    let mut out = std::io::stdout();
    let _ = out.write_all(text.as_bytes());
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Success,
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Exit::NoCommand,
        // `kiln bild`: which verbs there are, as for `kiln` alone.
        ErrorKind::MissingSubcommand | ErrorKind::InvalidSubcommand => {
            let _ = write!(out, "\n{}", Args::command().render_help());
            Exit::NoCommand
        }
        _ => Exit::Failure,
    }
}

fn start(args: Args, program: Program) -> Exit {
    let screen = Screen::new(Showing::of(&args.output));
    if let Err(error) = crate::logging::start() {
        screen.error(format!("Error: the log file of PACKER_LOG_PATH cannot be made: {error}"));
        return Exit::Failure;
    }
    match args.verb {
        Verb::Build(args) => build::run(&screen, &args),
        Verb::Validate(args) => validate::run(&screen, &args),
        Verb::Init(args) => init::run(&screen, &args),
        Verb::Inspect(args) => inspect::run(&screen, &args),
        Verb::Fix(args) => fix::run(&screen, &args),
        Verb::Fmt(args) => fmt::run(&screen, &args),
        Verb::Hcl2Upgrade(args) => hcl2_upgrade::run(&screen, &args),
        Verb::Console(args) => console::run(&screen, &args),
        Verb::Cleanup(args) => cleanup::run(&screen, &args),
        Verb::Plugins { verb: PluginsVerb::Installed } => plugins::installed(&screen),
        Verb::Plugins { verb: PluginsVerb::Required { template } } => plugins::required(&screen, &template),
        Verb::Plugins { verb: PluginsVerb::Install(args) } => plugins::install(&screen, &args),
        Verb::Plugins { verb: PluginsVerb::Remove { component, .. } } => plugins::remove(&screen, &component),
        Verb::Version => version::run(&screen, program),
        Verb::Completion { shell } => completion::run(shell, program.name()),
        Verb::Man { dir } => man::run(&screen, &dir),
        Verb::Explain { code } => explain::run(&screen, code.as_deref()),
        Verb::Supervise => {
            kiln_machine::supervise(std::io::stdin());
            Exit::Success
        }
        Verb::Docs { dir } => docs::run(&screen, &dir),
    }
}
