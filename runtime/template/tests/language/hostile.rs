//! Texts that want to break the reader: none of them panics, hangs or overflows the stack.

use super::world::{Components, World};
use kiln_template::{Filters, Input, Mode, VariableInputs, format, load};
use std::sync::Arc;

/// All the way through, whatever comes of it.
fn run(text: &str) -> usize {
    let world = World::new(env!("CARGO_MANIFEST_DIR"));
    let _ = format("t", text);
    match load(Input::Text { name: "t", text }, Arc::new(world)) {
        Err((_, found)) => found.len(),
        Ok(template) => {
            let (evaluated, found) =
                template.evaluate(&VariableInputs::default(), &Components, None, Mode::Build);
            let (_, more) = evaluated.plan(&Filters::default(), &Components);
            let _ = evaluated.inspect();
            found.len() + more.len()
        }
    }
}

#[test]
fn every_change_of_one_character_is_survived() {
    let seed = include_str!("../good/demo.pkr.hcl");
    let places: Vec<usize> = seed.char_indices().map(|(at, _)| at).collect();
    // A stride that visits every part of the text within a second.
    for (turn, at) in places.iter().enumerate().step_by(7) {
        let c = ["{", "}", "\"", "${", "[", ")", "\n", "\u{0}", "\u{e9}", "*", "."][turn % 11];
        let mut text = seed.to_owned();
        text.insert_str(*at, c);
        run(&text);
        run(&seed[..*at]);
    }
}

#[test]
fn many_blocks_are_fast() {
    let text = "source \"null\" \"x\" {}\n".to_owned() + &"build { sources = [\"null.x\"] }\n".repeat(2000);
    assert_eq!(run(&text), 0);
}

#[test]
fn brackets_that_do_not_fit_are_told_quickly() {
    for text in [
        "[".repeat(200_000) + &")".repeat(200_000),
        "a {\n".repeat(50_000),
        "a = \"\n".repeat(50_000),
        "a = '\n".repeat(50_000),
        "}\n".repeat(50_000),
        "a = 1 1\n".repeat(20_000),
        format!("a {{\n{}}}\n", "b = 1 1\n".repeat(20_000)),
    ] {
        let found = run(&text);
        assert!((1..=120).contains(&found), "{found} findings in {}", &text[..20]);
    }
}
