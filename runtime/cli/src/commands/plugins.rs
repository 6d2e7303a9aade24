//! `kiln plugins installed`: the components that templates can use.

use crate::bundled::BUNDLED;
use crate::config_file::Project;
use crate::exit::Exit;
use crate::home::Home;
use crate::screen::Screen;

/// Lists them, one a line: kind, name, and where it comes from. Runs none.
pub(crate) fn installed(screen: &Screen) -> Exit {
    let project = match Project::of(None, &Home::find().working) {
        Ok(project) => project,
        Err(error) => {
            screen.error(format!("Error: {error}"));
            return Exit::Failure;
        }
    };
    for (kind, name, _) in BUNDLED {
        screen.say(format!("{kind} {name} (bundled)"));
    }
    for foreign in project.components {
        screen.say(format!("{} {} ({})", foreign.component.kind, foreign.component.name, foreign.written));
    }
    Exit::Success
}
