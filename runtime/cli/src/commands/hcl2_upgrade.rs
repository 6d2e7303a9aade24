//! `kiln hcl2_upgrade`: a legacy JSON template as HCL2, written beside it.
#![expect(clippy::disallowed_methods, reason = "this verb writes the file that the user names")]

use crate::args::Hcl2UpgradeArgs;
use crate::catalogue::Components;
use crate::exit::Exit;
use crate::home::Home;
use crate::sandbox::Sandbox;
use crate::screen::Screen;
use std::path::PathBuf;

/// Upgrades. As in Packer, the result is written although a component in it is unknown.
pub(crate) fn run(screen: &Screen, args: &Hcl2UpgradeArgs) -> Exit {
    let home = Home::find();
    let text = match std::fs::read_to_string(&args.template) {
        Ok(text) => text,
        Err(error) => return failed(screen, &format!("cannot read {}: {error}", args.template.display())),
    };
    let sandbox = match Sandbox::open(&home, Some(&args.template)) {
        Ok(sandbox) => sandbox,
        Err(error) => return failed(screen, &error.to_string()),
    };
    let components = Components::new(&sandbox);
    let upgraded = match kiln_template::upgrade(&text, &components, args.with_annotations) {
        Ok(upgraded) => upgraded,
        Err(problem) => return failed(screen, &format!("{}: {problem}", args.template.display())),
    };
    screen.diagnostics(&components.findings());
    let output = output(args);
    let shown = output.display();
    if let Err(error) = std::fs::write(&output, &upgraded.text) {
        return failed(screen, &format!("cannot write {shown}: {error}"));
    }
    for component in &upgraded.unknown {
        let what =
            format!("there is no {component}; its options were translated by their shape, look at them");
        failed(screen, &what);
    }
    screen.say(format!("Successfully created {shown}"));
    Exit::of(upgraded.unknown.is_empty())
}

fn failed(screen: &Screen, problem: &str) -> Exit {
    screen.error(format!("Error: {problem}"));
    Exit::Failure
}

/// Where the result goes.
fn output(args: &Hcl2UpgradeArgs) -> PathBuf {
    args.output_file.clone().unwrap_or_else(|| {
        let mut name = args.template.clone().into_os_string();
        name.push(".pkr.hcl");
        PathBuf::from(name)
    })
}
