//! `kiln completion SHELL` and `-autocomplete-install`: scripts out of the command's own definition,
//! in which each flag is also written with one dash, as Packer's users do.
#![expect(clippy::disallowed_methods, reason = "writes completion files into the user's home on request")]

use crate::args::Args;
use crate::exit::Exit;
use crate::home::Home;
use crate::screen::Screen;
use clap::CommandFactory;
use clap_complete::Shell;
use std::fmt::Write as _;
use std::io::Write;
use std::path::PathBuf;

/// Where shells look by themselves, below the home directory, with `NAME` for the command. zsh needs
/// the folder in its `fpath`.
const PLACES: [(Shell, &str); 3] = [
    (Shell::Bash, ".local/share/bash-completion/completions/NAME"),
    (Shell::Fish, ".config/fish/completions/NAME.fish"),
    (Shell::Zsh, ".zfunc/_NAME"),
];

/// Prints the script.
pub(crate) fn run(shell: Shell, program: &str) -> Exit {
    Exit::of(std::io::stdout().write_all(script(shell, program).as_bytes()).is_ok())
}

/// Writes the scripts into the user's home; says where.
pub(crate) fn install(screen: &Screen, program: &str) -> Exit {
    let Some(places) = places(screen, program) else { return Exit::Failure };
    for (shell, path) in places {
        let folder = path.parent().map_or_else(PathBuf::new, PathBuf::from);
        let written =
            std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, script(shell, program)));
        if let Err(error) = written {
            screen.error(format!("Error: cannot write {}: {error}", path.display()));
            return Exit::Failure;
        }
        screen.say(format!("Wrote {}", path.display()));
    }
    screen.say("zsh finds its file with this in ~/.zshrc: fpath+=~/.zfunc; autoload -Uz compinit; compinit");
    Exit::Success
}

/// Removes what [`install`] wrote.
pub(crate) fn uninstall(screen: &Screen, program: &str) -> Exit {
    let Some(places) = places(screen, program) else { return Exit::Failure };
    for (_, path) in places {
        match std::fs::remove_file(&path) {
            Ok(()) => screen.say(format!("Removed {}", path.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                screen.error(format!("Error: cannot remove {}: {error}", path.display()));
                return Exit::Failure;
            }
        }
    }
    Exit::Success
}

fn places(screen: &Screen, program: &str) -> Option<Vec<(Shell, PathBuf)>> {
    let Some(home) = Home::find().user else {
        screen.error("Error: HOME is not set, so there is no place for completion files");
        return None;
    };
    Some(PLACES.iter().map(|(shell, place)| (*shell, home.join(place.replace("NAME", program)))).collect())
}

/// The script of a shell for the command under the name `program`.
fn script(shell: Shell, program: &str) -> String {
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), program, &mut bytes);
    with_single_dashes(shell, &String::from_utf8_lossy(&bytes))
}

/// Each flag of the script once more, with one dash.
fn with_single_dashes(shell: Shell, script: &str) -> String {
    let mut out = String::new();
    for line in script.lines() {
        let _ = match shell {
            Shell::Bash => writeln!(out, "{}", bash(line)),
            Shell::Fish => writeln!(out, "{}", fish(line)),
            Shell::Zsh | Shell::PowerShell => match single(line) {
                Some(more) => writeln!(out, "{line}\n{more}"),
                None => writeln!(out, "{line}"),
            },
            _ => writeln!(out, "{line}"),
        };
    }
    out
}

/// `opts="--var …"` lists words, `--var)` is a case.
fn bash(line: &str) -> String {
    let trimmed = line.trim_start();
    if let Some(words) = trimmed.strip_prefix("opts=\"") {
        let more: String = words
            .split([' ', '"'])
            .filter_map(|word| word.strip_prefix("--"))
            .map(|name| format!("-{name} "))
            .collect();
        return line.replacen("opts=\"", &format!("opts=\"{more}"), 1);
    }
    match trimmed.strip_prefix("--").and_then(|rest| rest.strip_suffix(')')) {
        Some(name) => line.replacen("--", &format!("-{name}|--"), 1),
        None => line.to_owned(),
    }
}

/// `-l var` is a long option; `-o var` is one with a single dash.
fn fish(line: &str) -> String {
    match line.split_once(" -l ") {
        Some((start, rest)) if line.starts_with("complete ") => {
            let name = rest.split(' ').next().unwrap_or("");
            format!("{start} -o {name} -l {rest}")
        }
        _ => line.to_owned(),
    }
}

/// A line about a flag, about the same flag with one dash: `'--var=[…` for zsh,
/// `::new('--var', …` for PowerShell.
fn single(line: &str) -> Option<String> {
    let trimmed = line.trim_start();
    let zsh = trimmed.starts_with("'--") || trimmed.starts_with("'*--");
    (zsh || line.contains("::new('--")).then(|| line.replace("'--", "'-").replace("'*--", "'*-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_knows_both_dashes() {
        for (shell, wanted) in [
            (Shell::Bash, " -on-error "),
            (Shell::Zsh, "'-on-error=["),
            (Shell::Fish, "-o on-error -l on-error"),
            (Shell::PowerShell, "::new('-on-error'"),
        ] {
            let script = script(shell, "kiln");
            assert!(script.contains(wanted), "{shell}: no {wanted}");
        }
        assert!(script(Shell::Bash, "packer").contains("-F _packer"));
    }
}
