//! The manifest as data: Packer's layout to the byte, since scripts compare it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Manifest {
    builds: Vec<Build>,
    last_run_uuid: String,
}

/// One build; the order of the fields is the order in the file.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Build {
    /// Name of the source.
    pub(crate) name: String,
    /// Its type.
    pub(crate) builder_type: String,
    /// Seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) build_time: Option<u64>,
    /// The artifact's files; null if it has none.
    pub(crate) files: Option<Vec<File>>,
    /// The artifact's identity.
    pub(crate) artifact_id: String,
    /// The run's UUID.
    pub(crate) packer_run_uuid: String,
    /// The user's own.
    pub(crate) custom_data: Option<BTreeMap<String, String>>,
}

/// One file.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct File {
    /// As the user would write it.
    pub(crate) name: String,
    /// In bytes.
    pub(crate) size: u64,
}

impl Manifest {
    /// Reads a file; an empty one is a new manifest.
    pub(crate) fn parse(text: &[u8]) -> serde_json::Result<Self> {
        if text.trim_ascii().is_empty() { Ok(Self::default()) } else { serde_json::from_slice(text) }
    }

    /// Adds a build. With `force`, builds of earlier runs go; those of the same run stay.
    pub(crate) fn add(&mut self, build: Build, force: bool) {
        if force && self.last_run_uuid != build.packer_run_uuid {
            self.builds.clear();
        }
        self.last_run_uuid.clone_from(&build.packer_run_uuid);
        self.builds.push(build);
    }

    /// As Go's `json.MarshalIndent` writes it: two spaces, no newline at the end, and `<`, `>`, `&`
    /// escaped, which can only occur inside strings.
    pub(crate) fn text(&self) -> String {
        let plain = serde_json::to_string_pretty(self).unwrap_or_default();
        let mut text = String::with_capacity(plain.len());
        for character in plain.chars() {
            match character {
                '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                    text.push_str(&format!("\\u{:04x}", u32::from(character)));
                }
                other => text.push(other),
            }
        }
        text
    }
}

/// The last part of a path, of either system's.
pub(crate) fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(uuid: &str) -> Build {
        Build {
            name: "a".to_owned(),
            builder_type: "null".to_owned(),
            build_time: Some(7),
            artifact_id: "Null".to_owned(),
            packer_run_uuid: uuid.to_owned(),
            ..Build::default()
        }
    }

    #[test]
    fn the_layout_is_packers() {
        let mut manifest = Manifest::default();
        let mut first = build("1");
        first.files = Some(vec![File { name: "out/<x>".to_owned(), size: 3 }]);
        first.custom_data = Some(BTreeMap::from([("k".to_owned(), "v&w".to_owned())]));
        manifest.add(first, false);
        let wanted = r#"{
  "builds": [
    {
      "name": "a",
      "builder_type": "null",
      "build_time": 7,
      "files": [
        {
          "name": "out/\u003cx\u003e",
          "size": 3
        }
      ],
      "artifact_id": "Null",
      "packer_run_uuid": "1",
      "custom_data": {
        "k": "v\u0026w"
      }
    }
  ],
  "last_run_uuid": "1"
}"#;
        assert_eq!(manifest.text(), wanted);
        assert_eq!(Manifest::parse(wanted.as_bytes()).unwrap().text(), wanted);
    }

    #[test]
    fn nothing_is_null_and_no_time_is_absent() {
        let mut manifest = Manifest::default();
        manifest.add(Build { build_time: None, ..build("1") }, false);
        let text = manifest.text();
        assert!(text.contains("\"files\": null") && text.contains("\"custom_data\": null"), "{text}");
        assert!(!text.contains("build_time"), "{text}");
    }

    #[test]
    fn force_drops_only_other_runs() {
        let mut manifest = Manifest::parse(b"").unwrap();
        manifest.add(build("1"), false);
        manifest.add(build("2"), false);
        assert_eq!(manifest.builds.len(), 2);
        manifest.add(build("3"), true);
        manifest.add(build("3"), true);
        assert_eq!(manifest.builds.len(), 2);
        assert!(Manifest::parse(b"[]x").is_err());
        assert_eq!((base_name("a/b"), base_name("a\\b"), base_name("c")), ("b", "b", "c"));
    }
}
