//! `kiln version`.

use crate::exit::Exit;
use crate::screen::Screen;

/// The version of this kiln.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Says it. Under `-machine-readable` the rows have Packer's names, its spelling included.
pub(crate) fn run(screen: &Screen) -> Exit {
    if screen.row("version", &[VERSION]) {
        screen.row("version-prelease", &[""]);
        screen.row("version-commit", &[""]);
    }
    screen.say(format!("kiln v{VERSION}"));
    Exit::Success
}
