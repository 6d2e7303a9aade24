//! For unit tests of a component's pure parts.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// Options as the host would hand them over: the text of `schema.json` gives the defaults, `written`
/// is a JSON object of what the user wrote. Nested defaults and those of the host's option groups
/// are left out.
///
/// # Errors
/// What is no JSON, and options that do not fit `T`: then the schema and the type differ.
pub fn options<T: DeserializeOwned>(schema: &str, written: &str) -> serde_json::Result<T> {
    let schema: Value = serde_json::from_str(schema)?;
    let mut options: Value = serde_json::from_str(written)?;
    if let (Some(options), Some(fields)) =
        (options.as_object_mut(), schema.get("properties").and_then(Value::as_object))
    {
        for (name, field) in fields {
            if let Some(default) = field.get("default") {
                options.entry(name.clone()).or_insert_with(|| default.clone());
            }
        }
    }
    serde_json::from_value(options)
}
