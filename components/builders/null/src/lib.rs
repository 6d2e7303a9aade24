//! Builder `null`: connects to a machine that exists already, so that provisioners can be tried, or
//! does nothing at all (`communicator = "none"`). It makes no artifact of its own.

use kiln_sdk::machines::{self, Address};
use kiln_sdk::{
    Artifact, Builder, Config, Context, Description, Draft, Error, Findings, Prepared, Unchecked, groups,
};
use serde::Deserialize;
use serde_json::Value;

/// All options are the host's.
#[derive(Deserialize)]
struct Options {}

#[derive(Default)]
struct Null;

impl Builder for Null {
    type Options = Options;

    fn describe() -> Description {
        let version = env!("CARGO_PKG_VERSION");
        Description::new("null", version, env!("CARGO_PKG_DESCRIPTION"), include_str!("../schema.json"))
    }

    fn validate(options: &Unchecked, findings: &mut Findings) {
        groups::communicator(options, findings, false, false);
    }

    fn prepare(&mut self, _: Context, config: Config<Options>) -> Result<Prepared, Error> {
        let session = machines::connect(config.handle(), &Address::Configured, "{}")?;
        let mut values: Value = serde_json::from_str(&machines::connection_values(config.handle())?)?;
        // Packer's word for a machine that nobody made.
        if let Some(values) = values.as_object_mut() {
            values.insert("ID".to_owned(), "Null".into());
        }
        Ok(Prepared { session, values })
    }

    fn finish(&mut self) -> Result<Option<Artifact>, Error> {
        let description = "Did not export anything. This is the null builder";
        Draft::finish(Draft::new("fnoeding.null", "Null", description)).map(Some)
    }
}

kiln_sdk::export_builder!(Null);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_fits_the_type() {
        kiln_sdk::testing::options::<Options>(include_str!("../schema.json"), r#"{}"#).unwrap();
    }
}
