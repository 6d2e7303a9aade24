//! Post-processor `manifest`: adds the build to a JSON file that other tools read. Parallel builds
//! write the same file, so it is read, changed and written under a lock.

mod record;

use kiln_sdk::{
    Artifact, Config, Context, Description, Error, PostProcessor, Processed, files, files::Output,
};
use record::{Build, File, Manifest};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A manifest longer than this, in bytes, is somebody else's file; the host writes no longer text.
const LONGEST: usize = 16 << 20;
/// How much the host reads at once.
const CHUNK: u32 = 1 << 20;
/// How long other builds may hold the lock, in milliseconds.
const LOCK_WAIT: u64 = 60_000;

#[derive(Deserialize)]
struct Options {
    #[serde(default)]
    strip_path: bool,
    #[serde(default)]
    strip_time: bool,
    custom_data: Option<BTreeMap<String, String>>,
}

struct ManifestFile;

impl PostProcessor for ManifestFile {
    type Options = Options;

    fn describe() -> Description {
        let version = env!("CARGO_PKG_VERSION");
        Description::new("manifest", version, env!("CARGO_PKG_DESCRIPTION"), include_str!("../schema.json"))
    }

    fn process(context: &Context, config: &Config<Options>, artifact: Artifact) -> Result<Processed, Error> {
        let output = config.output("/output", &serde_json::json!({}))?;
        let _lock = output.lock(LOCK_WAIT).map_err(|e| e.at("/output"))?;
        let mut manifest = read(&output)?;
        manifest.add(build(context, config, &artifact), context.force());
        let text = files::from_text("manifest.json", &manifest.text())?;
        output.write(&text, 0o664).map_err(|e| e.at("/output"))?;
        Ok(Processed { artifact: Some(artifact), keep_input: true, must_keep: true })
    }
}

fn read(output: &Output) -> Result<Manifest, Error> {
    match output.existing()? {
        Some(file) => Manifest::parse(&whole(&file)?)
            .map_err(|e| Error::failed(format!("{} is no manifest: {e}", output.display())).at("/output")),
        None => Ok(Manifest::default()),
    }
}

fn whole(file: &files::File) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    loop {
        let chunk = file.read(bytes.len() as u64, CHUNK)?;
        if chunk.is_empty() {
            return Ok(bytes);
        }
        bytes.extend(chunk);
        if bytes.len() > LONGEST {
            return Err(
                Error::new(kiln_sdk::ErrorCode::Limit, "the manifest is longer than 16 MiB").at("/output")
            );
        }
    }
}

fn build(context: &Context, options: &Options, artifact: &Artifact) -> Build {
    let files: Vec<_> = artifact
        .files()
        .into_iter()
        .map(|file| {
            let name = if options.strip_path { record::base_name(&file.name).to_owned() } else { file.name };
            File { name, size: file.size }
        })
        .collect();
    Build {
        name: context.source_name(),
        builder_type: context.builder_type(),
        build_time: (!options.strip_time).then(|| context.started()),
        // Go writes a list that was never made as null, and tools compare with that.
        files: (!files.is_empty()).then_some(files),
        artifact_id: artifact.id(),
        packer_run_uuid: context.run_uuid(),
        custom_data: options.custom_data.clone(),
    }
}

kiln_sdk::export_post_processor!(ManifestFile);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_fits_the_type() {
        kiln_sdk::testing::options::<Options>(include_str!("../schema.json"), r#"{}"#).unwrap();
    }
}
