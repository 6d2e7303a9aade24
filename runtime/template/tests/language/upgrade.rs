//! Legacy templates before and after `hcl2_upgrade`: `upgrade/X.json` becomes `upgrade/X.pkr.hcl`.
//! With `KILN_WRITE_EXPECTED=1` the latter are written anew; read the difference before committing.
//!
//! Keys that begin with `_` are no part of a template. Here they say what a fixture is about:
//! `_annotated` (with annotations), `_inputs` (values of variables), `_unknown` (the components that
//! are reported), `_invalid` (why the result is not valid), `_differs` (why it plans something else).

use super::world::{Components, World, shown};
use kiln_plan::code::template::UNSUPPORTED_VERSION;
use kiln_plan::go_template::{Limits, PackerFunctions, render_text};
use kiln_plan::{Build, Diagnostic, Plan, PostProcessor, Provisioner, Step};
use kiln_template::{Filters, Input, Mode, Template, VariableInputs, load, upgrade};
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

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
        upgrade("t.json", &text, &Components, self.notes["_annotated"] == true)
            .unwrap_or_else(|(sources, found)| panic!("{}: {}", self.name(), shown(&sources, &found)))
    }

    fn world(&self) -> Arc<World> {
        let mut world = World::new(self.path.parent().unwrap_or(Path::new("")));
        for name in ["HOME_OF_USER", "HOST"] {
            world.variables.insert(name.into(), format!("value of {name}"));
        }
        Arc::new(world)
    }

    fn legacy(&self) -> Result<Template, String> {
        let name = format!("{}.json", self.name());
        load(Input::Path(Path::new(&name)), self.world()).map_err(|(sources, found)| shown(&sources, &found))
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

/// The steps of a plan without the names of its builds, each text as it is when it is used.
fn steps(plan: &Plan) -> Vec<Vec<String>> {
    let mut builds: Vec<Vec<String>> = plan.builds.iter().map(build).collect();
    builds.sort();
    builds
}

fn build(build: &Build) -> Vec<String> {
    let functions = PackerFunctions {
        build_name: Some(build.source_name.clone()),
        build_type: Some(build.builder.component.name.clone()),
        template_dir: ".".into(),
        working_directory: "/cwd".into(),
        version: kiln_template::PACKER_VERSION.into(),
        uuid: "UUID".into(),
        started: UNIX_EPOCH + Duration::from_secs(1_700_000_000),
        build: Default::default(),
    };
    let shown = |step: &Step| format!("{}: {}", step.component, used(step.first.value.to_json(), &functions));
    let provisioner = |p: &Provisioner| {
        let run = (p.pause_before, p.timeout, p.max_retries, p.continue_on_error);
        format!("{run:?} {}", shown(&p.step))
    };
    let mut lines = vec![shown(&build.builder)];
    lines.extend(build.provisioners.iter().map(provisioner));
    lines.extend(build.error_cleanup.iter().map(|p| format!("cleanup {}", provisioner(p))));
    for (at, sequence) in build.post_processors.iter().enumerate() {
        let line = |p: &PostProcessor| {
            // A legacy post-processor without a name is called as its type.
            let label = p.step.label.as_ref().filter(|label| **label != p.step.component.name);
            format!("{at} {label:?} {:?} {}", p.keep_input_artifact, shown(&p.step))
        };
        lines.extend(sequence.iter().map(line));
    }
    lines
}

/// A value with its templates rendered, as far as they can be now.
fn used(json: Json, functions: &PackerFunctions) -> Json {
    match json {
        Json::String(text) => {
            let rendered = render_text(&text, &serde_json::json!({}), functions, Limits::default());
            Json::String(rendered.unwrap_or(text))
        }
        Json::Array(items) => items.into_iter().map(|item| used(item, functions)).collect(),
        Json::Object(map) => map.into_iter().map(|(name, item)| (name, used(item, functions))).collect(),
        other => other,
    }
}

#[test]
fn results_plan_the_same() {
    let mut failed = Vec::new();
    for fixture in Fixture::all() {
        let notes = &fixture.notes;
        if notes.get("_invalid").is_some() || notes.get("_differs").is_some() {
            continue;
        }
        let plans = fixture.legacy().and_then(|legacy| fixture.plan(legacy)).and_then(|legacy| {
            let hcl = fixture.plan(fixture.hcl()?)?;
            Ok((steps(&legacy), steps(&hcl)))
        });
        match plans {
            Ok((legacy, hcl)) if legacy == hcl => {}
            Ok((legacy, hcl)) => failed.push(format!("{}:\n{legacy:#?}\n{hcl:#?}", fixture.name())),
            Err(found) => failed.push(format!("{}: {found}", fixture.name())),
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// What is told of a template, errors and warnings.
fn told(text: &str) -> String {
    match upgrade("t.json", text, &Components, false) {
        Ok(upgraded) => shown(&upgraded.sources, &upgraded.warnings),
        Err((sources, found)) => shown(&sources, &found),
    }
}

#[test]
fn all_mistakes_are_told_with_their_places() {
    let text = r#"{
  "variables": { "a": 1 },
  "builder": [],
  "provisioners": [{ "inline": ["x"] }]
}"#;
    assert_eq!(
        told(text),
        r#"error[template::wrong-type]: the default of the variable `a` must be a string or null, not a number
  at t.json:2:23 `1`
  help: put it in quotes; options convert strings to what they need
error[template::missing-option]: this provisioner has no `type`
  at t.json:4:20 `{`
  in: provisioner
  help: say which provisioner it is: "type": "…"
error[template::unknown-key]: `builder` is not a key of a legacy JSON template
  at t.json:3:3 `"builder"`
  help: did you mean `builders`?
"#
    );
}

/// Mistakes that depend on the versions of Packer, values and components are no matter of the upgrade.
#[test]
fn mistakes_are_those_of_the_other_verbs() {
    let mut compared = 0;
    for (root, name) in super::fixtures::fixtures("bad") {
        if !root.ends_with("legacy") {
            continue;
        }
        let text = std::fs::read_to_string(root.join(&name)).expect("a fixture can be read");
        let loaded = load(Input::Legacy { name: "t.json", text: &text }, Arc::new(World::new(&root)));
        let Err((sources, found)) = loaded else { continue };
        if found.iter().all(|diagnostic| diagnostic.code != UNSUPPORTED_VERSION) {
            assert_eq!(told(&text), shown(&sources, &found), "{name}");
            compared += 1;
        }
    }
    assert!(compared >= 20, "{compared}");
}

#[test]
fn an_option_that_is_set_twice_is_told() {
    let text = r#"{ "builders": [{ "type": "qemu", "memory": 1, "MEMORY": 2 }] }"#;
    let wanted = "error[template::duplicate]: this option is set twice\n  at t.json:1:";
    assert!(told(text).starts_with(wanted), "{}", told(text));
    let text = r#"{ "builders": [{ "type": "null" }], "provisioners": [
        { "type": "shell", "pause_before": "1s", "Pause_Before": "2s" }
    ] }"#;
    assert!(told(text).contains("\"Pause_Before\" occurs twice, spelled differently\n  at t.json:2:"));
}

#[test]
fn a_warning_does_not_stop_it() {
    let text = r#"{ "provisioners": [{ "type": "shell", "timeout": 5 }] }"#;
    assert!(told(text).starts_with("warning[template::bad-duration]: `timeout` is in nanoseconds"));
    let upgraded = upgrade("t.json", text, &Components, false).expect("it is a template");
    assert!(upgraded.text.contains("timeout = \"5ns\""), "{}", upgraded.text);
}

#[test]
fn what_is_no_template_is_told() {
    for (text, problem) in [
        ("[]", "error[template::wrong-type]: a template must be an object, not an array"),
        ("{", "error[template::unclosed]: this `{` is never closed"),
        ("build {}", "error[template::unsupported-syntax]: t.json is not a template"),
    ] {
        assert!(told(text).starts_with(problem), "{text}: {}", told(text));
    }
    assert!(told(&"[".repeat(100_000)).contains("nested too deep"));
}
