//! Fixers of post-processors.

use super::step::{Step, kind, rename};
use serde_json::{Map, Value};

/// The providers whose options could stand beside those of the post-processor.
const PROVIDERS: [&str; 4] = ["aws", "digitalocean", "virtualbox", "vmware"];

pub(super) fn vagrant_override(post_processor: &mut Step) {
    if kind(post_processor) != "vagrant" {
        return;
    }
    let moved: Map<String, Value> = PROVIDERS
        .iter()
        .filter_map(|name| post_processor.remove(*name).map(|value| ((*name).to_owned(), value)))
        .collect();
    if !moved.is_empty() {
        post_processor.insert("override".into(), moved.into());
    }
}

pub(super) fn manifest_output(post_processor: &mut Step) {
    if kind(post_processor) == "manifest" && post_processor.get("filename").is_some_and(Value::is_string) {
        rename(post_processor, "filename", "output");
    }
}

pub(super) fn docker_email(post_processor: &mut Step) {
    post_processor.remove("login_email");
}

/// `tags` is there afterwards, even if empty: first what `tag` said, then what `tags` said.
pub(super) fn docker_tags(post_processor: &mut Step) {
    if kind(post_processor) != "docker-tag" {
        return;
    }
    let (old, new) = (tags(post_processor.get("tag")), tags(post_processor.get("tags")));
    if let (Some(mut all), Some(more)) = (old, new) {
        all.extend(more);
        post_processor.remove("tag");
        post_processor.insert("tags".into(), all.into());
    }
}

/// A list of texts, or a text that is split at its commas; `None` for a list of something else.
fn tags(value: Option<&Value>) -> Option<Vec<String>> {
    match value {
        Some(Value::String(text)) => Some(text.split(',').map(|tag| tag.trim().to_owned()).collect()),
        Some(Value::Array(list)) => list.iter().map(|tag| tag.as_str().map(str::to_owned)).collect(),
        _ => Some(Vec::new()),
    }
}
