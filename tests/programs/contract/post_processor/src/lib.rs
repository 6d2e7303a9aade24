//! Calls functions of the contract as a post-processor.

wit_bindgen::generate!({ path: "../../../../wit", world: "post-processor-component", generate_all });

#[path = "../../by_hand.rs"]
mod by_hand;
#[path = "../../calls.rs"]
mod calls;
#[path = "../../description.rs"]
mod description;

use exports::kiln::component::post_processor::{
    Artifact, Configuration, Context, Diagnostic, Error, Guest, Processed,
};
use kiln::host::{types, ui};

struct Contract;
export!(Contract);

impl Guest for Contract {
    fn validate(configuration: Configuration) -> Vec<Diagnostic> {
        let message = calls::run(configuration, calls::Given::default());
        vec![Diagnostic { severity: types::Severity::Warning, message, pointer: None, help: None }]
    }

    fn process(
        context: Context,
        configuration: Configuration,
        artifact: Artifact,
    ) -> Result<Processed, Error> {
        let given = calls::Given { context: Some(context), artifact: Some(artifact), ..Default::default() };
        ui::say(&calls::run(configuration, given));
        Ok(Processed { artifact: None, keep_input: true, must_keep: false })
    }
}
