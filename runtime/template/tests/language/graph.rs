//! Locals and data sources: order, what runs at once, cycles.

use super::world::{Components, World, shown};
use kiln_plan::{Data, Diagnostic, Diagnostics, Value};
use kiln_template::{DataRequest, Evaluated, Input, Mode, ReadData, VariableInputs, load};
use std::cell::RefCell;
use std::sync::Arc;

/// Notes which data sources were asked for together, and answers with their URL.
#[derive(Default)]
struct Waves(RefCell<Vec<Vec<String>>>);

impl ReadData for Waves {
    fn read(&self, requests: Vec<DataRequest>) -> Vec<Result<Value, Box<Diagnostic>>> {
        self.0.borrow_mut().push(requests.iter().map(|request| request.label.clone()).collect());
        let answer = |request: DataRequest| {
            let url = request.configuration.value.at("/url").and_then(Value::as_text).unwrap_or("unknown");
            Ok(Data::Map([("body".to_owned(), Value::text(format!("<{url}>")))].into()).into())
        };
        requests.into_iter().map(answer).collect()
    }
}

fn evaluate(text: &str, sequential: bool, waves: &Waves) -> (Evaluated, Diagnostics) {
    let world = Arc::new(World::new("."));
    let input = Input::Text { name: "t.pkr.hcl", text };
    let template = load(input, world).unwrap_or_else(|(s, d)| panic!("{}", shown(&s, &d)));
    let template = template.sequential(sequential);
    template.evaluate(&VariableInputs::default(), &Components, Some(waves), Mode::Build)
}

const TEXT: &str = r#"
data "http" "a" { url = "a" }
data "http" "b" { url = local.b }
data "http" "c" { url = local.both }
data "http" "d" { url = data.http.c.body }
locals {
  both = "${data.http.a.body}${data.http.b.body}"
  b    = "b"
}
"#;

#[test]
fn independent_data_sources_are_asked_for_together() {
    let waves = Waves::default();
    let (evaluated, found) = evaluate(TEXT, false, &waves);
    assert_eq!(shown(evaluated.sources(), &found), "");
    assert_eq!(*waves.0.borrow(), [vec!["a", "b"], vec!["c"], vec!["d"]]);
    assert_eq!(evaluated.expression("data.http.d.body").ok().as_deref(), Some("<<<a><b>>>"));
}

#[test]
fn sequential_data_sources_know_no_locals() {
    let waves = Waves::default();
    let (evaluated, found) = evaluate(TEXT, true, &waves);
    let shown = shown(evaluated.sources(), &found);
    assert_eq!(found.len(), 2, "{shown}");
    assert!(shown.contains("`local` cannot be used here\n  at t.pkr.hcl:3:25"), "{shown}");
    assert!(shown.contains("locals come after all data sources"), "{shown}");
    let waves = Waves::default();
    let plain = "locals { x = data.http.a.body }\ndata \"http\" \"a\" { url = data.http.b.body }\ndata \"http\" \"b\" { url = \"u\" }";
    let (evaluated, found) = evaluate(plain, true, &waves);
    assert_eq!(found.len(), 0);
    assert_eq!(evaluated.expression("local.x").ok().as_deref(), Some("<<u>>"));
}

#[test]
fn a_cycle_is_shown_once_as_a_path() {
    let waves = Waves::default();
    let text = r#"
locals {
  a = local.b
  b = data.http.x.body
  c = "${local.a}!"
  d = local.missing
}
data "http" "x" { url = local.a }
data "http" "y" { url = "y" }
"#;
    let (evaluated, found) = evaluate(text, false, &waves);
    let codes: Vec<_> = found.iter().map(|d| (d.code.name(), d.detail.as_str())).collect();
    assert_eq!(
        codes,
        [("template::unknown-local", ""), ("template::cycle", "local.a → local.b → data.http.x → local.a")],
        "{}",
        shown(evaluated.sources(), &found)
    );
    assert_eq!(*waves.0.borrow(), [vec!["y"]]);
}
