//! Data source `null`: gives back its input, to try how values flow through a template.

use kiln_sdk::{Config, Context, DataSource, Description, Error, Findings, Unchecked};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Options {
    input: String,
}

#[derive(Serialize)]
struct Values {
    output: String,
}

struct Null;

impl DataSource for Null {
    type Options = Options;
    type Values = Values;

    fn describe() -> Description {
        let version = env!("CARGO_PKG_VERSION");
        Description::new("null", version, env!("CARGO_PKG_DESCRIPTION"), include_str!("../schema.json"))
            .gives(r#"{"type":"object","properties":{"output":{"type":"string","description":"the input"}}}"#)
    }

    fn validate(options: &Unchecked, findings: &mut Findings) {
        findings.filled(options, &["input"]);
    }

    fn read(_: &Context, config: &Config<Options>) -> Result<Values, Error> {
        Ok(Values { output: config.input.clone() })
    }
}

kiln_sdk::export_data_source!(Null);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_fits_the_type() {
        kiln_sdk::testing::options::<Options>(include_str!("../schema.json"), r#"{"input":"x"}"#).unwrap();
    }
}
