//! `kiln fix`: a legacy JSON template brought up to date, on standard output.

use crate::args::{ConfigType, FixArgs};
use crate::exit::Exit;
use crate::home::Home;
use crate::screen::Screen;
use crate::session::{Shown, load_text, standard_input};
use kiln_plan::Diagnostic;
use kiln_plan::code::template as code;
use std::borrow::Cow;
use std::fmt::Write;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// The largest template, in bytes.
const LIMIT: u64 = 16 << 20;

/// Fixes.
pub(crate) fn run(screen: &Screen, args: &FixArgs) -> Exit {
    Exit::of(fix(screen, args).is_ok())
}

fn fix(screen: &Screen, args: &FixArgs) -> Result<(), Shown> {
    let name = shown_name(&args.template);
    let fixed = kiln_template::fix(&name, &read(screen, &args.template)?).map_err(|(sources, found)| {
        screen.quote(Arc::new(sources));
        screen.diagnostic(&found);
        Shown
    })?;
    // With the empty line at the end that Packer prints.
    screen.say(fixed.as_str());
    if args.validate {
        load_text(screen, &Home::find(), &format!("{name} (fixed)"), &fixed, ConfigType::Json)?;
    }
    Ok(())
}

/// What messages call the template.
fn shown_name(path: &Path) -> Cow<'_, str> {
    if path == Path::new("-") { "<stdin>".into() } else { path.to_string_lossy() }
}

fn read(screen: &Screen, path: &Path) -> Result<String, Shown> {
    if path == Path::new("-") {
        return standard_input(screen);
    }
    let shown = path.display();
    let refuse = |diagnostic: Diagnostic| {
        screen.diagnostic(&diagnostic);
        Shown
    };
    let name = path.to_string_lossy();
    if name.ends_with(".hcl") || name.ends_with(".pkr.json") || path.is_dir() {
        let what = format!("only legacy JSON templates are fixed, and {shown} is not one");
        let help = format!("HCL2 has nothing to fix; `kiln validate {shown}` says what is wrong with it");
        return Err(refuse(Diagnostic::error(code::CANNOT_FIX, what).help(help)));
    }
    let unreadable = |what: String| refuse(Diagnostic::error(code::UNREADABLE, what));
    let mut bytes = Vec::new();
    crate::template_env::open(path)
        .and_then(|file| file.take(LIMIT + 1).read_to_end(&mut bytes))
        .map_err(|e| unreadable(format!("cannot read {shown}: {e}")))?;
    if bytes.len() as u64 > LIMIT {
        return Err(unreadable(format!("{shown} is larger than 16 MiB")));
    }
    String::from_utf8(bytes).map_err(|_| unreadable(format!("{shown} is not UTF-8 text")))
}

/// The fixers, for the help.
pub(crate) fn help() -> String {
    let mut text = String::from("Fixers, in the order in which they run:\n");
    for (name, description) in kiln_template::fixers() {
        let _ = write!(text, "\n  {name:27}{description}");
    }
    text
}
