//! Post-processor `artifice`: from here on, the artifact is these files, made by a script before.

use kiln_sdk::{
    Artifact, Config, Context, Description, Error, Findings, PostProcessor, Processed, Unchecked, artifacts,
    say,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Options {
    files: Vec<String>,
}

struct Artifice;

impl PostProcessor for Artifice {
    type Options = Options;

    fn describe() -> Description {
        let version = env!("CARGO_PKG_VERSION");
        Description::new("artifice", version, env!("CARGO_PKG_DESCRIPTION"), include_str!("../schema.json"))
    }

    fn validate(options: &Unchecked, findings: &mut Findings) {
        if options.is_empty("/files") {
            findings.error("/files", "`files` names no file", "");
        }
    }

    fn process(_: &Context, config: &Config<Options>, artifact: Artifact) -> Result<Processed, Error> {
        let old = names(&artifact);
        if !old.is_empty() {
            say!("Discarding files from artifact: {}", old.join(", "));
        }
        let description = format!("Created artifact from files: {}", config.files.join(", "));
        let adopted = artifacts::adopt("packer.post-processor.artifice", "", &description, "/files")?;
        let new = names(&adopted);
        if new.is_empty() {
            return Err(Error::new(kiln_sdk::ErrorCode::NotFound, "no such file was made").at("/files"));
        }
        say!("Using these artifact files: {}", new.join(", "));
        Ok(Processed { artifact: Some(adopted), keep_input: true, must_keep: false })
    }
}

fn names(artifact: &Artifact) -> Vec<String> {
    artifact.files().into_iter().map(|file| file.name).collect()
}

kiln_sdk::export_post_processor!(Artifice);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_fits_the_type() {
        kiln_sdk::testing::options::<Options>(include_str!("../schema.json"), r#"{"files":[]}"#).unwrap();
    }
}
