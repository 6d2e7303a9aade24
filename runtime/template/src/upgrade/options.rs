//! The options of a component as arguments and blocks.

use super::text::{Place, Translator};
use super::write::{Writer, is_identifier, quoted, sorted, value};
use kiln_plan::{Field, FieldType};
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;

/// The options that are known, by name.
pub(super) type Fields = BTreeMap<String, Field>;

/// Writes options by name. A component's schema says which are blocks; of an option that it does
/// not know the shape decides.
pub(super) fn write(
    options: &Map<String, Json>,
    fields: Option<&Fields>,
    place: Place,
    translator: &mut Translator,
    writer: &mut Writer,
) {
    for (name, json) in sorted(options) {
        let field = fields.and_then(|fields| fields.get(name));
        match blocks(json, field) {
            Some(maps) => {
                for map in maps {
                    writer.open(name, &[]);
                    write(map, field.and_then(inside), place, translator, writer);
                    writer.close();
                }
            }
            None => {
                let json = field.map_or_else(|| json.clone(), |field| fitted(json, &field.ty));
                let name =
                    if is_identifier(name) { name.to_owned() } else { format!("\"{}\"", quoted(name)) };
                writer.attribute(&name, &value(&json, place, translator));
            }
        }
    }
}

/// The bodies, if this is written as blocks.
fn blocks<'j>(json: &'j Json, field: Option<&Field>) -> Option<Vec<&'j Map<String, Json>>> {
    if field.is_some_and(|field| !field.block) {
        return None;
    }
    match json {
        Json::Object(map) if field.is_some() || map.values().any(|v| v.is_object() || v.is_array()) => {
            Some(vec![map])
        }
        Json::Array(items) if !items.is_empty() => items.iter().map(Json::as_object).collect(),
        _ => None,
    }
}

/// What is known of the options in a block.
fn inside(field: &Field) -> Option<&Fields> {
    match &field.ty {
        FieldType::Object(fields) => Some(fields),
        FieldType::List(item) => inside(item),
        _ => None,
    }
}

/// A value in the form that HCL wants. Legacy templates are decoded more freely: they may leave out
/// the brackets of a list of one, write a map as a list of maps, and mix texts, numbers and truth.
fn fitted(json: &Json, ty: &FieldType) -> Json {
    match (ty, json) {
        (FieldType::List(item), Json::Array(items)) => {
            items.iter().map(|json| fitted(json, &item.ty)).collect()
        }
        (FieldType::List(item), one) if !one.is_null() => Json::Array(vec![fitted(one, &item.ty)]),
        (FieldType::Map(_) | FieldType::Object(_), Json::Array(maps)) if maps.iter().all(Json::is_object) => {
            let entries = maps.iter().filter_map(Json::as_object).flatten();
            Json::Object(entries.map(|(name, json)| (name.clone(), json.clone())).collect())
        }
        (FieldType::Text, Json::Bool(truth)) => u8::from(*truth).to_string().into(),
        (FieldType::Number, Json::Bool(truth)) => u8::from(*truth).into(),
        (FieldType::Number, Json::String(text)) if text.trim().is_empty() => 0.into(),
        (FieldType::Number, Json::String(text)) => text.trim().into(),
        (FieldType::Bool, Json::Number(number)) => Json::Bool(number.as_f64() != Some(0.0)),
        (FieldType::Bool, Json::String(text)) => match text.as_str() {
            "1" | "t" | "T" | "TRUE" | "True" => Json::Bool(true),
            "" | "0" | "f" | "F" | "FALSE" | "False" => Json::Bool(false),
            _ => json.clone(),
        },
        _ => json.clone(),
    }
}
