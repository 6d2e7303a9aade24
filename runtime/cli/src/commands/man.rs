//! `kiln man DIR`: manual pages out of the same definition as `--help`.
#![expect(clippy::disallowed_methods, reason = "writes the pages where the user says")]

use crate::args::Args;
use crate::exit::Exit;
use crate::screen::Screen;
use clap::CommandFactory;
use std::path::Path;

/// Writes `kiln.1` and a page for each verb: `kiln-build.1`.
pub(crate) fn run(screen: &Screen, dir: &Path) -> Exit {
    let mut command = Args::command();
    command.build();
    let written = std::fs::create_dir_all(dir).and_then(|()| clap_mangen::generate_to(command, dir));
    match written {
        Ok(()) => {
            screen.say(format!("Wrote the manual pages into {}", dir.display()));
            Exit::Success
        }
        Err(error) => {
            screen.error(format!("Error: cannot write manual pages into {}: {error}", dir.display()));
            Exit::Failure
        }
    }
}
