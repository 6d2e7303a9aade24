//! The options of a step: JSON with templates into values, by the component's schema.

use super::document::Options as Entries;
use super::render::{Renderer, budget};
use super::scope::{Place, Run, Seen};
use crate::decode::{conform, deprecated};
use crate::syntax::json_read::{Content, Entry, Item};
use kiln_plan::code::template as code;
use kiln_plan::go_template::{Limits, is_template};
use kiln_plan::{
    BuildValues, ComponentRef, Configuration, Data, Diagnostic, Diagnostics, Evaluate, Field, FieldType,
    Kind, Number, Schema, SourceMap, Span, Value, pointer_push,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Everything that a step's options are made of.
#[derive(Debug)]
pub(super) struct StepOptions {
    pub(super) run: Arc<Run>,
    pub(super) sources: Arc<SourceMap>,
    pub(super) entries: Entries,
    /// What `override` has for this builder.
    pub(super) overrides: Option<Item>,
    pub(super) schema: Arc<Schema>,
    pub(super) component: ComponentRef,
    pub(super) build_name: String,
    pub(super) build_type: String,
    pub(super) context: String,
    pub(super) block: Span,
}

impl StepOptions {
    /// The options with the values of the build given; without them they are unknown.
    pub(super) fn decode(
        &self,
        values: Option<&BuildValues>,
        limits: &mut Limits,
    ) -> (Configuration, Diagnostics) {
        let place = if self.component.kind == Kind::Builder { Place::Builder } else { Place::Step };
        let scope = self.run.scope(place).of_build(&self.build_name, &self.build_type, values);
        let renderer = Renderer { scope: &scope, limits, sources: &self.sources };
        let mut decoder =
            Decoder { renderer, context: &self.context, spans: BTreeMap::new(), found: Vec::new() };
        let level = Level::of_schema(&self.schema);
        let mut map = decoder.entries(&self.entries, level, false, "");
        if let Some(overrides) = &self.overrides {
            decoder.merge(overrides, level, &mut map);
        }
        // Packer's own marks, and what says which component this is.
        map.retain(|name, _| name != "type" && !name.starts_with("packer_"));
        let Decoder { spans, mut found, .. } = decoder;
        let (context, block) = (self.context.clone(), Some(self.block));
        let configuration = Configuration { value: Data::Null.into(), spans, block, context };
        let repair = |option: &str| crate::fix::repair(&self.component, option);
        let (configuration, misfits) = conform(&self.schema, Schema::conform, &repair, map, configuration);
        found.extend(misfits);
        (configuration, found)
    }
}

impl Evaluate for StepOptions {
    fn evaluate(&self, values: &BuildValues) -> Result<Configuration, Diagnostics> {
        let (configuration, found) = self.decode(Some(values), &mut budget());
        if found.iter().any(Diagnostic::is_error) { Err(found) } else { Ok(configuration) }
    }
}

/// What the schema says of the values below.
#[derive(Clone, Copy)]
enum Level<'l> {
    Named(&'l BTreeMap<String, Field>),
    Each(&'l Field),
    Open,
}

impl<'l> Level<'l> {
    fn of_schema(schema: &'l Schema) -> Self {
        if schema.open && schema.fields.is_empty() { Self::Open } else { Self::Named(&schema.fields) }
    }

    fn below(field: Option<&'l Field>) -> Self {
        match field.map(|field| &field.ty) {
            Some(FieldType::Object(fields)) => Self::Named(fields),
            // One object where a list of them is wanted is a list of one.
            Some(FieldType::List(item)) => match &item.ty {
                FieldType::Object(_) | FieldType::Map(_) => Self::below(Some(item)),
                _ => Self::Each(item),
            },
            Some(FieldType::Map(item)) => Self::Each(item),
            _ => Self::Open,
        }
    }

    /// The option that a key means.
    fn field(self, name: &str) -> Option<(&'l str, &'l Field)> {
        match self {
            Self::Named(fields) => known(fields, name),
            Self::Each(_) | Self::Open => None,
        }
    }
}

/// The option that a name means: exactly, or but for case.
pub(crate) fn known<'f>(fields: &'f BTreeMap<String, Field>, name: &str) -> Option<(&'f str, &'f Field)> {
    fields
        .get_key_value(name)
        .or_else(|| fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)))
        .map(|(known, field)| (known.as_str(), field))
}

struct Decoder<'d, 'r, 's> {
    renderer: Renderer<'r, 's>,
    context: &'d str,
    spans: BTreeMap<String, Span>,
    found: Diagnostics,
}

