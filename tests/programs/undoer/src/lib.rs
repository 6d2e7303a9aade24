//! A builder that makes something outside its build, a file by a program, and can remove it in a
//! later run. It records first and makes then; what happens next its option `then` says.

wit_bindgen::generate!({ path: "../../../wit", world: "undoing-builder-component", generate_all });

use exports::kiln::component::builder::{
    Artifact, Configuration, Context, Diagnostic, Error, Guest as Builder, Outcome, Prepared,
};
use exports::kiln::component::component::{Description, Guest as Component, WantedGrant};
use exports::kiln::component::undoing::{Guest as Undoing, UndoEntry};
use kiln::host::types::ErrorCode;
use kiln::host::{artifacts, exec, journal, ui};
use serde_json::{Value, json};

struct Undoer;
export!(Undoer);

const SCHEMA: &str = r#"{"required":["thing"],"properties":{
    "thing":{"type":"string"},
    "then":{"type":"string","default":""},
    "secret":{"type":"string","x-kiln-sensitive":true}}}"#;

impl Component for Undoer {
    fn describe() -> Description {
        Description {
            name: "undoer".into(),
            version: "0.1.0".into(),
            summary: "makes something elsewhere".into(),
            config_schema: SCHEMA.into(),
            output_schema: "{}".into(),
            wanted_grants: vec![WantedGrant {
                name: "exec".into(),
                targets: vec!["touch".into(), "rm".into()],
                reason: "to make and remove its thing".into(),
                optional: false,
            }],
        }
    }
}

fn fail(message: impl Into<String>) -> Error {
    Error { code: ErrorCode::Failed, message: message.into(), pointer: None, retryable: false }
}

fn run(program: &str, argument: &str) -> Result<(), Error> {
    let call = exec::Call::new(program);
    call.argument(&[exec::Part::Text(argument.to_owned())]);
    match exec::run(call)?.status() {
        Some(0) => Ok(()),
        status => Err(fail(format!("{program} ended with {status:?}"))),
    }
}

impl Builder for Undoer {
    fn validate(_: Configuration) -> Vec<Diagnostic> {
        vec![]
    }

    fn prepare(_: Context, configuration: Configuration) -> Result<Prepared, Error> {
        let options: Value = serde_json::from_str(&configuration.json()).unwrap();
        let thing = options["thing"].as_str().unwrap();
        let number = journal::record_undo(&UndoEntry {
            kind: "file".into(),
            key: thing.into(),
            data: "{}".into(),
            summary: format!("the thing {thing}"),
        })?;
        run("touch", thing)?;
        journal::amend(number, r#"{"made":true}"#)?;
        match options["then"].as_str().unwrap_or("") {
            "wait" => ui::sleep(600_000)?,
            "trap" => std::process::abort(),
            "fail" | "break" => return Err(fail("told to fail")),
            "keep" => journal::keep(number)?,
            _ => {}
        }
        Ok(Prepared { session: None, values: json!({}).to_string() })
    }

    fn finish() -> Result<Option<Artifact>, Error> {
        artifacts::Draft::finish(artifacts::Draft::new("undoer", "x", "a thing elsewhere")).map(Some)
    }

    fn cleanup(_: Outcome) -> Result<(), Error> {
        Ok(())
    }
}

impl Undoing for Undoer {
    fn undo(configuration: Configuration, entry: UndoEntry) -> Result<(), Error> {
        let options: Value = serde_json::from_str(&configuration.json()).unwrap();
        if entry.data != r#"{"made":true}"# || options["thing"] != entry.key.as_str() {
            return Err(fail("the journal lost something"));
        }
        let secret = if options["secret"].is_null() { "without" } else { "with" };
        ui::say(&format!("undoing {} {secret} its secret", entry.key));
        if options["then"] == "break" {
            return Err(fail("it does not go away"));
        }
        run("rm", &entry.key)
    }

    fn destroy(_: Configuration, _: String) -> Result<(), Error> {
        Ok(())
    }
}
