//! Shared by the four contract guests: one call of the contract per step, as the option `call`
//! says, and what became of it in one line.
//!
//! `ok`, `nothing` for an empty list or option, `CODE: MESSAGE` for an error, `unreachable: needs FUNCTION: …` where the function acts on
//! a handle that this guest cannot get.

use crate::kiln::host;
use host::artifacts::Artifact;
use host::config::{Configuration, Context};
use host::files::{Directory, Output};
use host::sessions::Session;
use host::types::Error;
use serde_json::Value;
use std::cell::RefCell;
use std::rc::Rc;

include!(concat!(env!("OUT_DIR"), "/functions.rs"));

/// Why a handle cannot be had.
pub(crate) struct Refusal {
    needs: String,
    got: String,
}

impl Refusal {
    #[allow(unused, reason = "depends on what wit/ has")]
    fn nothing(what: &str) -> Self {
        Self { needs: what.to_owned(), got: "nothing gives one".to_owned() }
    }
}

/// What the export was given.
#[derive(Default)]
pub(crate) struct Given {
    pub(crate) context: Option<Context>,
    pub(crate) session: Option<Session>,
    pub(crate) artifact: Option<Artifact>,
}

thread_local! {
    static GIVEN: RefCell<Given> = RefCell::default();
    static CONFIGURATION: RefCell<Option<Rc<Configuration>>> = const { RefCell::new(None) };
    static SETTINGS: RefCell<Value> = const { RefCell::new(Value::Null) };
}

/// Makes the call that the configuration names.
pub(crate) fn run(configuration: Configuration, given: Given) -> String {
    SETTINGS.set(serde_json::from_str(&configuration.json()).unwrap());
    CONFIGURATION.set(Some(Rc::new(configuration)));
    GIVEN.set(given);
    let name = setting("call");
    match crate::by_hand::call(&name).unwrap_or_else(|| call(&name)) {
        Ok(told) => told,
        Err(refusal) => format!("unreachable: needs {}: {}", refusal.needs, refusal.got),
    }
}

/// An option of the step as text.
pub(crate) fn setting(name: &str) -> String {
    SETTINGS.with_borrow(|settings| settings[name].as_str().unwrap_or("").to_owned())
}

/// The texts of an option of the step that is a list.
pub(crate) fn settings(name: &str) -> Vec<String> {
    let texts = |list: &Vec<Value>| list.iter().map(|item| item.as_str().unwrap_or("").to_owned()).collect();
    SETTINGS.with_borrow(|settings| settings[name].as_array().map(texts).unwrap_or_default())
}

/// What became of it, in a line.
pub(crate) fn told<T>(result: &Result<T, Error>, empty: impl Fn(&T) -> bool) -> String {
    match result {
        Ok(got) if empty(got) => "nothing".to_owned(),
        Ok(_) => "ok".to_owned(),
        Err(error) => {
            let code = format!("{:?}", error.code).replace("ErrorCode::", "").to_lowercase();
            format!("{code}: {}", error.message)
        }
    }
}

fn needed<T>(function: &str, result: Result<T, Error>) -> Result<T, Refusal> {
    result.map_err(|error| Refusal { needs: function.to_owned(), got: told::<()>(&Err(error), |()| false) })
}

fn some<T>(function: &str, got: Option<T>) -> Result<T, Refusal> {
    got.ok_or_else(|| Refusal { needs: function.to_owned(), got: "it gave none".to_owned() })
}

pub(crate) fn get_config_configuration() -> Result<Rc<Configuration>, Refusal> {
    some("a configuration", CONFIGURATION.with_borrow(Clone::clone))
}

fn get_config_context() -> Result<Context, Refusal> {
    some("a context from the export", GIVEN.with_borrow_mut(|given| given.context.take()))
}

/// The session of the export; a builder makes its own.
fn get_sessions_session() -> Result<Session, Refusal> {
    if let Some(session) = GIVEN.with_borrow_mut(|given| given.session.take()) {
        return Ok(session);
    }
    let name = "machines.connect";
    let address = host::machines::Address::Configured;
    some(name, needed(name, host::machines::connect(&*get_config_configuration()?, &address, "{}"))?)
}

/// The artifact of the export; builders make their own.
fn get_artifacts_artifact() -> Result<Artifact, Refusal> {
    if let Some(artifact) = GIVEN.with_borrow_mut(|given| given.artifact.take()) {
        return Ok(artifact);
    }
    needed("artifacts.[static]draft.finish", host::artifacts::Draft::finish(get_artifacts_draft()?))
}

/// The output that the configuration designates if it is asked for, else scratch.
pub(crate) fn get_files_output() -> Result<Output, Refusal> {
    if setting("output-from") == "scratch" {
        return needed("files.scratch", host::files::scratch("x"));
    }
    let name = "config.[method]configuration.output";
    needed(name, get_config_configuration()?.output(&setting("pointer"), "{}"))
}

/// An empty directory in scratch.
fn get_files_directory() -> Result<Directory, Refusal> {
    let scratch = needed("files.scratch", host::files::scratch("directory"))?;
    needed("files.[method]output.make-directory", scratch.make_directory())?;
    needed("files.[method]output.directory", scratch.directory())
}
