//! Broken templates: `kiln validate` says what is wrong, and neither panics nor hangs.

use crate::Rounds;
use kiln_tests::Project;
use std::path::Path;

/// Pieces that templates are made of, to be put where they do not belong.
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "\"",
    "${",
    "%{",
    "<<-EOT\n",
    "\\",
    "=",
    "?",
    ":",
    "...",
    "[*]",
    "null",
    "var.x",
    "local.x",
    "build.ID",
    "{{",
    "}}",
    "source.null.x",
    "for a in b : a",
    "\u{0}",
    "\u{202e}",
    "-1e400",
];

fn templates() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    let mut folders = vec![root.join("examples"), root.join("runtime/template/tests")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(".pkr.hcl") {
                found.extend(std::fs::read_to_string(path));
            }
        }
    }
    assert!(found.len() > 3, "only {} templates were found", found.len());
    found
}

/// A few changes at any places: cut, doubled, overwritten, with pieces put in.
fn mutate(text: &str, rounds: &mut Rounds) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=rounds.below(6) {
        let at = rounds.below(bytes.len());
        let end = (at + rounds.below(40)).min(bytes.len());
        match rounds.below(5) {
            0 => drop(bytes.drain(at..end)),
            1 => {
                let part = bytes[at..end].to_vec();
                let to = rounds.below(bytes.len());
                bytes.splice(to..to, part);
            }
            2 if at < bytes.len() => bytes[at] = rounds.below(256) as u8,
            3 => {
                let part = bytes[at..end].repeat(1 + rounds.below(300));
                bytes.splice(at..end, part);
            }
            _ => {
                let piece = PIECES[rounds.below(PIECES.len())];
                bytes.splice(at..at, piece.bytes());
            }
        }
    }
    bytes
}

#[test]
#[ignore = "long: cargo xtask soak fuzz"]
fn fuzzed_templates_end_in_diagnostics() {
    let mut rounds = Rounds::new("fuzz");
    let templates = templates();
    let project = Project::new();
    while rounds.next() {
        let which = rounds.below(templates.len());
        let text = mutate(&templates[which], &mut rounds);
        std::fs::write(project.path("template.pkr.hcl"), &text).unwrap();
        let seen = project.kiln(&["validate", "template.pkr.hcl"]);
        let fine = matches!(seen.code, Some(0 | 1)) && !seen.err.contains("panicked");
        assert!(fine, "{seen:?}\n{}", String::from_utf8_lossy(&text));
    }
}
