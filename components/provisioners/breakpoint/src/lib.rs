//! Provisioner `breakpoint`: pauses the build until the user goes on.

use kiln_sdk::{Config, Context, Description, Error, Provisioner, Session, say, ui};
use serde::Deserialize;

#[derive(Deserialize)]
struct Options {
    #[serde(default)]
    note: String,
    #[serde(default)]
    disable: bool,
}

struct Breakpoint;

impl Provisioner for Breakpoint {
    type Options = Options;

    fn describe() -> Description {
        let version = env!("CARGO_PKG_VERSION");
        Description::new("breakpoint", version, env!("CARGO_PKG_DESCRIPTION"), include_str!("../schema.json"))
    }

    fn provision(_: &Context, config: &Config<Options>, _: Option<&Session>) -> Result<(), Error> {
        let note = match config.note.as_str() {
            "" => String::new(),
            note => format!(" with note \"{note}\""),
        };
        if config.disable {
            say!("Breakpoint provisioner{note} disabled; continuing...");
            return Ok(());
        }
        say!("Pausing at breakpoint provisioner{note}.");
        ui::choose("Press enter to continue.", &["continue".to_owned()]).map(|_| ()).map_err(|error| {
            if error.is_cancelled() {
                return error;
            }
            error.doing("cannot pause here; set `disable = true` where nobody can answer")
        })
    }
}

kiln_sdk::export_provisioner!(Breakpoint);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_fits_the_type() {
        kiln_sdk::testing::options::<Options>(include_str!("../schema.json"), r#"{}"#).unwrap();
    }
}
