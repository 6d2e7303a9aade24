//! `kiln plugins`: Packer's words for components. What a project adds to the bundled ones is listed
//! in the `kiln.toml` of the working directory.
#![expect(clippy::disallowed_methods, reason = "edits the project's kiln.toml on request")]

use crate::args::{ConfigType, InstallArgs};
use crate::bundled::BUNDLED;
use crate::config_file::{NAME, Project};
use crate::exit::Exit;
use crate::home::Home;
use crate::lock::Lock;
use crate::requirements::{Has, is_registry, registry};
use crate::sandbox::Sandbox;
use crate::screen::Screen;
use crate::session::load;
use kiln_host::Source;
use kiln_plan::{ComponentRef, Kind};
use std::path::{Path, PathBuf};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table};

/// The longest file that is taken for a component, in bytes.
const MOST: u64 = 256 << 20;

/// Lists the components, one a line: kind, name, and where it comes from. Runs none.
pub(crate) fn installed(screen: &Screen) -> Exit {
    done(screen, || {
        let project = Project::of(None, &Home::find().working).map_err(|e| e.to_string())?;
        for (kind, name, _) in BUNDLED {
            screen.say(format!("{kind} {name} (bundled)"));
        }
        for foreign in project.components {
            screen
                .say(format!("{} {} ({})", foreign.component.kind, foreign.component.name, foreign.written));
        }
        Ok(())
    })
}

/// Lists the plugins that a template requires, with what kiln has for each.
pub(crate) fn required(screen: &Screen, template: &Path) -> Exit {
    let home = Home::find();
    let Ok(loaded) = load(screen, &home, Some(template), ConfigType::Hcl2) else { return Exit::Failure };
    done(screen, || {
        let project = Project::of(Some(template), &home.working).map_err(|e| e.to_string())?;
        if loaded.required_plugins().is_empty() {
            screen.say("The template requires no plugins.");
        }
        for plugin in loaded.required_plugins() {
            screen.say(format!("{} {} \"{}\"", plugin.name, plugin.source, plugin.version));
            screen.say(format!("  {}", Has::of(plugin, &project).words(&plugin.source)));
        }
        Ok(())
    })
}

/// Adds a component's file to kiln.toml.
pub(crate) fn install(screen: &Screen, args: &InstallArgs) -> Exit {
    done(screen, || {
        let home = Home::find();
        let name = last_part(&args.source).to_owned();
        let Some(file) = &args.path else { return without_a_file(screen, &args.source, &name) };
        let (component, summary) = look(&home, file, &name)?;
        if BUNDLED.iter().any(|(kind, name, _)| *kind == component.kind && *name == component.name) {
            return Err(format!("the {component} is bundled with kiln; choose another name"));
        }
        let path = home.working.join(NAME);
        let mut document = document(&path)?;
        let list = components(&mut document)?;
        let old = list.iter().position(|table| is(table, &component));
        if old.is_some() && !args.force {
            return Err(format!("{NAME} names a {component} already; give -force to replace it"));
        }
        let comment = old.and_then(|index| comment_above(list, index)).unwrap_or_default();
        if let Some(index) = old {
            list.remove(index);
        }
        // Behind all that the user wrote, comments included.
        let mut text = format!("{document}{comment}");
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        let quoted = |text: &str| toml_edit::Value::from(text).to_string();
        let (kind, name) = (quoted(component.kind.as_str()), quoted(&component.name));
        let place = quoted(&file.display().to_string());
        text.push_str(&format!("\n[[component]]\nkind = {kind}\nname = {name}\npath = {place}\n"));
        write(&path, &text)?;
        screen.say(format!("Added the {component} to {NAME}: {summary}"));
        screen.say("Approve what it asks for with: kiln init");
        Ok(())
    })
}

/// What the user wrote above a component; it goes with the table that it stands above.
fn comment_above(list: &toml_edit::ArrayOfTables, index: usize) -> Option<String> {
    Some(list.get(index)?.decor().prefix()?.as_str()?.trim_end().to_owned())
}

