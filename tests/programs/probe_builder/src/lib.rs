//! A builder without a machine: makes a directory with a file, and breaks where its option says.

wit_bindgen::generate!({ path: "../../../wit", world: "builder-component", generate_all });

use exports::kiln::component::builder::{
    Artifact, Configuration, Context, Diagnostic, Error, Guest as Builder, Outcome, Prepared,
};
use exports::kiln::component::component::{Description, Guest as Component};
use kiln::host::types::ErrorCode;
use kiln::host::{artifacts, files, secrets, ui};
use serde_json::{Value, json};
use std::cell::RefCell;

struct Probe;
export!(Probe);

struct Made {
    output: files::Output,
    fail: String,
}

thread_local! { static MADE: RefCell<Option<Made>> = const { RefCell::new(None) }; }

const SCHEMA: &str = r#"{"required":["output_directory"],"properties":{
    "output_directory":{"type":"string","x-kiln-designates":"output"},
    "fail":{"type":"string","default":""}}}"#;

impl Component for Probe {
    fn describe() -> Description {
        Description {
            name: "probe".into(),
            version: "0.1.0".into(),
            summary: "a builder without a machine".into(),
            config_schema: SCHEMA.into(),
            output_schema: "{}".into(),
            wanted_grants: vec![],
        }
    }
}

impl Builder for Probe {
    fn validate(_: Configuration) -> Vec<Diagnostic> {
        vec![]
    }

    fn prepare(_: Context, configuration: Configuration) -> Result<Prepared, Error> {
        let json: Value = serde_json::from_str(&configuration.json()).unwrap();
        let fail = json["fail"].as_str().unwrap_or("").to_owned();
        let output = configuration.output("/output_directory", "")?;
        output.make_directory()?;
        output.child("deep/disk.img")?.write(&files::from_text("disk.img", "disk")?, 0o644)?;
        stop("prepare", &fail)?;
        let password = secrets::random(20, "")?;
        MADE.with(|made| *made.borrow_mut() = Some(Made { output, fail }));
        Ok(Prepared { session: None, values: json!({"ID": "x1", "Password": password}).to_string() })
    }

    fn finish() -> Result<Option<Artifact>, Error> {
        MADE.with(|made| {
            let made = made.borrow();
            let made = made.as_ref().unwrap();
            stop("finish", &made.fail)?;
            let draft = artifacts::Draft::new("probe", "x1", "a directory");
            draft.add(&made.output)?;
            draft.set_state("kind", "\"probe\"")?;
            artifacts::Draft::finish(draft).map(Some)
        })
    }

    fn cleanup(outcome: Outcome) -> Result<(), Error> {
        ui::say(&format!("cleanup after {outcome:?}"));
        // A fresh token: waiting works although the build was cancelled.
        ui::sleep(1)
    }
}

fn stop(at: &str, fail: &str) -> Result<(), Error> {
    if fail == format!("{at} trap") {
        std::process::abort();
    }
    if fail == at {
        return Err(Error {
            code: ErrorCode::Failed,
            message: format!("{at} failed"),
            pointer: None,
            retryable: false,
        });
    }
    Ok(())
}
