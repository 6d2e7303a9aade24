//! Builders, provisioners and post-processors, and what their names must agree in.

use super::super::document::{Builder, PostProcessor, Provisioner, Text, Wait};
use super::fields::{Fields, kind, text_of};
use super::{Reader, shape};
use crate::syntax::json_read::{Content, Item};
use kiln_plan::code::template as code;
use kiln_plan::{Diagnostic, Diagnostics, Span, nearest};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

impl Reader {
    /// The entries of an object with a `type`.
    fn typed<'c>(&mut self, what: &'c str, item: Item) -> Option<(Fields<'c>, Text)> {
        let Content::Object(entries) = item.content else {
            self.found.push(shape(&format!("each {what}"), "an object", &item));
            return None;
        };
        let mut fields = Fields::new(entries, what);
        let before = self.found.len();
        let ty = fields.name("type", &mut self.found);
        if ty.is_none() && self.found.len() == before {
            let summary = format!("this {what} has no `type`");
            let missing = Diagnostic::error(code::MISSING_OPTION, summary).at(start_of(item.span));
            fields.report(missing.help(format!("say which {what} it is: \"type\": \"…\"")), &mut self.found);
        }
        ty.map(|ty| (fields, ty))
    }

    pub(super) fn builder(&mut self, item: Item) {
        let Some((mut fields, ty)) = self.typed("builder", item) else { return };
        let name = fields.name("name", &mut self.found).unwrap_or_else(|| ty.clone());
        if self.document.builders.iter().any(|known| known.name.text == name.text) {
            self.found.push(
                Diagnostic::error(code::DUPLICATE, format!("there is a builder `{}` already", name.text))
                    .at(name.span)
                    .within("builder")
                    .help("give one of them another \"name\"; it is the type if it is not written"),
            );
            return;
        }
        self.document.builders.push(Builder { ty, name, options: Arc::new(fields.rest()) });
    }

    pub(super) fn provisioner(&mut self, what: &str, item: Item) -> Option<Provisioner> {
        let (mut fields, ty) = self.typed(what, item)?;
        let found = &mut self.found;
        let (only, except) = only_or_except(&mut fields, &ty, found);
        let overrides = fields.object("override", found);
        let overrides = overrides.into_iter().map(|(text, span, item)| (Text { text, span }, item)).collect();
        let pause_before = duration(&mut fields, "pause_before", found);
        let timeout = duration(&mut fields, "timeout", found);
        let max_retries = retries(&mut fields, found);
        let continue_on_error = fields.flag("continue_on_error", found);
        let options = Arc::new(fields.rest());
        Some(Provisioner {
            ty,
            only,
            except,
            overrides,
            pause_before,
            timeout,
            max_retries,
            continue_on_error,
            options,
        })
    }

    /// A string, an object, or an array of them.
    pub(super) fn sequence(&mut self, item: Item) {
        let items = match item.content {
            Content::List(items) => items,
            _ => vec![item],
        };
        let sequence = items.into_iter().filter_map(|item| self.post_processor(item)).collect();
        self.document.post_processors.push(sequence);
    }

    fn post_processor(&mut self, item: Item) -> Option<PostProcessor> {
        if let Some(ty) = text_of(&item) {
            let (only, except, options) = Default::default();
            return Some(PostProcessor { ty, name: None, only, except, keep_input_artifact: None, options });
        }
        if !matches!(item.content, Content::Object(_)) {
            let summary = format!("each post-processor must be a string or an object, not {}", kind(&item));
            let wrong = Diagnostic::error(code::WRONG_TYPE, summary).at(start_of(item.span));
            self.found.push(match item.content {
                Content::List(_) => wrong.help("a sequence cannot be in another sequence"),
                _ => wrong,
            });
            return None;
        }
        let (mut fields, ty) = self.typed("post-processor", item)?;
        let found = &mut self.found;
        let name = fields.name("name", found);
        let (only, except) = only_or_except(&mut fields, &ty, found);
        let keep_input_artifact = fields.flag("keep_input_artifact", found);
        Some(PostProcessor { ty, name, only, except, keep_input_artifact, options: Arc::new(fields.rest()) })
    }

    /// Names of builders that occur in `only`, `except` and `override` must be there.
    pub(super) fn check(&mut self) {
        // What is wrong with builders makes their names wrong too.
        if self.found.iter().any(Diagnostic::is_error) {
            return;
        }
        let document = &self.document;
        let names: BTreeSet<&String> = document.builders.iter().map(|builder| &builder.name.text).collect();
        let mut found = Diagnostics::new();
        let mut check = |what: &str, key: &str, name: &Text| {
            if names.contains(&name.text) {
                return;
            }
            let summary = format!("`{key}` names `{}`, but no builder has this name", name.text);
            let mut diagnostic = Diagnostic::error(code::UNKNOWN_SOURCE, summary).at(name.span).within(what);
            diagnostic.help = match nearest(&name.text, names.iter().copied()) {
                Some(near) => Some(format!("did you mean `{near}`?")),
                None if names.is_empty() => None,
                None => {
                    let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
                    Some(format!("the builders are {}", names.join(", ")))
                }
            };
            found.push(diagnostic);
        };
        for one in document.provisioners.iter().chain(&document.error_cleanup) {
            one.only.iter().for_each(|name| check("provisioner", "only", name));
            one.except.iter().for_each(|name| check("provisioner", "except", name));
            one.overrides.iter().for_each(|(name, _)| check("provisioner", "override", name));
        }
        for one in document.post_processors.iter().flatten() {
            one.only.iter().for_each(|name| check("post-processor", "only", name));
            one.except.iter().for_each(|name| check("post-processor", "except", name));
        }
        self.found.extend(found);
    }
}

