//! `kiln cleanup [ID]`: undoes what killed runs left on this machine.

use crate::args::CleanupArgs;
use crate::exit::Exit;
use crate::home::Home;
use crate::sandbox::Sandbox;
use crate::screen::Screen;
use kiln_host::{Journal, OpenRun};

/// Cleans up. It fails if something could not be removed, or if a run is named that left nothing.
pub(crate) fn run(screen: &Screen, args: &CleanupArgs) -> Exit {
    let runs = match Journal::open_runs(&Home::find().state) {
        Ok(runs) => runs,
        Err(error) => {
            screen.error(format!("Error: cannot read the journal: {error}"));
            return Exit::Failure;
        }
    };
    let wanted = |id: &str| args.id.as_deref().is_none_or(|wanted| wanted == id);
    let runs: Vec<_> = runs.into_iter().filter(|run| wanted(&run.id)).collect();
    if runs.is_empty() {
        return nothing(screen, args.id.as_deref());
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            screen.error(format!("Error: cannot start: {error}"));
            return Exit::Failure;
        }
    };
    let sandbox = if runs.iter().any(OpenRun::has_outside) { open(screen) } else { None };
    let mut complete = true;
    for run in runs {
        screen.say(format!("Run {}:", run.id));
        let (removed, left) = runtime.block_on(run.undo_all(sandbox.as_ref().map(|sandbox| &sandbox.host)));
        removed.iter().for_each(|line| screen.say(format!("  {line}")));
        left.iter().for_each(|line| screen.error(format!("  left: {line}")));
        complete &= left.is_empty();
    }
    Exit::of(complete)
}

/// The components of this project: those that made something elsewhere have to remove it.
fn open(screen: &Screen) -> Option<Sandbox> {
    Sandbox::open(&Home::find(), None)
        .inspect_err(|error| screen.error(format!("Error: the components cannot be opened: {error}")))
        .ok()
}

fn nothing(screen: &Screen, id: Option<&str>) -> Exit {
    match id {
        Some(id) => {
            screen.error(format!("Error: no run `{id}` left anything, or it is still alive"));
            Exit::Failure
        }
        None => {
            screen.say("Nothing is left of earlier runs.");
            Exit::Success
        }
    }
}