impl Decoder<'_, '_, '_> {
    fn report(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic.within(self.context));
    }

    fn entries(
        &mut self,
        entries: &[Entry],
        level: Level<'_>,
        late: bool,
        pointer: &str,
    ) -> BTreeMap<String, Value> {
        let mut map = BTreeMap::new();
        for (key, span, item) in entries {
            let key = self.key(key, *span);
            let (name, field) = match level {
                Level::Each(field) => (key, Some(field)),
                _ => match level.field(&key) {
                    Some((known, field)) => (known.to_owned(), Some(field)),
                    None => (key, None),
                },
            };
            if let Some(instead) = field.and_then(|field| field.deprecated.as_deref()) {
                self.report(deprecated(&name, *span, instead));
            }
            let here = pointer_push(pointer, &name);
            let value = self.value(item, field, late, &here);
            if field.is_none() && matches!(level, Level::Named(_)) {
                // The name is what is wrong, not the value.
                self.spans.insert(here, *span);
            }
            if map.insert(name, value).is_some() {
                let twice = Diagnostic::error(code::DUPLICATE, "this option is set twice");
                self.report(twice.at(*span));
            }
        }
        map
    }

    /// Names in maps are templates too.
    fn key(&mut self, key: &str, span: Span) -> String {
        if !is_template(key) {
            return key.to_owned();
        }
        let rendered = self.renderer.text(key, span);
        let value = self.settled(rendered, span);
        value.as_text().unwrap_or(key).to_owned()
    }

    /// `late` says that the component renders the texts in it itself.
    fn value(&mut self, item: &Item, field: Option<&Field>, late: bool, pointer: &str) -> Value {
        let late = late || field.is_some_and(|field| field.late);
        self.spans.insert(pointer.to_owned(), item.span);
        match &item.content {
            Content::Null => Data::Null.into(),
            Content::Bool(truth) => Data::Bool(*truth).into(),
            Content::Number(digits) => self.number(digits, item.span),
            Content::Text(text) => self.text(text, item.span, late || field.is_some_and(has_late_items)),
            Content::List(items) => {
                let inner = match field.map(|field| &field.ty) {
                    Some(FieldType::List(item)) => Some(&**item),
                    _ => field,
                };
                let items = items.iter().enumerate();
                let items = items.map(|(at, item)| self.value(item, inner, late, &format!("{pointer}/{at}")));
                Data::List(items.collect()).into()
            }
            Content::Object(entries) => {
                Data::Map(self.entries(entries, Level::below(field), late, pointer)).into()
            }
        }
    }

    fn text(&mut self, text: &str, span: Span, late: bool) -> Value {
        let rendered = if late { self.renderer.late(text, span) } else { self.renderer.text(text, span) };
        let mut value = self.settled(rendered, span);
        if let (Data::Text(text), false) = (&mut value.data, late) {
            // The host renders once more; what came out here is text for it.
            *text = text.replace("{{", "{{`{{`}}");
        }
        value
    }

    /// The value that came out; unknown if nothing did, so that it does not count as missing too.
    fn settled(&mut self, rendered: Result<(Value, Seen), Box<Diagnostic>>, span: Span) -> Value {
        match rendered {
            Ok((value, seen)) => {
                let warnings = self.renderer.scope.warnings(seen, span);
                warnings.into_iter().for_each(|warning| self.report(warning));
                value
            }
            Err(diagnostic) => {
                self.report(*diagnostic);
                Data::Unknown.into()
            }
        }
    }

    /// Numbers are floats here, and become text without an exponent.
    fn number(&mut self, digits: &str, span: Span) -> Value {
        if digits.parse::<i64>().is_ok_and(|n| n.unsigned_abs() <= 1 << 53) {
            return Data::Number(Number(digits.to_owned())).into();
        }
        match digits.parse::<f64>() {
            Ok(number) if number.is_finite() => Data::Number(Number(number.to_string())).into(),
            _ => {
                let wrong = Diagnostic::error(code::WRONG_TYPE, format!("{digits} is not a number"));
                self.report(wrong.at(span));
                Data::Unknown.into()
            }
        }
    }

    /// Replaces options by those of an `override`.
    fn merge(&mut self, item: &Item, level: Level<'_>, map: &mut BTreeMap<String, Value>) {
        let Content::Object(entries) = &item.content else {
            let wrong =
                Diagnostic::error(code::WRONG_TYPE, "what `override` has for a builder must be an object");
            return self.report(wrong.at(item.span));
        };
        let names: Vec<&str> = entries
            .iter()
            .map(|(name, ..)| level.field(name).map_or(name.as_str(), |(known, _)| known))
            .collect();
        self.spans.retain(|pointer, _| {
            let top = pointer.trim_start_matches('/').split('/').next().unwrap_or("");
            !names.contains(&top)
        });
        for (name, value) in self.entries(entries, level, false, "") {
            match (map.get_mut(&name).map(|old| &mut old.data), value.data) {
                // Null says nothing, so what is there stays.
                (_, Data::Null) => {}
                (Some(Data::Map(old)), Data::Map(new)) => old.extend(new),
                (_, data) => drop(map.insert(name, Value { data, marks: value.marks })),
            }
        }
    }
}

/// Whether a text that stands for a list of one is rendered by the component.
fn has_late_items(field: &Field) -> bool {
    matches!(&field.ty, FieldType::List(item) if item.late)
}
