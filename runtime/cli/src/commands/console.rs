//! `kiln console`: expressions and their values.

use crate::args::ConsoleArgs;
use crate::exit::Exit;
use crate::home::Home;
use crate::screen::Screen;
use crate::session::{Session, Shown, load, variables};
use kiln_template::{Evaluated, Language, Mode, Undeclared};
use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;
use std::io::{BufRead, IsTerminal};
use std::sync::Arc;

const HELP_HCL: &str = "Type an expression to see its value: 1 + 1, var.name, upper(\"text\").";
const HELP_LEGACY: &str = "\
Type a text to see what its template gives: {{timestamp}}, {{user `name`}}, {{upper `text`}}.
For HCL2 without a template, start the console with -config-type=hcl2.";
const HELP: &str = "\
variables   all variables and locals
help        this text
exit        ends the console; so do Ctrl-C and Ctrl-D";

/// Runs the console: a prompt on a terminal; otherwise every line of standard input is evaluated and
/// the last result is printed.
pub(crate) fn run(screen: &Screen, args: &ConsoleArgs) -> Exit {
    let Ok(evaluated) = evaluated(screen, args) else { return Exit::Failure };
    if std::io::stdin().is_terminal() { interactive(screen, &evaluated) } else { piped(screen, &evaluated) }
}

fn evaluated(screen: &Screen, args: &ConsoleArgs) -> Result<Evaluated, Shown> {
    let home = Home::find();
    let inputs = variables(screen, &args.flags, Undeclared::Ignore)?;
    let template = load(screen, &home, args.template.as_deref(), args.flags.config_type)?;
    let session = Session::open(screen, &home, args.template.as_deref())?;
    Ok(session.evaluate(template, &args.flags, &inputs, false, Mode::Inspect)?.0)
}

/// What one line gives: text to print, or nothing for `exit`.
fn answer(screen: &Screen, evaluated: &Evaluated, line: &str) -> Option<Result<String, Shown>> {
    match line {
        "exit" => None,
        "help" => Some(Ok(help(evaluated))),
        "variables" => Some(Ok(all_variables(evaluated))),
        expression => Some(evaluated.expression(expression).map_err(|(sources, diagnostic)| {
            screen.quote(Arc::new(sources));
            screen.diagnostic(&diagnostic);
            Shown
        })),
    }
}

fn help(evaluated: &Evaluated) -> String {
    let first = match evaluated.inspect().language {
        Language::Hcl2 => HELP_HCL,
        Language::LegacyJson => HELP_LEGACY,
    };
    format!("{first}\n{HELP}")
}

fn all_variables(evaluated: &Evaluated) -> String {
    let lines = evaluated.variables().into_iter().map(|(name, value)| format!("{name}: {value}"));
    lines.collect::<Vec<_>>().join("\n")
}

fn piped(screen: &Screen, evaluated: &Evaluated) -> Exit {
    let mut last = None;
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        match line.trim() {
            "" => {}
            line => match answer(screen, evaluated, line) {
                None => break,
                Some(Ok(text)) => last = Some(text),
                Some(Err(Shown)) => return Exit::Failure,
            },
        }
    }
    if let Some(text) = last {
        screen.say(text);
    }
    Exit::Success
}

fn interactive(screen: &Screen, evaluated: &Evaluated) -> Exit {
    let problem = |error: &dyn std::fmt::Display| {
        screen.error(format!("Error: cannot use this terminal: {error}"));
        Exit::Failure
    };
    let mut editor = match DefaultEditor::new() {
        Ok(editor) => editor,
        Err(error) => return problem(&error),
    };
    loop {
        let line = match editor.readline("> ") {
            Ok(line) => line,
            Err(ReadlineError::Interrupted | ReadlineError::Eof) => return Exit::Success,
            Err(error) => return problem(&error),
        };
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        // A history that does not grow is no reason to stop.
        let _ = editor.add_history_entry(line);
        match answer(screen, evaluated, line) {
            None => return Exit::Success,
            Some(Ok(text)) => screen.say(text),
            Some(Err(Shown)) => {}
        }
    }
}
