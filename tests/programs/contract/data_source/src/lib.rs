//! Calls functions of the contract as a data source.

wit_bindgen::generate!({ path: "../../../../wit", world: "data-source-component", generate_all });

#[path = "../../by_hand.rs"]
mod by_hand;
#[path = "../../calls.rs"]
mod calls;
#[path = "../../description.rs"]
mod description;

use exports::kiln::component::data_source::{Configuration, Context, Diagnostic, Error, Guest};
use kiln::host::{types, ui};

struct Contract;
export!(Contract);

impl Guest for Contract {
    fn validate(configuration: Configuration) -> Vec<Diagnostic> {
        let message = calls::run(configuration, calls::Given::default());
        vec![Diagnostic { severity: types::Severity::Warning, message, pointer: None, help: None }]
    }

    fn read(context: Context, configuration: Configuration) -> Result<String, Error> {
        ui::say(&calls::run(configuration, calls::Given { context: Some(context), ..Default::default() }));
        Ok("{}".into())
    }
}
