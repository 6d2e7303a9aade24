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
fn bombs_are_refused() {
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(3000), close.repeat(3000));
    let mut locals = String::from("locals {\n l0 = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n");
    for i in 1..40 {
        let before = format!("local.l{}, ", i - 1).repeat(10);
        locals.push_str(&format!(" l{i} = [{before}]\n"));
    }
    locals.push('}');
    let mut chain = String::from("locals {\n l0 = 1\n");
    for i in 1..5000 {
        chain.push_str(&format!(" l{i} = [local.l{}]\n", i - 1));
    }
    chain.push('}');
    let doubling = (1..60).fold(String::from("locals {\n l0 = \"aaaaaaaaaaaaaaaa\"\n"), |text, i| {
        format!("{text} l{i} = \"${{local.l{0}}}${{local.l{0}}}\"\n", i - 1)
    }) + "}";
    for (what, text) in [
        ("blocks", deep("a {\n", "}\n")),
        ("lists", format!("locals {{ a = {} }}", deep("[", "]"))),
        ("objects", format!("locals {{ a = {}1{} }}", "{ a = ".repeat(3000), "}".repeat(3000))),
        ("templates", format!("locals {{ a = {} }}", deep("\"${", "}\""))),
        ("unary", format!("locals {{ a = {}1 }}", "-".repeat(5000))),
        ("nots", format!("locals {{ a = {}true }}", "!".repeat(5000))),
        ("conditionals", format!("locals {{ a = {}1 }}", "true ? 1 : ".repeat(5000))),
        ("laughs", locals),
        ("chain", chain),
        ("doubling", doubling),
        ("indexes", format!("locals {{ a = [1]{} }}", "[0]".repeat(5000))),
        ("calls", format!("locals {{ a = {} }}", deep("upper(", ")"))),
        ("yaml", format!("locals {{ a = yamldecode(\"{}\") }}", "[".repeat(100_000))),
        ("json", format!("locals {{ a = jsondecode(\"{}\") }}", "[".repeat(100_000))),
        ("regex", "locals { a = regex(\"(((a{100}){100}){100}){100}\", \"a\") }".to_owned()),
        ("width", "locals { a = format(\"%999999999d\", 1) }".to_owned()),
    ] {
        assert!(run(&text) > 0, "{what}");
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
