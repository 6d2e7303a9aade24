//! `kiln __docs DIR`: the reference as markdown, the same on every machine.
//!
//! | page | from |
//! | --- | --- |
//! | `components/KIND/NAME.md` | what the bundled component says of itself, option groups included |
//! | `components/absent.md` | what is known of components that are not there yet |
//! | `commands.md` | the definition of the arguments |
//! | `errors/AREA/CODE.md` | the table of error codes |
//! | `log-format.md` | the fields of the JSON reporter |
//! | `capabilities.md` | the host's table of imports |
//! | `environment.md`, `exit-codes.md`, `functions.md` | the tables of this crate and of the language |
#![expect(clippy::disallowed_methods, reason = "this verb writes the pages into the folder that is named")]

mod absent;
mod component;
mod errors;

use crate::args::Args;
use crate::bundled::BUNDLED;
use crate::env_vars;
use crate::exit::Exit;
use crate::home::Home;
use crate::report::LOG_FIELDS;
use crate::sandbox::Sandbox;
use crate::screen::Screen;
use clap::CommandFactory;
use kiln_plan::ComponentRef;
use std::fmt::Write;
use std::path::Path;

const NOTE: &str = "<!-- Made by `cargo xtask docs`; changes here are lost. -->\n\n";

/// Writes the pages.
pub(crate) fn run(screen: &Screen, dir: &Path) -> Exit {
    let written = write_all(dir);
    if let Err(problem) = &written {
        screen.error(format!("Error: {problem}"));
    }
    Exit::of(written.is_ok())
}

fn write_all(dir: &Path) -> Result<(), String> {
    let sandbox = Sandbox::open(&Home::find(), None).map_err(|e| e.to_string())?;
    let mut index = String::from("# Reference\n\n## Components\n\n");
    for (kind, name, _) in BUNDLED {
        let component = ComponentRef::new(*kind, *name);
        let description = sandbox.host.describe(&component).map_err(|e| e.to_string())?;
        let schema = sandbox.host.schema(&component).map_err(|e| e.to_string())?;
        let path = format!("components/{}/{name}.md", kind.folder());
        let _ = writeln!(index, "- [{kind} `{name}`]({path}): {}", description.summary);
        page(dir, &path, &component::page(&description, &schema))?;
    }
    index.push_str("- [Components that are not there yet](components/absent.md)\n");
    page(dir, "components/absent.md", &absent::page())?;
    index.push_str("\n## The rest\n\n");
    let others = [
        ("commands.md", "Commands and flags", commands()),
        ("exit-codes.md", "Exit codes", exit_codes()),
        ("environment.md", "Environment variables", environment()),
        ("functions.md", "Template functions", functions()),
        ("capabilities.md", "What components can call", capabilities()),
        ("log-format.md", "The log in JSON", log_format()),
    ];
    for (path, title, text) in others {
        let _ = writeln!(index, "- [{title}]({path})");
        page(dir, path, &format!("# {title}\n\n{text}"))?;
    }
    index.push_str("- [Error codes](errors/README.md)\n");
    errors::write(dir)?;
    page(dir, "README.md", &index)
}

fn page(dir: &Path, path: &str, text: &str) -> Result<(), String> {
    let file = dir.join(path);
    let wrong = |e: std::io::Error| format!("cannot write {}: {e}", file.display());
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(wrong)?;
    }
    std::fs::write(&file, format!("{NOTE}{}\n", text.trim_end())).map_err(wrong)
}

/// `--help` of every verb that is not hidden, at a width that does not depend on the terminal.
fn commands() -> String {
    let mut root = Args::command().term_width(100);
    root.build();
    let mut text = String::from("Flags are written as in Packer (`-var x=y`) or with two dashes.\n");
    describe(&mut root, &mut text);
    text
}

fn describe(command: &mut clap::Command, text: &mut String) {
    let name = command.get_bin_name().unwrap_or("kiln").to_owned();
    let help = command.render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    let _ = write!(text, "\n## {name}\n\n```text\n{}\n```\n", help.join("\n").trim_end());
    for verb in command.get_subcommands_mut().filter(|verb| !verb.is_hide_set()) {
        describe(verb, text);
    }
}

fn exit_codes() -> String {
    let mut text = String::from("| code | meaning |\n| --- | --- |\n");
    for (exit, meaning) in Exit::ALL {
        let _ = writeln!(text, "| {} | {meaning} |", exit.code());
    }
    text
}

fn environment() -> String {
    let mut text = String::from("| variable | meaning |\n| --- | --- |\n");
    for (name, meaning) in env_vars::ALL {
        let _ = writeln!(text, "| `{name}` | {meaning} |");
    }
    text
}

fn functions() -> String {
    let mut text = String::from("| function | result |\n| --- | --- |\n");
    for (name, purity) in kiln_template::functions() {
        let _ = writeln!(text, "| `{name}` | {} |", format!("{purity:?}").to_lowercase());
    }
    text
}

fn log_format() -> String {
    let mut text = String::from(
        "With `--log-format=json` every line of standard output is an object. Fields are only ever added. \
         Fields without an event are of every line.\n\n| event | field | meaning |\n| --- | --- | --- |\n",
    );
    for (event, field, meaning) in LOG_FIELDS {
        let code = |name: &str| if name.is_empty() { String::new() } else { format!("`{name}`") };
        let _ = writeln!(text, "| {} | {} | {meaning} |", code(event), code(field));
    }
    text
}

fn capabilities() -> String {
    let mut text = String::from(
        "Every function of the package `kiln:host`, and by what right it is called: `always`, with the `role` of the \
         step, on what the template names (`designation`), or with the user's approval (`grant`).\n\n\
         | interface | function | class |\n| --- | --- | --- |\n",
    );
    for import in kiln_host::IMPORTS {
        let class = format!("{:?}", import.class).to_lowercase();
        let _ = writeln!(text, "| {} | `{}` | {class} |", import.interface, import.function);
    }
    text
}
