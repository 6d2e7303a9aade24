//! The fixtures of runtime/template: the verdict of `validate` on all of them, and what `inspect`
//! prints of those that are about values.

use crate::explained::Explained;
use crate::programs::{Program, in_parallel};
use kiln_tests::Project;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A fixture, and the arguments that its comment asks for.
struct Fixture {
    /// `good/SUBJECT/NAME`.
    shown: String,
    folder: PathBuf,
    name: String,
    args: Vec<String>,
    environment: Vec<(String, String)>,
    inspect: bool,
    /// It needs something that only the tests of the crate have.
    special: bool,
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn fixtures(kind: &str) -> Vec<Fixture> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/template/tests").join(kind);
    let mut found = Vec::new();
    for subject in names(&top).into_iter().filter(|name| top.join(name).is_dir()) {
        let folder = top.join(&subject).canonicalize().unwrap();
        for name in names(&folder) {
            // 1.6.6 crashes here and leaves a log in the folder.
            if name.starts_with("override_of_a_source_is_no_object") {
                continue;
            }
            let is_text = name.ends_with(".pkr.hcl") || name.ends_with(".pkr.json");
            if is_text || (folder.join(&name).is_dir() && name != "inputs") {
                found.push(fixture(format!("{kind}/{subject}/{name}"), &folder, name));
            }
        }
    }
    assert!(found.len() > 150, "{} fixtures in {kind}", found.len());
    found
}

fn fixture(shown: String, folder: &Path, name: String) -> Fixture {
    let path = folder.join(&name);
    let files = if path.is_dir() {
        names(&path).into_iter().map(|name| path.join(name)).filter(|path| path.is_file()).collect()
    } else {
        vec![path]
    };
    let mark = "kiln-test:";
    let texts = files.iter().map(|file| String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned());
    let line = texts.into_iter().find_map(|text| {
        let line = text.lines().find_map(|line| line.split_once(mark))?.1.to_owned();
        Some(line.trim_end_matches([',', '"', '{', ' ']).to_owned())
    });
    let mut fixture = Fixture {
        shown,
        folder: folder.to_path_buf(),
        name,
        args: Vec::new(),
        environment: vec![("PKR_VAR_from_environment".into(), "env".into())],
        inspect: false,
        special: false,
    };
    let words = words(&line.unwrap_or_default());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-var" | "-var-file" => fixture.args.extend([word.clone(), words.next().unwrap().clone()]),
            "-env" => {
                let (name, value) = words.next().unwrap().split_once('=').unwrap();
                fixture.environment.push((name.to_owned(), value.to_owned()));
            }
            "-inspect" => fixture.inspect = true,
            other if other.starts_with("-only") || other.starts_with("-except") => {
                fixture.args.push(other.to_owned());
            }
            _ => fixture.special = true,
        }
    }
    fixture
}

/// Words separated by blanks; what is in single quotes is one.
fn words(line: &str) -> Vec<String> {
    let quoted = line.split('\'').enumerate();
    let parts = quoted.flat_map(|(at, part)| match at % 2 {
        0 => part.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>(),
        _ => vec![part.to_owned()],
    });
    parts.collect()
}

fn run(program: Program, home: &Project, fixture: &Fixture, verb: &str) -> (Option<i32>, String) {
    let args: Vec<&str> = [verb].into_iter().chain(fixture.args.iter().map(String::as_str)).collect();
    let mut command: Command = program.command(home, &args);
    command.arg(&fixture.name).current_dir(&fixture.folder).envs(fixture.environment.iter().cloned());
    let seen = kiln_tests::Running::start(command).finish();
    (seen.code, seen.out)
}

#[test]
fn verdicts_are_equal() {
    let home = Project::new();
    let mut explained = Explained::of("validate");
    for kind in ["bad", "good"] {
        let all: Vec<Fixture> = fixtures(kind).into_iter().filter(|f| !f.special && !f.inspect).collect();
        let seen = in_parallel(&all, |fixture| {
            let run = |program| run(program, &home, fixture, "validate").0;
            (run(Program::Kiln), run(Program::Packer))
        });
        for (fixture, (kiln, packer)) in all.iter().zip(&seen) {
            explained.compare(&fixture.shown, &format!("{kiln:?}"), &format!("{packer:?}"));
        }
    }
    explained.end();
}

#[test]
fn inspect_prints_the_same() {
    let home = Project::new();
    let mut explained = Explained::of("inspect");
    let all: Vec<Fixture> = fixtures("good").into_iter().filter(|f| !f.special && f.inspect).collect();
    let seen = in_parallel(&all, |fixture| {
        let run = |program| {
            let (code, out) = run(program, &home, fixture, "inspect");
            // 1.6.6 ends each value with a blank.
            let lines: Vec<&str> = out.lines().map(str::trim_end).collect();
            format!("{code:?}\n{}", lines.join("\n").trim_end())
        };
        (run(Program::Kiln), run(Program::Packer))
    });
    for (fixture, (kiln, packer)) in all.iter().zip(&seen) {
        explained.compare(&fixture.shown, kiln, packer);
    }
    assert!(all.len() > 120, "{} fixtures", all.len());
    explained.end();
}
