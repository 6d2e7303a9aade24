//! Calls functions of the contract as a provisioner.

wit_bindgen::generate!({ path: "../../../../wit", world: "provisioner-component", generate_all });

#[path = "../../by_hand.rs"]
mod by_hand;
#[path = "../../calls.rs"]
mod calls;
#[path = "../../description.rs"]
mod description;

use exports::kiln::component::provisioner::{Configuration, Context, Diagnostic, Error, Guest, Session};
use kiln::host::{types, ui};

struct Contract;
export!(Contract);

impl Guest for Contract {
    fn validate(configuration: Configuration) -> Vec<Diagnostic> {
        let message = calls::run(configuration, calls::Given::default());
        vec![Diagnostic { severity: types::Severity::Warning, message, pointer: None, help: None }]
    }

    fn provision(
        context: Context,
        configuration: Configuration,
        session: Option<Session>,
    ) -> Result<(), Error> {
        let given = calls::Given { context: Some(context), session, ..Default::default() };
        ui::say(&calls::run(configuration, given));
        Ok(())
    }
}
