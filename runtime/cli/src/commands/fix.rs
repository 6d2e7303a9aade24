//! `kiln fix`: a legacy JSON template brought up to date, on standard output.

use crate::args::{ConfigType, FixArgs};
use crate::exit::Exit;
use crate::home::Home;
use crate::legacy_file;
use crate::screen::Screen;
use crate::session::{Shown, load_text};
use kiln_plan::Diagnostic;
use kiln_plan::code::template as code;
use std::fmt::Write;
use std::sync::Arc;

/// Fixes.
pub(crate) fn run(screen: &Screen, args: &FixArgs) -> Exit {
    Exit::of(fix(screen, args).is_ok())
}

fn fix(screen: &Screen, args: &FixArgs) -> Result<(), Shown> {
    let file = legacy_file::read(screen, &args.template, refusal)?;
    let name = &file.name;
    let fixed = kiln_template::fix(name, &file.text).map_err(|(sources, found)| {
        screen.quote(Arc::new(sources));
        screen.diagnostics(&found);
        Shown
    })?;
    // With the empty line at the end that Packer prints.
    screen.say(fixed.as_str());
    if args.validate {
        load_text(screen, &Home::find(), &format!("{name} (fixed)"), &fixed, ConfigType::Json)?;
    }
    Ok(())
}

fn refusal(shown: &str) -> Diagnostic {
    let what = format!("only legacy JSON templates are fixed, and {shown} is not one");
    let help = format!("HCL2 has nothing to fix; `kiln validate {shown}` says what is wrong with it");
    Diagnostic::error(code::CANNOT_FIX, what).help(help)
}

/// The fixers, for the help.
pub(crate) fn help() -> String {
    let mut text = String::from("Fixers, in the order in which they run:\n");
    for (name, description) in kiln_template::fixers() {
        let _ = write!(text, "\n  {name:27}{description}");
    }
    text
}
