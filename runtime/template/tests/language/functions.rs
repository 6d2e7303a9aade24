//! Every function: at least three rows, one of them an error.

use super::world::{Components, World};
use kiln_template::{Evaluated, Input, Mode, Purity, VariableInputs, functions, load};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// A function, the expression and what `console` prints without line ends; `!` is an error that
/// contains the rest.
const ROWS: &str = include_str!("../functions.rows");

fn evaluated() -> Evaluated {
    let world = World::new(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/good/directories/several"));
    let template = load(Input::Nothing, Arc::new(world)).expect("nothing is read");
    template.evaluate(&VariableInputs::default(), &Components, None, Mode::Inspect).0
}

#[test]
fn rows() {
    let evaluated = evaluated();
    let mut count: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut failed = String::new();
    for row in ROWS.lines().filter(|row| !row.is_empty() && !row.starts_with('#')) {
        let (expression, expected) = row.split_once(" => ").expect("a row has =>");
        let name = expression.split('(').next().expect("a row is a call").trim();
        let found = match evaluated.expression(expression) {
            Ok(text) => text.replace("\n", "").replace("  ", ""),
            Err((_, diagnostic)) => format!("!{}", diagnostic.summary),
        };
        let entry = count.entry(name).or_default();
        entry.0 += 1;
        let right = match expected.strip_prefix('!') {
            Some(part) => {
                entry.1 += 1;
                found.starts_with('!') && found.contains(part)
            }
            None => found == expected,
        };
        if !right {
            failed.push_str(&format!("{expression}\n  expected {expected}\n  found    {found}\n"));
        }
    }
    for name in functions().keys() {
        let (rows, errors) = count.get(name).copied().unwrap_or_default();
        if rows < 3 || errors == 0 {
            failed.push_str(&format!("{name} has {rows} rows, {errors} of them errors\n"));
        }
    }
    assert!(failed.is_empty(), "{failed}");
}

#[test]
fn there_are_all_functions() {
    let functions = functions();
    assert_eq!(functions.len(), 104, "103 and env");
    let impure: Vec<&str> = functions.iter().filter(|(_, p)| **p != Purity::Pure).map(|(n, _)| *n).collect();
    assert_eq!(
        impure,
        [
            "abspath",
            "aws_secretsmanager",
            "aws_secretsmanager_raw",
            "bcrypt",
            "consul_key",
            "env",
            "file",
            "filebase64",
            "fileexists",
            "fileset",
            "legacy_isotime",
            "legacy_strftime",
            "pathexpand",
            "templatefile",
            "timestamp",
            "uuidv4",
            "vault"
        ]
    );
}
