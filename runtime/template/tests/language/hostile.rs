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

/// A legacy template all the way through, whatever comes of it.
fn run_legacy(text: &str) -> usize {
    let world = World::new(env!("CARGO_MANIFEST_DIR"));
    match load(Input::Legacy { name: "t", text }, Arc::new(world)) {
        Err((_, found)) => found.len(),
        Ok(template) => {
            let (evaluated, found) =
                template.evaluate(&VariableInputs::default(), &Components, None, Mode::Build);
            let (_, more) = evaluated.plan(&Filters::default(), &Components);
            let _ = (evaluated.inspect(), evaluated.variables(), evaluated.expression(text));
            found.len() + more.len()
        }
    }
}

#[test]
fn every_change_of_a_legacy_template_is_survived() {
    let seed = include_str!("../good/legacy/everything.json");
    let places: Vec<usize> = seed.char_indices().map(|(at, _)| at).collect();
    for (turn, at) in places.iter().enumerate().step_by(3) {
        let c = ["{", "}", "\"", "{{", "[", "`", ",", "\u{0}", "\u{e9}", ":", "\\", "|", "5"][turn % 13];
        let mut text = seed.to_owned();
        text.insert_str(*at, c);
        run_legacy(&text);
        run_legacy(&seed[..*at]);
    }
}

#[test]
fn legacy_bombs_are_refused() {
    let option = |text: &str| format!(r#"{{"builders": [{{"type": "null", "ssh_host": "{text}"}}]}}"#);
    let many = |count: usize, text: &str| vec![format!("\"{text}\""); count].join(",");
    let spin = "{{define `a`}}{{template `b`}}{{template `b`}}{{end}}".to_owned()
        + &(b'b'..b'y')
            .map(|c| {
                let (c, next) = (char::from(c), char::from(c + 1));
                format!("{{{{define `{c}`}}}}{{{{template `{next}`}}}}{{{{template `{next}`}}}}{{{{end}}}}")
            })
            .collect::<String>()
        + "{{define `y`}}{{end}}{{template `a`}}";
    let large = "x".repeat(1 << 20);
    for (what, text) in [
        ("objects", format!("{}1{}", r#"{"builders":"#.repeat(3000), "}".repeat(3000))),
        ("parentheses", option(&format!("{{{{ {}1{} }}}}", "(".repeat(5000), ")".repeat(5000)))),
        ("pipelines", option(&format!("{{{{ `x` {} }}}}", "| upper 1".repeat(5000)))),
        ("ifs", option(&format!("{}{}", "{{if 1}}".repeat(5000), "{{end}}".repeat(5000)))),
        ("fields", option(&format!("{{{{ {} | upper }}}}", ".a".repeat(100_000)))),
        (
            "steps together",
            format!(
                r#"{{"builders": [{{"type": "null"}}], "provisioners": [{{"type": "shell", "inline": [{}]}}]}}"#,
                many(60, &spin)
            ),
        ),
        (
            "output together",
            format!(
                r#"{{"variables": {{"v": "{large}"}}, "builders": [{{"type": "null"}}],
                    "provisioners": [{{"type": "shell", "inline": [{}]}}]}}"#,
                many(200, "{{user `v`}}{{user `v`}}")
            ),
        ),
    ] {
        assert!(run_legacy(&text) > 0, "{what}");
    }
}
