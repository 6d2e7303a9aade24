//! Whole templates: what is in `good/` becomes the plan beside it, what is in `bad/` gives the
//! diagnostics beside it. A folder in them is a subject; a folder in a subject is a template of
//! several files, but `inputs`, which holds what others read. With `KILN_WRITE_EXPECTED=1` the expected files are written anew; read the
//! difference before committing it.

use super::inputs::{Answers, Inputs};
use super::world::{Components, shown};
use kiln_plan::{Diagnostics, Plan, SourceMap};
use kiln_template::{Evaluated, Input, Mode, load};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What came of a fixture.
pub(crate) struct Outcome {
    /// The plan or the inspection as text; none if the template cannot be read.
    pub(crate) text: Option<String>,
    sources: Arc<SourceMap>,
    pub(crate) diagnostics: Diagnostics,
}

/// What comes of a fixture, or of the fixture in canonical layout.
pub(crate) fn outcome(root: &Path, name: &str, formatted: bool) -> Outcome {
    let inputs = Inputs::of(&root.join(name));
    let mut world = inputs.world(root);
    world.formatted = formatted;
    let template = match load(Input::Path(Path::new(name)), Arc::new(world)) {
        Ok(template) => template,
        Err((sources, diagnostics)) => {
            return Outcome { text: None, sources: Arc::new(sources), diagnostics };
        }
    };
    let mode = if inputs.inspect { Mode::Inspect } else { Mode::Build };
    let read = inputs.data.then_some(&Answers as &dyn kiln_template::ReadData);
    let template = template.sequential(inputs.sequential);
    let (evaluated, mut diagnostics) = template.evaluate(&inputs.variables, &Components, read, mode);
    let text = if inputs.inspect {
        write_inspection(&evaluated)
    } else {
        let (plan, more) = evaluated.plan(&inputs.filters, &Components);
        diagnostics.extend(more);
        write_plan(&plan, &inputs)
    };
    Outcome { text: Some(text), sources: evaluated.sources().clone(), diagnostics }
}

fn write_inspection(evaluated: &Evaluated) -> String {
    let inspection = evaluated.inspect();
    let mut out = String::new();
    for v in inspection.variables {
        let required = if v.required { " required" } else { "" };
        let _ = writeln!(out, "var.{}{required}: {}", v.name, v.value);
        if !v.description.is_empty() {
            let _ = writeln!(out, "  {}", v.description);
        }
    }
    for (name, value) in inspection.locals {
        let _ = writeln!(out, "local.{name}: {value}");
    }
    for b in inspection.builds {
        let _ = writeln!(out, "build {:?} {:?}: {:?}", b.name, b.description, b.sources);
        let _ = writeln!(out, "  {:?} {:?}", b.provisioners, b.post_processors);
    }
    out
}

fn write_plan(plan: &Plan, inputs: &Inputs) -> String {
    let mut out = String::new();
    for build in &plan.builds {
        let _ = writeln!(out, "build {} (source {})", build.name, build.source_name);
        let mut step = |what: &str, step: &kiln_plan::Step| {
            let label = step.label.as_deref().map(|l| format!(" \"{l}\"")).unwrap_or_default();
            let _ = writeln!(out, "  {what} {}{label}: {}", step.component, step.first.value.to_json());
            match inputs.late.as_ref().map(|values| step.late.evaluate(values)) {
                Some(Ok(late)) => {
                    let _ = writeln!(out, "    late: {}", late.value.to_json());
                }
                Some(Err(found)) => {
                    let _ = write!(out, "    late: {}", shown(&plan.sources, &found));
                }
                None => {}
            }
        };
        step("builder", &build.builder);
        for p in &build.provisioners {
            let run = (p.pause_before, p.timeout, p.max_retries, p.continue_on_error);
            step(&format!("provisioner {run:?}"), &p.step);
        }
        if let Some(p) = &build.error_cleanup {
            step("error-cleanup", &p.step);
        }
        for (at, sequence) in build.post_processors.iter().enumerate() {
            for p in sequence {
                step(&format!("post-processor {at} {:?}", p.keep_input_artifact), &p.step);
            }
        }
    }
    let _ = writeln!(out, "sensitive {:?}", plan.sensitive);
    out
}

/// The names in a folder, in order.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the fixtures are there");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// All fixtures of `good` or `bad`: the folder of a subject, and a name in it.
pub(crate) fn fixtures(folder: &str) -> Vec<(PathBuf, String)> {
    let top = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let is_text = |name: &str| name.ends_with(".pkr.hcl") || name.ends_with(".pkr.json");
    // Legacy templates have no ending of their own, so they have a folder.
    let is_legacy = |subject: &Path, name: &str| subject.ends_with("legacy") && name.ends_with(".json");
    let mut found = Vec::new();
    for name in names(&top) {
        let subject = top.join(&name);
        if subject.is_dir() {
            let is_folder = |name: &str| name != "inputs" && subject.join(name).is_dir();
            let inside = names(&subject)
                .into_iter()
                .filter(|name| is_text(name) || is_folder(name) || is_legacy(&subject, name));
            found.extend(inside.map(|inner| (subject.clone(), inner)));
        } else if is_text(&name) {
            found.push((top.clone(), name));
        }
    }
    found
}

fn compare(folder: &str, render: fn(Outcome) -> String) {
    let fixtures = fixtures(folder);
    let mut failed = Vec::new();
    for (root, name) in &fixtures {
        let found = render(outcome(root, name, false));
        let expected = root.join(format!("{name}.expected"));
        if std::env::var_os("KILN_WRITE_EXPECTED").is_some() {
            std::fs::write(&expected, &found).expect("the expected file can be written");
        }
        let wanted = std::fs::read_to_string(&expected).unwrap_or_default();
        if wanted != found {
            let shown = root.join(name);
            failed.push(format!("--- {}: expected\n{wanted}--- found\n{found}", shown.display()));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn good_templates_become_plans() {
    compare("good", |outcome| {
        let warnings = shown(&outcome.sources, &outcome.diagnostics);
        if outcome.diagnostics.iter().any(kiln_plan::Diagnostic::is_error) {
            return format!("NOT GOOD\n{warnings}");
        }
        format!("{warnings}{}", outcome.text.expect("a good template gives a plan"))
    });
}

#[test]
fn bad_templates_are_told_what_is_wrong() {
    compare("bad", |outcome| {
        if !outcome.diagnostics.iter().any(kiln_plan::Diagnostic::is_error) {
            return format!("NOT BAD\n{}", outcome.text.unwrap_or_default());
        }
        shown(&outcome.sources, &outcome.diagnostics)
    });
}

#[test]
fn no_expected_file_says_that_its_fixture_is_of_the_other_kind() {
    for (root, name) in fixtures("good").into_iter().chain(fixtures("bad")) {
        let text = std::fs::read_to_string(root.join(format!("{name}.expected"))).unwrap_or_default();
        assert!(!text.starts_with("NOT "), "{}/{name}: {text}", root.display());
    }
}
