//! The verbs. Each file is one verb; this one chooses.

mod build;
mod cleanup;
mod completion;
mod console;
mod docs;
pub(crate) mod fix;
mod fmt;
mod hcl2_upgrade;
pub(crate) mod init;
mod inspect;
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
    let _program = arguments.next();
    let written: Vec<OsString> = arguments.collect();
    // Packer takes these three for the verb.
    let version = matches!(written.first().and_then(|a| a.to_str()), Some("-v" | "-version" | "--version"));
    let written = if version { vec!["version".into()] } else { written };
    let command = Args::command();
    let normal = normalise(&command, written);
    let parsed = command
        .try_get_matches_from(std::iter::once("kiln".into()).chain(normal))
        .and_then(|matches| Args::from_arg_matches(&matches));
    match parsed {
        Ok(args) => start(args),
        Err(error) => refused(&error),
    }
}

/// What clap says instead of arguments: help, or what is wrong with them. On standard output, as
/// everything that people read.
fn refused(error: &clap::Error) -> Exit {
    let text = error.render().to_string();
    let _ = std::io::stdout().write_all(text.as_bytes());
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Success,
        // `kiln` alone, or `kiln bild`.
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        | ErrorKind::MissingSubcommand
        | ErrorKind::InvalidSubcommand => Exit::NoCommand,
        _ => Exit::Failure,
    }
}

fn start(args: Args) -> Exit {
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
        Verb::Version => version::run(&screen),
        Verb::Completion { shell } => completion::run(shell),
        Verb::Supervise => {
            kiln_machine::supervise(std::io::stdin());
            Exit::Success
        }
        Verb::Docs { dir } => docs::run(&screen, &dir),
    }
}
