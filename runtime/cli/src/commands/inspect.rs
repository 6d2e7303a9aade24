//! `kiln inspect`: what a template consists of, in Packer's layout. Runs nothing.

mod legacy;

use crate::args::InspectArgs;
use crate::exit::Exit;
use crate::home::Home;
use crate::screen::Screen;
use crate::session::{Session, Shown, load, variables};
use kiln_template::{InspectedBuild, Inspection, Language, Mode, Undeclared};
use std::fmt::Write;

/// Inspects.
pub(crate) fn run(screen: &Screen, args: &InspectArgs) -> Exit {
    let Ok(inspection) = inspect(screen, args) else { return Exit::Failure };
    if inspection.language == Language::LegacyJson {
        legacy::show(screen, &inspection);
        return Exit::Success;
    }
    // Three texts, because each is a row of its own under -machine-readable. Packer's rows of type
    // `template-…` are of legacy JSON templates only.
    screen.say("Packer Inspect: HCL2 mode\n");
    screen.say(values(&inspection));
    screen.say(builds(&inspection));
    Exit::Success
}

fn inspect(screen: &Screen, args: &InspectArgs) -> Result<Inspection, Shown> {
    let home = Home::find();
    let inputs = variables(screen, &args.flags, Undeclared::Ignore)?;
    let template = load(screen, &home, Some(&args.template), args.flags.config_type)?;
    let session = Session::open(screen, &home, Some(&args.template))?;
    Ok(session.evaluate(template, &args.flags, &inputs, false, Mode::Inspect)?.0.inspect())
}

fn values(inspection: &Inspection) -> String {
    let mut out = String::from("> input-variables:\n\n");
    for variable in &inspection.variables {
        let _ = writeln!(out, "var.{}: {}", variable.name, variable.value);
    }
    out.push_str("\n> local-variables:\n\n");
    for (name, value) in &inspection.locals {
        let _ = writeln!(out, "local.{name}: {value}");
    }
    out
}

fn builds(inspection: &Inspection) -> String {
    let mut out = String::from("> builds:\n");
    for (index, build) in inspection.builds.iter().enumerate() {
        one_build(&mut out, index, build);
    }
    out
}

fn one_build(out: &mut String, index: usize, build: &InspectedBuild) {
    let unnamed = format!("<unnamed build {index}>");
    let name = if build.name.is_empty() { &unnamed } else { &build.name };
    let _ = writeln!(out, "\n  > {name}:");
    if !build.description.is_empty() {
        let _ = writeln!(out, "\n  > Description: {}", build.description);
    }
    list(out, "sources", "source", &build.sources, "\n\n");
    list(out, "provisioners", "provisioner", &build.provisioners, "\n");
    out.push_str("\n    post-processors:\n\n");
    if build.post_processors.is_empty() {
        out.push_str("      <no post-processor>\n");
    }
    for (number, sequence) in build.post_processors.iter().enumerate() {
        let apart = if number == 0 { "" } else { "\n" };
        let _ = writeln!(out, "{apart}      {number}:");
        for name in sequence {
            let _ = writeln!(out, "        {name}");
        }
    }
}

fn list(out: &mut String, title: &str, one: &str, names: &[String], between: &str) {
    let none = format!("<no {one}>");
    let names = if names.is_empty() { std::slice::from_ref(&none) } else { names };
    let lines: Vec<String> = names.iter().map(|name| format!("      {name}")).collect();
    let _ = writeln!(out, "\n    {title}:\n\n{}", lines.join(between));
}
