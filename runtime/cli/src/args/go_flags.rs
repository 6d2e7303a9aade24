//! Go's flag syntax, which Packer's users write, turned into what clap reads: `-var x`, `-var=x`,
//! `--var x` and `--var=x` all become `--var=x`; switches may be given a value (`-force=false`).
//!
//! Which flags take a value is asked of the command's own definition, so there is no second list.

use clap::{Arg, Command};
use std::ffi::OsString;

/// Rewrites the arguments after the program's name.
pub(crate) fn normalise(root: &Command, arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut rest = arguments.into_iter();
    let mut out = Vec::new();
    let mut command = root;
    while let Some(argument) = rest.next() {
        let Some(text) = argument.to_str() else {
            out.push(argument);
            continue;
        };
        if text == "--" {
            out.push(argument);
            out.extend(rest);
            return out;
        }
        match flag(text) {
            Some((name, value)) => out.push(rewritten(root, command, name, value, &mut rest)),
            None => {
                if let Some(verb) = command.find_subcommand(text) {
                    command = verb;
                }
                out.push(argument);
            }
        }
    }
    out
}

/// Name and value of something that looks like a flag. `-` alone is standard input, and a negative
/// number is a value.
fn flag(text: &str) -> Option<(&str, Option<&str>)> {
    let bare = text.strip_prefix("--").or_else(|| text.strip_prefix('-'))?;
    if bare.is_empty() || bare.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
        return None;
    }
    Some(bare.split_once('=').map_or((bare, None), |(name, value)| (name, Some(value))))
}

fn rewritten(
    root: &Command,
    command: &Command,
    name: &str,
    value: Option<&str>,
    rest: &mut impl Iterator<Item = OsString>,
) -> OsString {
    let name = match name {
        "h" => "help",
        other => other,
    };
    let known =
        |command: &Command| command.get_arguments().find(|arg| arg.get_long() == Some(name)).map(takes_value);
    let takes = known(command).or_else(|| known(root)).unwrap_or(false);
    let mut out = OsString::from(format!("--{name}"));
    match value {
        Some(value) => out.push(format!("={value}")),
        None if takes => {
            if let Some(next) = rest.next() {
                out.push("=");
                out.push(next);
            }
        }
        None => {}
    }
    out
}

/// Whether the next argument is the flag's value. Switches take one only after `=`.
fn takes_value(arg: &Arg) -> bool {
    arg.get_action().takes_values() && !arg.is_require_equals_set()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Args;
    use clap::CommandFactory;

    fn rewritten(arguments: &[&str]) -> Vec<String> {
        let out = normalise(&Args::command(), arguments.iter().map(OsString::from));
        out.into_iter().map(|argument| argument.into_string().unwrap()).collect()
    }

    #[test]
    fn all_four_spellings_are_one() {
        for written in [&["-var", "a=b"][..], &["-var=a=b"], &["--var", "a=b"], &["--var=a=b"]] {
            let arguments = [&["build"], written, &["t.pkr.hcl"]].concat();
            assert_eq!(rewritten(&arguments), ["build", "--var=a=b", "t.pkr.hcl"]);
        }
    }

    #[test]
    fn values_are_left_alone() {
        assert_eq!(rewritten(&["build", "-var", "-x=-y", "-"]), ["build", "--var=-x=-y", "-"]);
        assert_eq!(rewritten(&["build", "-force", "x"]), ["build", "--force", "x"]);
        assert_eq!(rewritten(&["build", "-force=false", "--", "-x"]), ["build", "--force=false", "--", "-x"]);
    }

    #[test]
    fn flags_of_kiln_itself_work_before_and_after_the_verb() {
        assert_eq!(rewritten(&["-ui", "classic", "version"]), ["--ui=classic", "version"]);
        assert_eq!(rewritten(&["version", "-ui", "classic"]), ["version", "--ui=classic"]);
        assert_eq!(rewritten(&["build", "-h"]), ["build", "--help"]);
    }
}
