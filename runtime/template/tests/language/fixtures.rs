//! Whole templates: what is in `good/` becomes the plan beside it, what is in `bad/` gives the
//! diagnostics beside it. With `KILN_WRITE_EXPECTED=1` the expected files are written anew; read
//! the difference before committing it.

use super::world::{Components, World, shown};
use kiln_plan::{Diagnostics, Plan, SourceMap};
use kiln_template::{Filters, Input, Mode, VariableInputs, load};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn evaluate(root: &Path, name: &str) -> (Option<Plan>, Arc<SourceMap>, Diagnostics) {
    let mut world = World::new(root);
    world.variables.insert("PKR_VAR_from_environment".into(), "env".into());
    let template = match load(Input::Path(Path::new(name)), Arc::new(world)) {
        Ok(template) => template,
        Err((sources, diagnostics)) => return (None, Arc::new(sources), diagnostics),
    };
    let (evaluated, mut diagnostics) =
        template.evaluate(&VariableInputs::default(), &Components, None, Mode::Build);
    let (plan, more) = evaluated.plan(&Filters::default(), &Components);
    diagnostics.extend(more);
    (Some(plan), evaluated.sources().clone(), diagnostics)
}

fn write_plan(plan: &Plan) -> String {
    let mut out = String::new();
    for build in &plan.builds {
        let _ = writeln!(out, "build {} (source {})", build.name, build.source_name);
        let mut step = |what: &str, step: &kiln_plan::Step| {
            let label = step.label.as_deref().map(|l| format!(" \"{l}\"")).unwrap_or_default();
            let _ = writeln!(out, "  {what} {}{label}: {}", step.component, step.first.value.to_json());
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

fn compare(folder: &str, render: fn(Option<Plan>, &SourceMap, Diagnostics) -> String) {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut names: Vec<String> = std::fs::read_dir(&root)
        .expect("the fixtures are there")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".pkr.hcl") || name.ends_with(".pkr.json") || !name.contains('.'))
        .collect();
    names.sort();
    assert!(!names.is_empty(), "there are fixtures in {folder}");
    let mut failed = Vec::new();
    for name in names {
        let (plan, sources, diagnostics) = evaluate(&root, &name);
        let found = render(plan, &sources, diagnostics);
        let expected = root.join(format!("{name}.expected"));
        if std::env::var_os("KILN_WRITE_EXPECTED").is_some() {
            std::fs::write(&expected, &found).expect("the expected file can be written");
        }
        let wanted = std::fs::read_to_string(&expected).unwrap_or_default();
        if wanted != found {
            failed.push(format!("--- {name}: expected\n{wanted}--- found\n{found}"));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn good_templates_become_plans() {
    compare("good", |plan, sources, diagnostics| {
        let warnings = shown(sources, &diagnostics);
        assert!(!diagnostics.iter().any(kiln_plan::Diagnostic::is_error), "{warnings}");
        format!("{warnings}{}", write_plan(&plan.expect("a good template gives a plan")))
    });
}

#[test]
fn bad_templates_are_told_what_is_wrong() {
    compare("bad", |_, sources, diagnostics| {
        assert!(diagnostics.iter().any(kiln_plan::Diagnostic::is_error), "a bad template has an error");
        shown(sources, &diagnostics)
    });
}
