//! `fmt`: doing it twice changes nothing more, comments stay, and what a template means stays, for
//! every fixture and for generated texts.

use super::fixtures::{fixtures, outcome};
use kiln_template::format;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// The text of `fmt`; none if the text has a syntax error.
fn formatted(text: &str) -> Option<String> {
    format("t.pkr.hcl", text).ok()
}

/// Comments of a text without heredocs and `#` in strings.
fn comments(text: &str) -> Vec<String> {
    let comment = |line: &str| {
        let at = line.find("//").or_else(|| line.find('#'))?;
        Some(line.get(at..)?.trim_end().to_owned())
    };
    text.lines().filter_map(comment).collect()
}

#[test]
fn fixtures_mean_the_same_in_canonical_layout() {
    let mut compared = 0;
    for folder in ["good", "bad"] {
        for (root, name) in fixtures(folder) {
            let (before, after) = (outcome(&root, &name, false), outcome(&root, &name, true));
            let shown = root.join(&name);
            assert_eq!(before.text, after.text, "{}", shown.display());
            let codes = |outcome: &super::fixtures::Outcome| {
                outcome.diagnostics.iter().map(|d| (d.code, d.summary.clone())).collect::<Vec<_>>()
            };
            assert_eq!(codes(&before), codes(&after), "{}", shown.display());
            compared += 1;
        }
    }
    assert!(compared > 400);
}

#[test]
fn fixtures_are_settled_after_one_turn() {
    for folder in ["good", "bad"] {
        for (root, name) in fixtures(folder) {
            let path = root.join(&name);
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            if !name.ends_with(".pkr.hcl") {
                continue;
            }
            if let Some(once) = formatted(&text) {
                assert_eq!(formatted(&once).as_deref(), Some(once.as_str()), "{}", path.display());
            }
        }
    }
}

/// Blanks, also none.
fn blank() -> impl Strategy<Value = String> + Clone {
    "[ \t]{0,3}".boxed()
}

fn comment() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "# [a-z =\"{]{0,8}", "//[a-z ${]{0,8}"]
}

fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[a-z]{1,5}\\.[a-z]{1,5}",
        "-?[0-9]{1,4}",
        Just("true".to_owned()),
        "\"[a-z ]{0,5}\"",
        "\"[a-z]\\$\\{ ?var\\.[a-z]{1,3} ?\\}\"",
        Just("\"%{ if true }x%{ endif }\"".to_owned()),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let items = prop::collection::vec((blank(), inner.clone(), blank()), 0..4);
        let joined = |items: Vec<(String, String, String)>, by: &str| {
            items.into_iter().map(|(a, e, b)| format!("{a}{e}{b}")).collect::<Vec<_>>().join(by)
        };
        prop_oneof![
            items.clone().prop_map(move |items| format!("[{}]", joined(items, ","))),
            items.clone().prop_map(move |items| format!("[\n{}\n]", joined(items, ",\n"))),
            items.prop_map(move |items| format!("f({})", joined(items, ","))),
            prop::collection::vec(("[a-z]{1,4}", blank(), blank(), inner.clone()), 0..3).prop_map(
                |entries| {
                    let lines: Vec<String> =
                        entries.into_iter().map(|(k, a, b, e)| format!("{k}{a}={b}{e}")).collect();
                    format!("{{\n{}\n}}", lines.join("\n"))
                }
            ),
            (inner.clone(), blank(), inner.clone(), "[-+*/]")
                .prop_map(|(a, blank, b, op)| format!("{a}{blank}{op}{blank} {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("true?{a} :  {b}")),
            inner.prop_map(|e| format!("({e})")),
        ]
    })
}

/// A body of attributes, blocks and comments, with blanks anywhere.
fn body() -> impl Strategy<Value = String> {
    let attribute = ("[a-z]{1,8}", blank(), blank(), expression(), blank(), comment())
        .prop_map(|(name, a, b, value, c, comment)| format!("{name}{a}={b}{value}{c}{comment}"));
    let heredoc = ("[a-z]{1,4}", "[ a-z${}]{0,6}", blank()).prop_map(|(name, line, pad)| {
        format!("{name} = <<-EOT\n{}  x {pad}\n  {}\n EOT", pad, line.replace("${", ""))
    });
    let line = prop_oneof![6 => attribute, 1 => heredoc, 2 => comment(), 1 => Just(String::new())].boxed();
    let lines = || {
        prop::collection::vec((blank(), line.clone()), 0..6).prop_map(|lines| {
            lines.into_iter().map(|(pad, line)| format!("{pad}{line}\n")).collect::<String>()
        })
    };
    let block = (blank(), "[a-z]{1,6}", prop::option::of("\"[a-z]{1,4}\""), blank(), lines()).prop_map(
        |(pad, kind, label, a, inside)| {
            format!("{pad}{kind}{a} {}{{\n{inside}{pad}}}\n", label.unwrap_or_default())
        },
    );
    (lines(), prop::collection::vec(block, 0..3), lines())
        .prop_map(|(before, blocks, after)| format!("{before}{}{after}", blocks.concat()))
}

#[test]
fn generated_texts_settle_and_keep_their_comments() {
    let config = Config { cases: 512, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let counted = std::cell::Cell::new(0);
    let result = runner.run(&body(), |text| {
        // Names may occur twice, which is no text to lay out.
        let Some(once) = formatted(&text) else { return Ok(()) };
        counted.set(counted.get() + 1);
        prop_assert_eq!(formatted(&once), Some(once.clone()), "from\n{}", &text);
        prop_assert_eq!(comments(&once), comments(&text), "{}", &once);
        let solid = |text: &str| text.split_whitespace().collect::<String>();
        prop_assert_eq!(solid(&once), solid(&text), "only blanks change");
        Ok(())
    });
    if let Err(e) = result {
        panic!("{e}");
    }
    assert!(counted.get() > 250, "{} texts were laid out", counted.get());
}
