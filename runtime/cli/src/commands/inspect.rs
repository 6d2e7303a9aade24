//! `kiln inspect`: what a template consists of, in Packer's layout. Runs nothing.

use crate::args::InspectArgs;
use crate::exit::Exit;
use crate::home::Home;
use crate::screen::Screen;
use crate::session::{Session, Shown, load, variables};
use kiln_template::{InspectedBuild, Inspection, Mode, Undeclared};
use std::fmt::Write;

/// Inspects.
pub(crate) fn run(screen: &Screen, args: &InspectArgs) -> Exit {
    let Ok(inspection) = inspect(screen, args) else { return Exit::Failure };
    for variable in &inspection.variables {
        let required = if variable.required { "1" } else { "0" };
        screen.row("template-variable", &[&variable.name, &variable.value, required]);
    }
    screen.say(text(&inspection));
    Exit::Success
}

fn inspect(screen: &Screen, args: &InspectArgs) -> Result<Inspection, Shown> {
    let home = Home::find();
    let inputs = variables(screen, &args.flags, Undeclared::Ignore)?;
    let template = load(screen, &home, Some(&args.template), args.flags.config_type)?;
    let session = Session::open(screen, &home, Some(&args.template))?;
    Ok(session.evaluate(template, &args.flags, &inputs, false, Mode::Inspect)?.inspect())
}

fn text(inspection: &Inspection) -> String {
    let mut out = String::from("Packer Inspect: HCL2 mode\n\n> input-variables:\n\n");
    for variable in &inspection.variables {
        let _ = writeln!(out, "var.{}: {}", variable.name, variable.value);
    }
    out.push_str("\n> local-variables:\n\n");
    for (name, value) in &inspection.locals {
        let _ = writeln!(out, "local.{name}: {value}");
    }
    out.push_str("\n> builds:\n");
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
    list(out, "sources", "source", &build.sources);
    list(out, "provisioners", "provisioner", &build.provisioners);
    out.push_str("\n    post-processors:\n\n");
    if build.post_processors.is_empty() {
        out.push_str("      <no post-processor>\n");
    }
    for (number, sequence) in build.post_processors.iter().enumerate() {
        let _ = writeln!(out, "      {number}:");
        for name in sequence {
            let _ = writeln!(out, "        {name}");
        }
    }
}

fn list(out: &mut String, title: &str, one: &str, names: &[String]) {
    let _ = writeln!(out, "\n    {title}:\n");
    if names.is_empty() {
        let _ = writeln!(out, "      <no {one}>");
    }
    for name in names {
        let _ = writeln!(out, "      {name}");
    }
}
