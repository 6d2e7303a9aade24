//! `kiln completion SHELL`.

use crate::args::Args;
use crate::exit::Exit;
use clap::CommandFactory;
use clap_complete::Shell;
use std::io::Write;

/// Prints the script.
pub(crate) fn run(shell: Shell) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "kiln", &mut script);
    Exit::of(std::io::stdout().write_all(&script).is_ok())
}