/// The first byte of something that may have many lines.
fn start_of(span: Span) -> Span {
    Span { end: span.start.saturating_add(1), ..span }
}

fn only_or_except(fields: &mut Fields<'_>, ty: &Text, found: &mut Diagnostics) -> (Vec<Text>, Vec<Text>) {
    let only = fields.names("only", found);
    let except = fields.names("except", found);
    if !only.is_empty() && !except.is_empty() {
        let both = Diagnostic::error(code::ONLY_AND_EXCEPT, "`only` and `except` cannot be used together");
        fields.report(both.at(ty.span), found);
    }
    (only, except)
}

/// `30s`; a number is nanoseconds, as Go has it.
fn duration(fields: &mut Fields<'_>, name: &str, found: &mut Diagnostics) -> Option<Wait> {
    let (_, item) = fields.take(name, found)?;
    let (duration, written) = match &item.content {
        Content::Text(text) => (crate::duration::parse(text), format!("\"{text}\"")),
        Content::Number(digits) => {
            let nanoseconds: Option<u64> = digits.parse().ok();
            if nanoseconds.is_some_and(|n| n > 0) {
                let odd = Diagnostic::warning(code::BAD_DURATION, format!("`{name}` is in nanoseconds"));
                fields.report(odd.at(item.span).help("write a unit and quotes: \"30s\""), found);
            }
            (nanoseconds.map(Duration::from_nanos), digits.clone())
        }
        _ => (None, kind(&item).to_owned()),
    };
    let Some(length) = duration else {
        let wrong = Diagnostic::error(code::BAD_DURATION, format!("`{name}`: {written} is not a duration"));
        let help = if written.contains("{{") {
            "templates are not rendered here; write a duration such as \"30s\""
        } else {
            "a duration needs a unit: \"30s\", \"1m30s\", \"2h\""
        };
        fields.report(wrong.at(item.span).help(help), found);
        return None;
    };
    let text = text_of(&item).map_or_else(|| format!("{written}ns"), |text| text.text);
    Some(Wait { length, written: Text { text, span: item.span } })
}

fn retries(fields: &mut Fields<'_>, found: &mut Diagnostics) -> Option<Item> {
    let (_, item) = fields.take("max_retries", found)?;
    if matches!(item.content, Content::Text(_) | Content::Number(_)) {
        return Some(item);
    }
    fields.report(shape("`max_retries`", "a number", &item), found);
    None
}
