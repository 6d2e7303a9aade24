//! Calls functions of the contract as a builder.

wit_bindgen::generate!({ path: "../../../../wit", world: "builder-component", generate_all });

#[path = "../../by_hand.rs"]
mod by_hand;
#[path = "../../calls.rs"]
mod calls;
#[path = "../../description.rs"]
mod description;

use exports::kiln::component::builder::{
    Artifact, Configuration, Context, Diagnostic, Error, Guest, Outcome, Prepared,
};
use kiln::host::{artifacts, machines, types, ui};

struct Contract;
export!(Contract);

impl Guest for Contract {
    fn validate(configuration: Configuration) -> Vec<Diagnostic> {
        let message = calls::run(configuration, calls::Given::default());
        vec![Diagnostic { severity: types::Severity::Warning, message, pointer: None, help: None }]
    }

    /// The call `connect` makes the session for the provisioner.
    fn prepare(context: Context, configuration: Configuration) -> Result<Prepared, Error> {
        let json: serde_json::Value = serde_json::from_str(&configuration.json()).unwrap();
        let session = if json["call"] == "connect" {
            machines::connect(&configuration, &machines::Address::Configured, "{}")?
        } else {
            ui::say(&calls::run(
                configuration,
                calls::Given { context: Some(context), ..Default::default() },
            ));
            None
        };
        Ok(Prepared { session, values: "{}".into() })
    }

    fn finish() -> Result<Option<Artifact>, Error> {
        artifacts::Draft::finish(artifacts::Draft::new("contract", "x", "an artifact without files"))
            .map(Some)
    }

    fn cleanup(_: Outcome) -> Result<(), Error> {
        Ok(())
    }
}
