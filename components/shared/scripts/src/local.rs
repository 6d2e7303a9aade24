//! Scripts on this computer: the whole of the components `shell-local`.
//!
//! A script reaches the program as a path that the host puts in place, never as a path that the
//! component knows: the rendered command carries a marker where the path belongs.

use crate::{Environment, Exit, validate_inline};
use kiln_sdk::exec::{self, Call, Part};
use kiln_sdk::files::{self, File};
use kiln_sdk::{Config, Context, Description, Error, Findings, Unchecked, render, say};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The options, as [`SCHEMA`] has them.
#[derive(Debug, Deserialize)]
pub struct Options {
    command: Option<String>,
    inline: Option<Vec<String>>,
    script: Option<String>,
    scripts: Option<Vec<String>>,
    #[serde(default)]
    environment_vars: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    env_var_format: Option<String>,
    execute_command: Option<Vec<String>>,
    inline_shebang: String,
    #[serde(default)]
    only_on: Vec<String>,
    tempfile_extension: Option<String>,
    valid_exit_codes: Vec<i64>,
}

/// The schema of both components.
pub const SCHEMA: &str = include_str!("local.json");

/// What stands for the script's path while the command is rendered.
const MARKER: &str = "\u{1}script\u{1}";
const SYSTEMS: [&str; 6] = ["darwin", "freebsd", "linux", "openbsd", "solaris", "windows"];

/// The description of either component.
pub fn describe(version: &str, summary: &str) -> Description {
    Description::new("shell-local", version, summary, SCHEMA)
        .needs("exec", &["*"], "runs the shell commands of the template on this computer")
        .needs("env", &["*"], "the commands see your environment variables, as in a shell")
}

/// The checks of either component.
pub fn validate(options: &Unchecked, findings: &mut Findings) {
    validate_inline(options, findings);
    if !options.is_empty("/inline") {
        findings.one_of(options, &["command", "inline", "script", "scripts"], true);
    }
    for (pointer, line) in options.items("/environment_vars") {
        if line.as_str().is_some_and(|line| crate::split(line).is_none()) {
            findings.error(&pointer, "an environment variable is written NAME=value", "");
        }
    }
    for (pointer, system) in options.items("/only_on") {
        if let Some(system) = system.as_str().filter(|system| !SYSTEMS.contains(system)) {
            let help = format!("one of {}", SYSTEMS.join(", "));
            findings.error(&pointer, &format!("there is no operating system `{system}`"), &help);
        }
    }
    if options.is_empty("/execute_command") {
        findings.error("/execute_command", "`execute_command` holds no program", "");
    }
}

/// Runs the scripts one after the other, each with the build's variables.
///
/// # Errors
/// The first script that fails.
pub fn run(context: &Context, config: &Config<Options>) -> Result<(), Error> {
    let system = exec::os();
    if !config.only_on.is_empty() && !config.only_on.contains(&system) {
        say!("Skipping shell-local due to runtime OS: it is {system}");
        return Ok(());
    }
    let mut environment = Environment::new(&config.environment_vars, &config.env)?;
    environment.add_build(context);
    for script in scripts(config)? {
        say!("Running local shell script: {}", script.name());
        let call = call(config, &environment, &script, &system)?;
        call.inherit_env();
        call.env("PACKER_RUN_UUID", &context.run_uuid());
        let finished = exec::run(call)?;
        let exit = Exit { status: finished.status(), disconnected: false };
        exit.judge(&config.valid_exit_codes, false)?;
    }
    Ok(())
}