/// Takes components out of kiln.toml and kiln.lock.
pub(crate) fn remove(screen: &Screen, wanted: &str) -> Exit {
    done(screen, || {
        let home = Home::find();
        let project = Project::of(None, &home.working).map_err(|e| e.to_string())?;
        let name = last_part(wanted);
        let matches = |c: &&crate::config_file::Foreign| {
            c.component.name == name || c.written == wanted || c.path == home.working.join(wanted)
        };
        let gone: Vec<ComponentRef> =
            project.components.iter().filter(matches).map(|c| c.component.clone()).collect();
        if gone.is_empty() {
            let bundled = BUNDLED.iter().any(|(_, bundled, _)| *bundled == name);
            let why = if bundled { "; it is bundled with kiln and cannot be removed" } else { "" };
            return Err(format!("no component of {NAME} is named `{wanted}`{why}"));
        }
        let path = project.folder.join(NAME);
        let mut document = document(&path)?;
        components(&mut document)?.retain(|table| !gone.iter().any(|component| is(table, component)));
        write(&path, &document.to_string())?;
        let mut lock = Lock::read(&project.folder).map_err(|e| e.to_string())?;
        if !lock.component.is_empty() {
            lock.component.retain(|c| !gone.contains(&ComponentRef::new(c.kind, c.name.clone())));
            lock.write(&project.folder).map_err(|e| e.to_string())?;
        }
        for component in gone {
            screen.say(format!("Removed the {component} from {NAME}"));
        }
        Ok(())
    })
}

fn done(screen: &Screen, work: impl FnOnce() -> Result<(), String>) -> Exit {
    let result = work();
    if let Err(problem) = &result {
        screen.error(format!("Error: {problem}"));
    }
    Exit::of(result.is_ok())
}

/// What to say when only a source is given.
fn without_a_file(screen: &Screen, source: &str, name: &str) -> Result<(), String> {
    let bundled = |own: &str| own == name || own.starts_with(&format!("{name}-"));
    if BUNDLED.iter().any(|(_, own, _)| bundled(own)) {
        screen.say(format!("Nothing to do: {name} is bundled with kiln."));
        return Ok(());
    }
    if is_registry(source) {
        return Err(registry(source));
    }
    Err(format!("kiln has no components of `{source}`; give the file of one: -path FILE"))
}

/// The last part of a source, without the words that repositories put before it.
fn last_part(source: &str) -> &str {
    let part = source.trim_end_matches('/').rsplit('/').next().unwrap_or(source);
    let part = part.strip_suffix(".wasm").unwrap_or(part);
    part.strip_prefix("packer-plugin-").or_else(|| part.strip_prefix("kiln-")).unwrap_or(part)
}

/// Which kind of component a file holds, and what it says of itself. It gets nothing while it does.
fn look(home: &Home, file: &Path, name: &str) -> Result<(ComponentRef, String), String> {
    let path: PathBuf = home.working.join(file);
    let shown = file.display();
    let found = std::fs::metadata(&path).map_err(|e| format!("cannot read {shown}: {e}"))?;
    if !found.is_file() || found.len() > MOST {
        return Err(format!("{shown} is not a component: no file, or longer than 256 MiB"));
    }
    let sandbox = Sandbox::open(home, None).map_err(|e| e.to_string())?;
    let mut problem = String::new();
    for kind in [Kind::Builder, Kind::Provisioner, Kind::PostProcessor, Kind::DataSource] {
        let component = ComponentRef::new(kind, name);
        match sandbox.host.inspect(&component, Source::Path(path.clone())) {
            Ok(description) => return Ok((component, description.summary.clone())),
            Err(error) => problem = error.to_string(),
        }
    }
    Err(format!("{shown} is not a component of kiln: {problem}"))
}

fn document(path: &Path) -> Result<DocumentMut, String> {
    let text = crate::config_file::read(path).map_err(|e| e.to_string())?.unwrap_or_default();
    text.parse().map_err(|e| format!("{NAME} is wrong: {e}"))
}

fn components(document: &mut DocumentMut) -> Result<&mut ArrayOfTables, String> {
    let item = document.entry("component").or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
    item.as_array_of_tables_mut().ok_or_else(|| format!("{NAME} is wrong: `component` is no list of tables"))
}

fn is(table: &Table, component: &ComponentRef) -> bool {
    let text = |name: &str| table.get(name).and_then(Item::as_str);
    text("kind") == Some(component.kind.as_str()) && text("name") == Some(component.name.as_str())
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|e| format!("cannot write {NAME}: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_sources() {
        for (source, name) in [
            ("github.com/hashicorp/qemu", "qemu"),
            ("github.com/acme/packer-plugin-foo", "foo"),
            ("ghcr.io/acme/kiln-foo", "foo"),
            ("foo", "foo"),
            ("a/foo.wasm", "foo"),
        ] {
            assert_eq!(last_part(source), name);
        }
    }
}
