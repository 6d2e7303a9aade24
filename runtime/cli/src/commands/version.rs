//! `kiln version`.

use super::Program;
use crate::exit::Exit;
use crate::screen::Screen;
use kiln_template::PACKER_VERSION;

/// The version of this kiln.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Says it; under the name `packer`, which Packer it stands for, because scripts compare that. Under
/// `-machine-readable` the rows have Packer's names, its spelling included.
pub(crate) fn run(screen: &Screen, program: Program) -> Exit {
    let version = if program == Program::Packer { PACKER_VERSION } else { VERSION };
    screen.row("version", &[version]);
    screen.row("version-prelease", &[""]);
    screen.row("version-commit", &[""]);
    if program == Program::Packer {
        screen.say(format!("Packer v{version}"));
        screen.aside(&format!("this is kiln v{VERSION}"));
    } else {
        screen.say(format!("kiln v{version}"));
    }
    Exit::Success
}
