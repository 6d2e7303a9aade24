//! Fixers of the template functions in names of images.

use super::step::Step;
use serde_json::Value;

/// The options whose names could hold the time of creation.
const TIMED: [&str; 3] = ["ami_name", "bundle_prefix", "snapshot_name"];

pub(super) fn create_time(builder: &mut Step) {
    for name in TIMED {
        if let Some(Value::String(text)) = builder.get_mut(name) {
            *text = with_timestamp(text);
        }
    }
}

/// `{{ .CreateTime }}`, with any space inside, becomes `{{timestamp}}`.
fn with_timestamp(text: &str) -> String {
    let mut parts = text.split("{{");
    let mut out = parts.next().unwrap_or("").to_owned();
    for part in parts {
        out.push_str("{{");
        match part.split_once("}}") {
            Some((inside, rest)) if inside.trim_ascii() == ".CreateTime" => {
                out.push_str("timestamp}}");
                out.push_str(rest);
            }
            _ => out.push_str(part),
        }
    }
    out
}

/// In texts, and in the texts of an object; not deeper, and not in lists.
pub(super) fn clean_resource_name(builder: &mut Step) {
    for value in builder.values_mut() {
        match value {
            Value::Object(object) => object.values_mut().for_each(clean),
            other => clean(other),
        }
    }
}

fn clean(value: &mut Value) {
    if let Value::String(text) = value {
        for old in ["clean_image_name", "clean_ami_name"] {
            if text.contains(old) {
                *text = text.replace(old, "clean_resource_name");
            }
        }
    }
}
