//! Post-processor `compress`: packs the artifact's files into one archive, whose extension says
//! the format. The host does the packing; no byte of an image enters this component.

mod format;

use format::Format;
use kiln_sdk::files::{self, ArchiveEntry, Container, File};
use kiln_sdk::{
    Artifact, Config, Context, Description, Draft, Error, Findings, PostProcessor, Processed, Unchecked, say,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Options {
    format: Option<String>,
    compression_level: i64,
}

struct Compress;

impl PostProcessor for Compress {
    type Options = Options;

    fn describe() -> Description {
        let version = env!("CARGO_PKG_VERSION");
        Description::new("compress", version, env!("CARGO_PKG_DESCRIPTION"), include_str!("../schema.json"))
    }

    fn validate(options: &Unchecked, findings: &mut Findings) {
        let format = options.text("/format").filter(|format| !format.is_empty() && !format.contains("{{"));
        if format.is_some_and(|format| Format::of(format).is_none()) {
            findings.error("/format", "there is no such archive format", "tar.gz, zip, xz, …");
        }
        let output = options.text("/output");
        if format.is_none() && output.is_some_and(|name| Format::of(name).is_none() && !name.ends_with("}}"))
        {
            findings.warning("/output", "the extension names no format: the file will be a tar.gz", "");
        }
    }

    fn process(context: &Context, config: &Config<Options>, artifact: Artifact) -> Result<Processed, Error> {
        let late = serde_json::json!({
            "BuildName": context.source_name(),
            "BuilderType": context.builder_type(),
        });
        let output = config.output("/output", &late)?;
        let wanted = config.format.as_deref().filter(|format| !format.is_empty());
        let format = Format::of(wanted.unwrap_or(&output.display())).unwrap_or(Format::USUAL);
        let files = open(&artifact)?;
        if files.is_empty() {
            return Err(Error::invalid("the artifact has no files to pack"));
        }
        if format.container == Container::None && files.len() != 1 {
            let message =
                format!("this format holds one file and the artifact has {}; use .tar", files.len());
            return Err(Error::invalid(message).at("/output"));
        }
        say!("Creating archive {} from {} files", output.display(), files.len());
        let entries: Vec<_> =
            files.iter().map(|(name, content)| ArchiveEntry { name: name.clone(), content }).collect();
        let level = format::level(config.compression_level);
        files::archive(&entries, format.container, format.compression, level, &output)?;
        let description = format!("compressed artifacts in: {}", output.display());
        let draft = Draft::new("packer.post-processor.compress", "", &description);
        draft.add(&output)?;
        Ok(Processed { artifact: Some(Draft::finish(draft)?), keep_input: false, must_keep: false })
    }
}

/// The artifact's files under their base names; under their whole names where two are the same.
fn open(artifact: &Artifact) -> Result<Vec<(String, File)>, Error> {
    let paths: Vec<_> = artifact.files().into_iter().map(|file| file.name).collect();
    let names = format::names(&paths);
    names.into_iter().zip(&paths).map(|(name, path)| Ok((name, artifact.open(path)?))).collect()
}

kiln_sdk::export_post_processor!(Compress);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_fits_the_type() {
        kiln_sdk::testing::options::<Options>(include_str!("../schema.json"), r#"{}"#).unwrap();
    }
}
