//! The page of a component.

use kiln_host::Description;
use kiln_plan::{Field, FieldType, Schema};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The page: summary, grants, options.
pub(super) fn page(description: &Description, schema: &Schema) -> String {
    let mut text = format!("# {} `{}`\n\n{}\n", description.kind, description.name, description.summary);
    text.push_str("\n## Grants\n\n");
    if description.wanted_grants.is_empty() {
        text.push_str("None: it touches only what the template names.\n");
    }
    for grant in &description.wanted_grants {
        let _ = writeln!(text, "- `{}` {}: {}", grant.name, grant.targets.join(", "), grant.reason);
    }
    if !schema.groups.is_empty() {
        let groups: Vec<String> = schema.groups.iter().map(|group| format!("`{group}`")).collect();
        let _ = writeln!(
            text,
            "\nOption groups of the host, listed with its own options: {}.",
            groups.join(", ")
        );
    }
    text.push_str("\n## Options\n\n");
    if schema.fields.is_empty() {
        text.push_str("None.\n");
    } else {
        table(&mut text, &schema.fields, "");
    }
    if let Ok(output) = Schema::parse(&description.output_schema)
        && !output.fields.is_empty()
    {
        text.push_str("\n## Values\n\n");
        table(&mut text, &output.fields, "");
    }
    text
}

fn table(text: &mut String, fields: &BTreeMap<String, Field>, prefix: &str) {
    if prefix.is_empty() {
        text.push_str("| option | type | default | what it is |\n| --- | --- | --- | --- |\n");
    }
    for (name, field) in fields {
        let path = format!("{prefix}{name}");
        let _ =
            writeln!(text, "| `{path}` | {} | {} | {} |", type_words(field), default(field), meaning(field));
        if let Some(inner) = inner(&field.ty) {
            table(text, inner, &format!("{path}."));
        }
    }
}

fn inner(ty: &FieldType) -> Option<&BTreeMap<String, Field>> {
    match ty {
        FieldType::Object(fields) => Some(fields),
        FieldType::List(item) | FieldType::Map(item) => inner(&item.ty),
        _ => None,
    }
}

fn type_words(field: &Field) -> String {
    let words = match &field.ty {
        FieldType::Bool => "bool".to_owned(),
        FieldType::Number => "number".to_owned(),
        FieldType::Text => "string".to_owned(),
        FieldType::List(item) => format!("list of {}", type_words(item)),
        FieldType::Map(item) => format!("map of {}", type_words(item)),
        FieldType::Object(_) => "object".to_owned(),
        FieldType::Any => "any".to_owned(),
    };
    if field.block { format!("block, {words}") } else { words }
}

fn default(field: &Field) -> String {
    match &field.default {
        Some(default) => format!("`{}`", cell(&default.to_string())),
        None if field.required => "required".to_owned(),
        None => String::new(),
    }
}

fn meaning(field: &Field) -> String {
    let mut text = cell(&field.description);
    if !text.is_empty() && !text.ends_with('.') {
        text.push('.');
    }
    if !field.choices.is_empty() {
        let choices: Vec<String> = field.choices.iter().map(|choice| format!("`{}`", cell(choice))).collect();
        let _ = write!(text, " One of {}.", choices.join(", "));
    }
    if let Some(direction) = &field.designates {
        let _ = write!(text, " Designates: {}.", spaced(&format!("{:?}", direction.designation)));
    }
    if field.sensitive {
        text.push_str(" Secret.");
    }
    if let Some(deprecated) = &field.deprecated {
        let _ = write!(text, " Deprecated: {}", cell(deprecated));
    }
    text.trim().to_owned()
}

/// `FileOrDirectory` as `file or directory`.
fn spaced(name: &str) -> String {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

/// Text that fits a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}
