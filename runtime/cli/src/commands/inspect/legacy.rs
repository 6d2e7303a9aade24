//! A legacy template in Packer's layout, the rows of `-machine-readable` between the lines.

use crate::screen::Screen;
use kiln_template::{InspectedVariable, Inspection};

const NOTE: &str = "
Note: If your build names contain user variables or template
functions such as 'timestamp', these are processed at build time,
and therefore only show in their raw form here.";

/// Shows it.
pub(super) fn show(screen: &Screen, inspection: &Inspection) {
    screen.say("Packer Inspect: JSON mode");
    let Some(build) = inspection.builds.first() else { return };
    if !build.description.is_empty() {
        screen.say("Description:\n");
        screen.say(format!("{}\n", build.description));
    }
    variables(screen, &inspection.variables);
    screen.say("\nBuilders:\n");
    builders(screen, &build.sources);
    screen.say("\nProvisioners:\n");
    if build.provisioners.is_empty() {
        screen.say("  <No provisioners>");
    }
    for ty in &build.provisioners {
        screen.row("template-provisioner", &[ty]);
        screen.say(format!("  {ty}"));
    }
    screen.say(NOTE);
}

fn variables(screen: &Screen, variables: &[InspectedVariable]) {
    if variables.is_empty() {
        screen.say("Variables:\n");
        return screen.say("  <No variables>");
    }
    let (required, optional): (Vec<_>, Vec<_>) = variables.iter().partition(|variable| variable.required);
    if !required.is_empty() {
        screen.say("Required variables:\n");
        for variable in required {
            screen.row("template-variable", &[&variable.name, "", "1"]);
            screen.say(format!("  {}", variable.name));
        }
        screen.say("");
    }
    screen.say("Optional variables and their defaults:\n");
    let width = widest(variables.iter().map(|variable| variable.name.as_str()));
    for variable in optional {
        screen.row("template-variable", &[&variable.name, &variable.value, "0"]);
        screen.say(format!("  {:width$} = {}", variable.name, variable.value));
    }
}

/// `TYPE.NAME` each; a name that is the type stands alone.
fn builders(screen: &Screen, sources: &[String]) {
    if sources.is_empty() {
        screen.say("  <No builders>");
    }
    let named: Vec<(&str, &str)> = sources.iter().filter_map(|source| source.split_once('.')).collect();
    let width = widest(named.iter().map(|(_, name)| *name));
    for (ty, name) in named {
        screen.row("template-builder", &[name, ty]);
        let ty = if ty == name { String::new() } else { format!(" ({ty})") };
        screen.say(format!("  {name:width$}{ty}"));
    }
}

fn widest<'n>(names: impl Iterator<Item = &'n str>) -> usize {
    names.map(|name| name.chars().count()).max().unwrap_or(0)
}
