//! The options of a component as arguments and blocks.

use super::text::{Place, Translator};
use super::write::{Writer, is_identifier, quoted, value};
use crate::legacy::known;
use crate::syntax::json_read::{Content, Entry, Item};
use kiln_plan::code::template as code;
use kiln_plan::{Diagnostic, Diagnostics, Field, FieldType};
use std::collections::BTreeMap;

/// The options that are known, by name.
pub(super) type Fields = BTreeMap<String, Field>;

/// Writes options by name. A component's schema says which are blocks; of an option that it does
/// not know the shape decides.
pub(super) fn write(
    options: &[Entry],
    fields: Option<&Fields>,
    place: Place,
    translator: &mut Translator,
    writer: &mut Writer,
) {
    for (name, field, item) in named(options, fields, &mut translator.found) {
        match blocks(item, field).filter(|_| is_identifier(name)) {
            Some(bodies) => {
                for body in bodies {
                    writer.open(name, &[]);
                    write(body, field.and_then(inside), place, translator, writer);
                    writer.close();
                }
            }
            None => {
                let item = field
                    .map_or_else(|| item.clone(), |field| fitted(item, &field.ty, &mut translator.found));
                let name =
                    if is_identifier(name) { name.to_owned() } else { format!("\"{}\"", quoted(name)) };
                writer.attribute(&name, &value(&item, place, translator));
            }
        }
    }
}

/// An option under its name, with what is known of it.
type Named<'o> = (&'o str, Option<&'o Field>, &'o Item);

/// The options by name. Packer reads a name in any case, HCL only as the schema has it.
fn named<'o>(options: &'o [Entry], fields: Option<&'o Fields>, found: &mut Diagnostics) -> Vec<Named<'o>> {
    let named = options.iter().map(|(name, span, item)| match fields.and_then(|all| known(all, name)) {
        Some((name, field)) => (*span, (name, Some(field), item)),
        None => (*span, (name.as_str(), None, item)),
    });
    let mut named: Vec<_> = named.collect();
    named.sort_by_key(|(_, (name, ..))| *name);
    let twice = named.windows(2).filter_map(|pair| match pair {
        [(_, (first, ..)), (span, (second, ..))] if first == second => Some(*span),
        _ => None,
    });
    let wrong = |span| Diagnostic::error(code::DUPLICATE, "this option is set twice").at(span);
    found.extend(twice.map(wrong));
    named.into_iter().map(|(_, one)| one).collect()
}

/// The bodies, if this is written as blocks.
fn blocks<'i>(item: &'i Item, field: Option<&Field>) -> Option<Vec<&'i [Entry]>> {
    if field.is_some_and(|field| !field.block) {
        return None;
    }
    match &item.content {
        Content::Object(entries) if field.is_some() || entries.iter().any(|(.., item)| is_nested(item)) => {
            Some(vec![entries])
        }
        Content::List(items) if !items.is_empty() => items.iter().map(entries).collect(),
        _ => None,
    }
}

fn is_nested(item: &Item) -> bool {
    matches!(item.content, Content::Object(_) | Content::List(_))
}

/// The entries of an object.
pub(super) fn entries(item: &Item) -> Option<&[Entry]> {
    match &item.content {
        Content::Object(entries) => Some(entries),
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
fn fitted(item: &Item, ty: &FieldType, found: &mut Diagnostics) -> Item {
    let content = match (ty, &item.content) {
        (FieldType::List(of), Content::List(items)) => {
            Content::List(items.iter().map(|item| fitted(item, &of.ty, found)).collect())
        }
        (FieldType::List(_), Content::Null) => Content::Null,
        (FieldType::List(of), _) => Content::List(vec![fitted(item, &of.ty, found)]),
        (FieldType::Map(_) | FieldType::Object(_), Content::List(maps)) => match merged(maps) {
            Some(entries) => {
                let one = Item { content: Content::Object(entries), span: item.span };
                return fitted(&one, ty, found);
            }
            None => item.content.clone(),
        },
        (FieldType::Object(fields), Content::Object(entries)) => {
            Content::Object(fitted_entries(entries, fields, found))
        }
        (FieldType::Text, Content::Bool(truth)) => Content::Text(u8::from(*truth).to_string()),
        (FieldType::Number, Content::Bool(truth)) => Content::Number(u8::from(*truth).to_string()),
        (FieldType::Number, Content::Text(text)) => match text.trim() {
            "" => Content::Number("0".to_owned()),
            text => Content::Text(text.to_owned()),
        },
        (FieldType::Bool, Content::Number(digits)) => Content::Bool(digits.parse() != Ok(0.0)),
        (FieldType::Bool, Content::Text(text)) => match text.as_str() {
            "1" | "t" | "T" | "TRUE" | "True" => Content::Bool(true),
            "" | "0" | "f" | "F" | "FALSE" | "False" => Content::Bool(false),
            _ => item.content.clone(),
        },
        _ => item.content.clone(),
    };
    Item { content, span: item.span }
}

/// The entries of a value that HCL reads as `fields`, under their names.
pub(super) fn fitted_entries(entries: &[Entry], fields: &Fields, found: &mut Diagnostics) -> Vec<Entry> {
    let fit = |(name, field, item): Named<'_>, found: &mut Diagnostics| {
        let fit = field.map_or_else(|| item.clone(), |field| fitted(item, &field.ty, found));
        (name.to_owned(), item.span, fit)
    };
    named(entries, Some(fields), found).into_iter().map(|one| fit(one, found)).collect()
}

/// Maps as one, of which the last that has a name counts.
fn merged(maps: &[Item]) -> Option<Vec<Entry>> {
    let maps: Vec<&[Entry]> = maps.iter().map(entries).collect::<Option<_>>()?;
    let all = maps.into_iter().flatten();
    let one: BTreeMap<&String, &Entry> = all.map(|entry| (&entry.0, entry)).collect();
    Some(one.into_values().cloned().collect())
}
