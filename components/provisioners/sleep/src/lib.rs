//! Provisioner `sleep`: waits, and ends at once when the build is cancelled.

use kiln_sdk::{
    Config, Context, Description, Error, Findings, Provisioner, Session, Unchecked, duration, say, ui,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Options {
    duration: String,
}

struct Sleep;

impl Provisioner for Sleep {
    type Options = Options;

    fn describe() -> Description {
        let version = env!("CARGO_PKG_VERSION");
        Description::new("sleep", version, env!("CARGO_PKG_DESCRIPTION"), include_str!("../schema.json"))
    }

    fn validate(options: &Unchecked, findings: &mut Findings) {
        findings.durations(options, &["duration"]);
        findings.filled(options, &["duration"]);
    }

    fn provision(_: &Context, config: &Config<Options>, _: Option<&Session>) -> Result<(), Error> {
        let milliseconds = duration::wait(&config.duration).map_err(|e| e.at("/duration"))?;
        say!("Waiting {}...", config.duration);
        ui::sleep(milliseconds)
    }
}

kiln_sdk::export_provisioner!(Sleep);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_fits_the_type() {
        kiln_sdk::testing::options::<Options>(include_str!("../schema.json"), r#"{"duration": "1s"}"#)
            .unwrap();
    }
}