/// The scripts in order; inline commands are one script of their own.
fn scripts(config: &Config<Options>) -> Result<Vec<File>, Error> {
    let inline = config.inline.clone().or_else(|| config.command.clone().map(|line| vec![line]));
    if let Some(lines) = inline {
        let extension = config.tempfile_extension.as_deref().unwrap_or("");
        let name = format!("packer-shell{}{extension}", if extension.is_empty() { ".sh" } else { "" });
        let shebang = (extension.is_empty()).then_some(config.inline_shebang.as_str());
        return Ok(vec![files::from_text(&name, &inline_text(shebang, &lines))?]);
    }
    if config.script.is_some() {
        return Ok(vec![config.file("/script")?]);
    }
    let count = config.scripts.as_deref().unwrap_or_default().len();
    (0..count).map(|index| config.file(&format!("/scripts/{index}"))).collect()
}

/// Lines as a script. Without a shebang they are as they are (a batch file, say).
fn inline_text(shebang: Option<&str>, lines: &[String]) -> String {
    let mut text = shebang.map(|shebang| format!("#!{shebang}\n")).unwrap_or_default();
    for line in lines {
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// The program that runs one script. The variables are set in its environment, where other users
/// of this computer do not see them; a command of the user's own gets them in `.Vars`, too.
fn call(
    config: &Config<Options>,
    environment: &Environment,
    script: &File,
    system: &str,
) -> Result<Call, Error> {
    let windows = system == "windows";
    let (command, variables) = match config.execute_command.as_deref() {
        Some(command) => {
            let format = config.env_var_format.as_deref().unwrap_or(if windows {
                "set \"%s=%s\" && "
            } else {
                "%s='%s' "
            });
            (command.to_vec(), environment.posix(format)?)
        }
        None => (usual_command(windows), String::new()),
    };
    let fields = serde_json::json!({ "Vars": variables, "Script": MARKER, "Command": MARKER }).to_string();
    let rendered = command
        .iter()
        .enumerate()
        .map(|(index, text)| {
            render::go_template(text, &fields).map_err(|e| e.at(format!("/execute_command/{index}")))
        })
        .collect::<Result<Vec<_>, Error>>()?;
    let (program, arguments) = rendered
        .split_first()
        .ok_or_else(|| Error::invalid("`execute_command` is empty").at("/execute_command"))?;
    let call = Call::new(program);
    for argument in arguments {
        call.argument(&parts(argument, script));
    }
    for (name, value) in environment.iter() {
        call.env(name, value);
    }
    Ok(call)
}

fn usual_command(windows: bool) -> Vec<String> {
    let words: &[&str] =
        if windows { &["cmd", "/V", "/C", "call", "{{.Script}}"] } else { &["/bin/sh", "-c", "{{.Script}}"] };
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// `argument` with the script where the marker is.
fn parts<'a>(argument: &str, script: &'a File) -> Vec<Part<'a>> {
    let mut parts = Vec::new();
    for (index, text) in argument.split(MARKER).enumerate() {
        if index > 0 {
            parts.push(Part::File(script));
        }
        if !text.is_empty() {
            parts.push(Part::Text(text.to_owned()));
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(json: &str) -> Vec<String> {
        let mut findings = Findings::default();
        validate(&Unchecked::new(json), &mut findings);
        findings.lines()
    }

    #[test]
    fn options_are_checked() {
        assert_eq!(lines(r#"{"inline":["true"],"only_on":["linux"]}"#), [""; 0]);
        assert_eq!(lines(r#"{"command":"a","script":"b"}"#).len(), 1);
        assert_eq!(
            lines(r#"{"inline":["a"],"only_on":["linus"]}"#),
            ["/only_on/0: there is no operating system `linus`"]
        );
        assert_eq!(lines(r#"{"inline":["a"],"execute_command":[]}"#).len(), 1);
    }

    #[test]
    fn inline_lines_are_a_script() {
        let lines = ["echo a".to_owned(), "echo b".to_owned()];
        assert_eq!(inline_text(Some("/bin/sh -e"), &lines), "#!/bin/sh -e\necho a\necho b\n");
        assert_eq!(inline_text(None, &lines), "echo a\necho b\n");
    }

    #[test]
    fn the_schema_fits_the_type() {
        kiln_sdk::testing::options::<Options>(include_str!("local.json"), r#"{}"#).unwrap();
    }
}
