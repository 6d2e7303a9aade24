//! The pages of the error codes: every example in them gives what it is said to give, and every
//! code that a template can give is given by an example or a fixture.

use super::inputs::Inputs;
use super::world::{Components, World, shown};
use kiln_plan::code::{self, Code};
use kiln_plan::{Diagnostics, SourceMap};
use kiln_template::{Input, Mode, load};
use std::sync::Arc;

/// A fenced block of a page: the words behind the fence and the text.
fn examples(page: &str) -> Vec<(&str, &str)> {
    page.split("```").skip(1).step_by(2).filter_map(|fenced| fenced.split_once('\n')).collect()
}

fn run(input: Input<'_>, words: &str) -> (Arc<SourceMap>, Diagnostics) {
    let inputs = Inputs::parse(words);
    let world = World::new(env!("CARGO_MANIFEST_DIR"));
    match load(input, Arc::new(world)) {
        Err((sources, found)) => (Arc::new(sources), found),
        Ok(template) => {
            let (evaluated, mut found) = template.evaluate(&inputs.variables, &Components, None, Mode::Build);
            let (_, more) = evaluated.plan(&inputs.filters, &Components);
            found.extend(more);
            (evaluated.sources().clone(), found)
        }
    }
}

/// What is wrong with an example of a page.
fn judge(code: Code, fence: &str, text: &str) -> Option<String> {
    let (language, words) = fence.split_once(' ').unwrap_or((fence, ""));
    let input = match language {
        "hcl" => Input::Text { name: "example.pkr.hcl", text },
        // JSON is much else too, so those that are templates say what they are to give.
        "json" if !words.is_empty() => Input::Legacy { name: "example.json", text },
        _ => return None,
    };
    let (sources, found) = run(input, words.trim_start_matches("error").trim_start_matches("valid"));
    let told = if words.starts_with("error") {
        found.iter().any(|d| d.code == code)
    } else {
        // The corrected examples show the part that matters, not always a whole template.
        found.iter().all(|d| d.code == code::template::NO_BUILD || !d.is_error())
    };
    (!told).then(|| format!("{code}: ```{fence}\n{text}gives\n{}", shown(&sources, &found)))
}

#[test]
fn every_example_of_a_page_gives_its_code() {
    let wrong: Vec<String> = code::all()
        .flat_map(|code| examples(code.page()).into_iter().map(move |(fence, text)| (code, fence, text)))
        .filter_map(|(code, fence, text)| judge(code, fence, text))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn pages_start_with_a_sentence() {
    for code in code::all() {
        let page = code.page();
        assert!(code.summary().ends_with('.') && page.lines().nth(1).is_none_or(str::is_empty), "{code}");
        assert!(page.lines().all(|line| line.chars().count() <= 120), "{code} has a long line");
        assert_eq!(Code::find(code.name()), Some(code));
    }
}

/// Codes that no fixture can give, and the test that has them.
const ELSEWHERE: &[(Code, &str)] = &[
    (
        code::template::INCOMPATIBLE_PLUGIN,
        "depends on what is bundled: a_pin_outside_of_what_is_compatible_warns",
    ),
    (
        code::template::UNKNOWN_BUILD_VALUE,
        "given when a step runs: trap_10_and_11_values_of_the_build_are_late",
    ),
    (code::template::CANNOT_FIX, "of the verb fix: fixers.rs"),
];

#[test]
fn every_code_of_the_language_has_a_fixture() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bad");
    let mut expected = String::new();
    let mut folders = vec![std::path::PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the fixtures are there") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "expected") {
                expected.push_str(&std::fs::read_to_string(path).expect("it can be read"));
            }
        }
    }
    let missing: Vec<Code> = code::all()
        .filter(|code| code.name().starts_with("template::"))
        .filter(|code| !expected.contains(&format!("[{code}]")))
        .filter(|code| ELSEWHERE.iter().all(|(other, _)| other != code))
        .collect();
    assert!(missing.is_empty(), "no fixture gives {missing:?}");
}
