//! A builder that breaks: it makes its output, then traps where it is told to.

use kiln_sdk::{Artifact, Builder, Config, Context, Description, Draft, Error, Prepared};
use serde::Deserialize;

#[derive(Deserialize)]
struct Options {
    when: String,
}

#[derive(Default)]
struct Trapper {
    when: String,
}

impl Builder for Trapper {
    type Options = Options;

    fn describe() -> Description {
        Description::new(
            "trapper",
            env!("CARGO_PKG_VERSION"),
            "breaks on demand",
            include_str!("../schema.json"),
        )
    }

    fn prepare(&mut self, _: Context, config: Config<Options>) -> Result<Prepared, Error> {
        self.when.clone_from(&config.when);
        config.output("/output", &serde_json::json!({}))?.make_directory()?;
        if self.when == "prepare" {
            panic!("told to break in prepare");
        }
        Ok(Prepared { session: None, values: serde_json::json!({}) })
    }

    fn finish(&mut self) -> Result<Option<Artifact>, Error> {
        if self.when == "finish" {
            panic!("told to break in finish");
        }
        Draft::finish(Draft::new("test.trapper", "trapper", "nothing broke")).map(Some)
    }
}

kiln_sdk::export_builder!(Trapper);
