//! `kiln hcl2_upgrade`: a legacy JSON template as HCL2, written beside it.
#![expect(clippy::disallowed_methods, reason = "this verb writes the file that the user names")]

use crate::args::Hcl2UpgradeArgs;
use crate::catalogue::Components;
use crate::exit::Exit;
use crate::home::Home;
use crate::legacy_file;
use crate::sandbox::Sandbox;
use crate::screen::Screen;
use crate::session::Shown;
use kiln_plan::Diagnostic;
use kiln_plan::code::template as code;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const NAMELESS: &str = "standard input has no name; say with -output-file where the result goes";

/// Upgrades. As in Packer, the result is written although a component in it is unknown.
pub(crate) fn run(screen: &Screen, args: &Hcl2UpgradeArgs) -> Exit {
    upgrade(screen, args).unwrap_or(Exit::Failure)
}

fn upgrade(screen: &Screen, args: &Hcl2UpgradeArgs) -> Result<Exit, Shown> {
    let output = output(args).ok_or_else(|| failed(screen, NAMELESS))?;
    let file = legacy_file::read(screen, &args.template, refusal)?;
    let sandbox = Sandbox::open(&Home::find(), Some(&args.template))
        .map_err(|error| failed(screen, &error.to_string()))?;
    let components = Components::new(&sandbox);
    let upgraded = kiln_template::upgrade(&file.name, &file.text, &components, args.with_annotations);
    let upgraded = upgraded.map_err(|(sources, found)| {
        screen.quote(Arc::new(sources));
        screen.diagnostics(&found);
        Shown
    })?;
    screen.quote(Arc::new(upgraded.sources));
    screen.diagnostics(&upgraded.warnings);
    screen.diagnostics(&components.findings());
    let shown = output.display();
    std::fs::write(&output, &upgraded.text)
        .map_err(|error| failed(screen, &format!("cannot write {shown}: {error}")))?;
    for component in &upgraded.unknown {
        let what =
            format!("there is no {component}; its options were translated by their shape, look at them");
        failed(screen, &what);
    }
    screen.say(format!("Successfully created {shown}"));
    Ok(Exit::of(upgraded.unknown.is_empty()))
}

fn refusal(shown: &str) -> Diagnostic {
    let what = format!("only legacy JSON templates are upgraded, and {shown} is not one");
    let help = format!("HCL2 needs no upgrade; `kiln validate {shown}` says what is wrong with it");
    Diagnostic::error(code::UNSUPPORTED_SYNTAX, what).help(help)
}

fn failed(screen: &Screen, problem: &str) -> Shown {
    screen.error(format!("Error: {problem}"));
    Shown
}

/// Where the result goes; `None` if nobody said and the template has no name.
fn output(args: &Hcl2UpgradeArgs) -> Option<PathBuf> {
    if args.output_file.is_some() || args.template == Path::new("-") {
        return args.output_file.clone();
    }
    let mut name = args.template.clone().into_os_string();
    name.push(".pkr.hcl");
    Some(PathBuf::from(name))
}
