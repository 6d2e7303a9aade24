//! Legacy templates before and after `hcl2_upgrade`: `upgrade/X.json` becomes `upgrade/X.pkr.hcl`.
//! With `KILN_WRITE_EXPECTED=1` the latter are written anew; read the difference before committing.
//!
//! Keys that begin with `_` are no part of a template. Here they say what a fixture is about:
//! `_annotated` (with annotations), `_inputs` (values of variables), `_unknown` (the components that
//! are reported), `_invalid` (why the result is not valid), `_differs` (why it plans something else).

use super::world::{Components, World, shown};
use kiln_plan::{Diagnostic, Plan};
use kiln_template::{Filters, Input, Mode, Template, VariableInputs, load, upgrade};
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use std::sync::Arc;

struct Fixture {
    path: PathBuf,
    notes: Json,
}

impl Fixture {
    fn all() -> Vec<Self> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/upgrade");
        let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
            .expect("the fixtures are there")
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .collect();
        paths.sort();
        assert!(paths.len() >= 40, "{} fixtures", paths.len());
        paths.into_iter().map(Self::read).collect()
    }

    fn read(path: PathBuf) -> Self {
        let text = std::fs::read_to_string(&path).expect("a fixture can be read");
        let notes = serde_json::from_str(&text).expect("a fixture is JSON");
        Self { path, notes }
    }

    fn name(&self) -> String {
        self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn upgraded(&self) -> kiln_template::Upgraded {
        let text = std::fs::read_to_string(&self.path).expect("a fixture can be read");
        upgrade(&text, &Components, self.notes["_annotated"] == true).expect("a fixture is a template")
    }

    fn world(&self) -> Arc<World> {
        let mut world = World::new(self.path.parent().unwrap_or(Path::new("")));
        for name in ["HOME_OF_USER", "HOST"] {
            world.variables.insert(name.into(), format!("value of {name}"));
        }
        Arc::new(world)
    }

    fn hcl(&self) -> Result<Template, String> {
        let name = format!("{}.pkr.hcl", self.name());
        load(Input::Path(Path::new(&name)), self.world()).map_err(|(sources, found)| shown(&sources, &found))
    }

    /// What a template plans, or what is wrong with it.
    fn plan(&self, template: Template) -> Result<Plan, String> {
        let mut inputs = VariableInputs::default();
        for (name, value) in self.notes["_inputs"].as_object().into_iter().flatten() {
            inputs.assignments.push((name.clone(), value.as_str().unwrap_or_default().to_owned()));
        }
        let (evaluated, mut found) = template.evaluate(&inputs, &Components, None, Mode::Build);
        let (plan, more) = evaluated.plan(&Filters::default(), &Components);
        found.extend(more);
        found.retain(Diagnostic::is_error);
        if found.is_empty() { Ok(plan) } else { Err(shown(evaluated.sources(), &found)) }
    }
}

#[test]
fn before_and_after() {
    let mut failed = Vec::new();
    for fixture in Fixture::all() {
        let found = fixture.upgraded().text;
        let after = fixture.path.with_extension("pkr.hcl");
        if std::env::var_os("KILN_WRITE_EXPECTED").is_some() {
            std::fs::write(&after, &found).expect("the expected file can be written");
        }
        let wanted = std::fs::read_to_string(&after).unwrap_or_default();
        if wanted != found {
            failed.push(format!("--- {}: expected\n{wanted}--- found\n{found}", fixture.name()));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn unknown_components_are_told() {
    for fixture in Fixture::all() {
        let found: Vec<String> = fixture.upgraded().unknown.iter().map(ToString::to_string).collect();
        let wanted = fixture.notes.get("_unknown").cloned().unwrap_or_else(|| serde_json::json!([]));
        assert_eq!(serde_json::json!(found), wanted, "{}", fixture.name());
    }
}

#[test]
fn results_are_valid_and_formatted() {
    for fixture in Fixture::all() {
        let text = fixture.upgraded().text;
        let formatted = kiln_template::format("x.pkr.hcl", &text).ok();
        assert_eq!(formatted.as_deref(), Some(text.as_str()), "{}", fixture.name());
        let planned = fixture.hcl().and_then(|template| fixture.plan(template));
        match (planned, fixture.notes.get("_invalid")) {
            (Ok(plan), None) => assert!(!plan.builds.is_empty(), "{}", fixture.name()),
            (Err(_), Some(_)) => {}
            (Ok(_), Some(why)) => panic!("{} is valid, although {why}", fixture.name()),
            (Err(found), None) => panic!("{}: {found}", fixture.name()),
        }
    }
}

#[test]
fn what_is_no_template_is_told() {
    for (text, problem) in [
        ("[]", "a template must be an object"),
        ("{\"builders\": {}}", "`builders` must be a list"),
        ("{\"builders\": [{}]}", "a builder needs a `type`, a string"),
        ("{\"provisioners\": [\"shell\"]}", "a provisioner must be an object"),
        ("{\"variables\": {\"a\": 1}}", "the default of the variable `a` must be a string or null"),
    ] {
        assert_eq!(upgrade(text, &Components, false).map(|_| ()), Err(problem.to_owned()), "{text}");
    }
    assert!(upgrade("{", &Components, false).unwrap_err().starts_with("this is no legacy JSON template"));
    assert!(upgrade(&"[".repeat(100_000), &Components, false).is_err());
}
