//! Values as Go prints them: `print` and the text of an action.

use super::verb::{Out, Verb};
use serde_json::Value as Json;

/// Go's name of the type that a JSON value would have.
pub(super) fn type_name(value: &Json) -> &'static str {
    match value {
        Json::Null => "<nil>",
        Json::Bool(_) => "bool",
        Json::Number(n) if n.is_f64() => "float64",
        Json::Number(_) => "int",
        Json::String(_) => "string",
        Json::Array(_) => "[]interface {}",
        Json::Object(_) => "map[string]interface {}",
    }
}

/// Whether `if` takes it.
pub(super) fn truth(value: Option<&Json>) -> bool {
    match value {
        None | Some(Json::Null) => false,
        Some(Json::Bool(truth)) => *truth,
        Some(Json::Number(n)) => n.as_f64() != Some(0.0),
        Some(Json::String(text)) => !text.is_empty(),
        Some(Json::Array(items)) => !items.is_empty(),
        Some(Json::Object(map)) => !map.is_empty(),
    }
}

/// The text of an action.
pub(super) fn text(value: Option<&Json>) -> String {
    match value {
        None | Some(Json::Null) => "<no value>".to_owned(),
        Some(Json::String(text)) => text.clone(),
        Some(value) => verb_v(value),
    }
}

/// `%v`.
pub(super) fn verb_v(value: &Json) -> String {
    let mut out = Out::new(usize::MAX);
    Verb::default().print('v', Some(value), &mut out);
    // Nothing is as long as the limit.
    out.finish().unwrap_or_default()
}
