//! Packer's own template functions.

use super::{Functions, format_layout, format_strftime};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

const NAMES: [&str; 19] = [
    "build",
    "build_name",
    "build_type",
    "clean_resource_name",
    "env",
    "isotime",
    "packer_version",
    "pwd",
    "replace",
    "replace_all",
    "sed",
    "split",
    "strftime",
    "template_dir",
    "timestamp",
    "upper",
    "lower",
    "user",
    "uuid",
];

/// Packer's functions with the values that they give.
#[derive(Debug, Clone)]
pub struct PackerFunctions {
    /// `build_name`: the name of the source block.
    pub build_name: Option<String>,
    /// `build_type`: the builder's type.
    pub build_type: Option<String>,
    /// `template_dir`.
    pub template_dir: String,
    /// `pwd`.
    pub working_directory: String,
    /// `packer_version`.
    pub version: String,
    /// `uuid`, one for the whole run.
    pub uuid: String,
    /// `timestamp`, `isotime` and `strftime`: when the run began.
    pub started: SystemTime,
    /// `build`: values of the running build.
    pub build: BTreeMap<String, Json>,
}

impl PackerFunctions {
    /// The names of all functions, for suggestions.
    pub fn names() -> Vec<String> {
        NAMES.iter().map(|name| (*name).to_owned()).collect()
    }

    fn unix(&self) -> u64 {
        self.started.duration_since(UNIX_EPOCH).map_or(0, |t| t.as_secs())
    }
}

impl Functions for PackerFunctions {
    fn has(&self, name: &str) -> bool {
        NAMES.contains(&name)
    }

    fn call(&self, name: &str, arguments: &[Json]) -> Result<Json, String> {
        let known = |value: &Option<String>| value.clone().map(Json::from).ok_or("not known here".to_owned());
        match (name, arguments) {
            ("build_name", []) => known(&self.build_name),
            ("build_type", []) => known(&self.build_type),
            ("template_dir", []) => Ok(self.template_dir.as_str().into()),
            ("pwd", []) => Ok(self.working_directory.as_str().into()),
            ("packer_version", []) => Ok(self.version.as_str().into()),
            ("uuid", []) => Ok(self.uuid.as_str().into()),
            ("timestamp", []) => Ok(self.unix().to_string().into()),
            ("isotime", []) => Ok(format_layout("2006-01-02T15:04:05Z07:00", self.started).into()),
            ("isotime", [layout]) => Ok(format_layout(text(layout)?, self.started).into()),
            ("strftime", [format]) => Ok(format_strftime(text(format)?, self.started)?.into()),
            ("upper", [value]) => Ok(text(value)?.to_uppercase().into()),
            ("lower", [value]) => Ok(text(value)?.to_lowercase().into()),
            ("split", [value, separator, at]) => split(text(value)?, text(separator)?, at),
            ("replace", [old, new, count, value]) => {
                let count = count.as_i64().ok_or("the count must be a whole number")?;
                let (value, old, new) = (text(value)?, text(old)?, text(new)?);
                Ok(match usize::try_from(count) {
                    Ok(count) => value.replacen(old, new, count),
                    Err(_) => value.replace(old, new),
                }
                .into())
            }
            ("replace_all", [old, new, value]) => Ok(text(value)?.replace(text(old)?, text(new)?).into()),
            ("clean_resource_name", [value]) => Ok(clean(text(value)?).into()),
            ("build", [key]) => {
                let key = text(key)?;
                self.build.get(key).cloned().ok_or_else(|| format!("the build has no value {key:?}"))
            }
            // Whoever reads legacy templates has the variables, and answers before it comes here.
            ("user", _) => Err("`user` is for legacy JSON templates, write var.NAME in HCL2".to_owned()),
            ("env", _) => Err("`env` may be used in variables only".to_owned()),
            ("sed", _) => Err("`sed` was removed, use `replace` or `replace_all`".to_owned()),
            _ => Err(format!("wrong number of args: got {}", arguments.len())),
        }
    }
}

fn text(value: &Json) -> Result<&str, String> {
    value.as_str().ok_or_else(|| "the argument must be a string".to_owned())
}

fn split(value: &str, separator: &str, at: &Json) -> Result<Json, String> {
    let at = at.as_i64().ok_or("the index must be a whole number")?;
    let at = usize::try_from(at).map_err(|_| "the index must not be negative".to_owned())?;
    let part = if separator.is_empty() {
        value.char_indices().nth(at).and_then(|(i, c)| value.get(i..i + c.len_utf8()))
    } else {
        value.split(separator).nth(at)
    };
    part.map(Into::into).ok_or_else(|| format!("the text has no part {at}"))
}

/// Everything but ASCII letters, digits, `-`, `_` and `.` becomes `-`.
fn clean(value: &str) -> String {
    let keep = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' };
    value.chars().map(keep).collect()
}
