//! Post-processor `checksum`: adds a line `HEX<TAB>NAME` for each file of the artifact to one file
//! for each type of checksum. What follows it in a sequence gets the artifact's files and these.

use kiln_sdk::files::{self, DigestAlgorithm};
use kiln_sdk::{Artifact, Config, Context, Description, Draft, Error, PostProcessor, Processed};
use serde::Deserialize;

#[derive(Deserialize)]
struct Options {
    checksum_types: Vec<String>,
}

struct Checksum;

impl PostProcessor for Checksum {
    type Options = Options;

    fn describe() -> Description {
        let version = env!("CARGO_PKG_VERSION");
        Description::new("checksum", version, env!("CARGO_PKG_DESCRIPTION"), include_str!("../schema.json"))
    }

    fn process(context: &Context, config: &Config<Options>, artifact: Artifact) -> Result<Processed, Error> {
        let mut outputs = Vec::new();
        for (index, name) in config.checksum_types.iter().enumerate() {
            let algorithm = algorithm(name).ok_or_else(|| {
                Error::invalid(format!("there is no checksum `{name}`"))
                    .at(format!("/checksum_types/{index}"))
            })?;
            let late = serde_json::json!({
                "BuildName": context.source_name(),
                "BuilderType": context.builder_type(),
                "ChecksumType": name,
            });
            // An artifact without files leaves no empty file behind.
            if artifact.files().is_empty() {
                continue;
            }
            let output = config.output("/output", &late)?;
            let text = files::from_text("checksums", &lines(&artifact, algorithm)?)?;
            output.append(&text).map_err(|e| e.at("/output"))?;
            outputs.push(output);
        }
        let names = artifact.files().into_iter().map(|file| file.name);
        let names: Vec<_> = names.chain(outputs.iter().map(files::Output::display)).collect();
        let description = format!("Created artifact from files: {}", names.join(", "));
        let draft = Draft::new("packer.post-processor.checksum", "", &description);
        draft.add_from(&artifact)?;
        for output in &outputs {
            draft.add(output)?;
        }
        Ok(Processed { artifact: Some(Draft::finish(draft)?), keep_input: true, must_keep: true })
    }
}

fn lines(artifact: &Artifact, algorithm: DigestAlgorithm) -> Result<String, Error> {
    let mut text = String::new();
    for file in artifact.files() {
        let digest = artifact.open(&file.name)?.digest(algorithm)?;
        text.push_str(&line(&digest, &file.name));
    }
    Ok(text)
}

fn line(digest: &str, path: &str) -> String {
    format!("{digest}\t{}\n", path.rsplit(['/', '\\']).next().unwrap_or(path))
}

fn algorithm(name: &str) -> Option<DigestAlgorithm> {
    Some(match name {
        "md5" => DigestAlgorithm::Md5,
        "sha1" => DigestAlgorithm::Sha1,
        "sha224" => DigestAlgorithm::Sha224,
        "sha256" => DigestAlgorithm::Sha256,
        "sha384" => DigestAlgorithm::Sha384,
        "sha512" => DigestAlgorithm::Sha512,
        _ => return None,
    })
}

kiln_sdk::export_post_processor!(Checksum);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_digest_tab_base_name() {
        assert_eq!(line("00ff", "output-x/disk.qcow2"), "00ff\tdisk.qcow2\n");
        assert!(algorithm("sha256").is_some() && algorithm("crc32").is_none());
    }

    #[test]
    fn the_schema_fits_the_type() {
        kiln_sdk::testing::options::<Options>(include_str!("../schema.json"), r#"{}"#).unwrap();
    }
}
