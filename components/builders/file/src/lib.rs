//! Builder `file`: writes one file, from text or as a copy. Useful to try post-processors without a
//! machine.

use kiln_sdk::{
    Artifact, Builder, Config, Context, Description, Draft, Error, Findings, Outcome, Prepared, Unchecked,
    files, say,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Options {
    source: Option<String>,
    content: Option<String>,
}

/// What was written.
#[derive(Default)]
struct File {
    target: Option<files::Output>,
}

impl Builder for File {
    type Options = Options;

    fn describe() -> Description {
        let version = env!("CARGO_PKG_VERSION");
        Description::new("file", version, env!("CARGO_PKG_DESCRIPTION"), include_str!("../schema.json"))
    }

    fn validate(options: &Unchecked, findings: &mut Findings) {
        findings.filled(options, &["target"]);
        findings.one_of(options, &["source", "content"], false);
        if !options.is_set("/source") && !options.is_set("/content") {
            findings.warning("", "neither `source` nor `content` is set: the file will be empty", "");
        }
    }

    fn prepare(&mut self, _: Context, config: Config<Options>) -> Result<Prepared, Error> {
        let content = match &config.source {
            Some(source) if !source.is_empty() => config.file("/source")?,
            _ => files::from_text("content", config.content.as_deref().unwrap_or_default())?,
        };
        let target = config.output("/target", &serde_json::json!({}))?;
        let source = config.source.as_deref().filter(|source| !source.is_empty());
        if let Some(source) = source {
            say!("Copying {source} to {}", target.display());
        }
        target.write(&content, 0o600).map_err(|e| e.at("/target"))?;
        if source.is_some() {
            say!("Copied {} bytes", content.size()?);
        }
        self.target = Some(target);
        Ok(Prepared { session: None, values: serde_json::json!({ "ID": "File" }) })
    }

    fn finish(&mut self) -> Result<Option<Artifact>, Error> {
        let Some(target) = &self.target else { return Ok(None) };
        let draft = Draft::new("packer.file", "File", &format!("Stored file: {}", target.display()));
        draft.add(target)?;
        Draft::finish(draft).map(Some)
    }

    fn cleanup(&mut self, outcome: Outcome) -> Result<(), Error> {
        match (outcome, &self.target) {
            (Outcome::Failed | Outcome::Cancelled, Some(target)) => target.remove(),
            _ => Ok(()),
        }
    }
}

kiln_sdk::export_builder!(File);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_content() {
        let lines = |json: &str| {
            let mut findings = Findings::default();
            File::validate(&Unchecked::new(json), &mut findings);
            findings.lines()
        };
        assert_eq!(lines(r#"{"content":"a"}"#), [""; 0]);
        assert_eq!(
            lines(r#"{"content":"a","source":"b"}"#),
            ["/content: only one of `source` and `content` may be set"]
        );
        assert_eq!(lines("{}").len(), 1);
    }

    #[test]
    fn the_schema_fits_the_type() {
        kiln_sdk::testing::options::<Options>(include_str!("../schema.json"), r#"{"target":"x"}"#).unwrap();
    }
}
