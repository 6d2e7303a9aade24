//! The entries of an object, taken out one by one by name.

use super::{Text, shape};
use crate::syntax::json_read::{Content, Entry, Item};
use kiln_plan::code::template as code;
use kiln_plan::{Diagnostic, Diagnostics, Span, nearest};

/// What an item is, in words.
pub(super) fn kind(item: &Item) -> &'static str {
    match item.content {
        Content::Null => "null",
        Content::Bool(_) => "a boolean",
        Content::Number(_) => "a number",
        Content::Text(_) => "a string",
        Content::List(_) => "an array",
        Content::Object(_) => "an object",
    }
}

/// The text of a string.
pub(super) fn text_of(item: &Item) -> Option<Text> {
    match &item.content {
        Content::Text(text) => Some(Text { text: text.clone(), span: item.span }),
        _ => None,
    }
}

/// `did you mean …` if one of `names` is near.
pub(super) fn nearest_of(name: &str, names: &[&str]) -> Option<String> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    nearest(&name.to_lowercase(), names.iter()).map(|near| format!("did you mean `{near}`?"))
}

/// Entries that nobody took yet. Null is as if it were not there.
pub(super) struct Fields<'c> {
    entries: Vec<Entry>,
    /// What they are the fields of, for messages.
    context: &'c str,
}

impl<'c> Fields<'c> {
    pub(super) fn new(entries: Vec<Entry>, context: &'c str) -> Self {
        Self { entries, context }
    }

    /// What nobody took.
    pub(super) fn rest(self) -> Vec<Entry> {
        self.entries
    }

    pub(super) fn report(&self, diagnostic: Diagnostic, found: &mut Diagnostics) {
        found.push(diagnostic.within(self.context));
    }

    /// Takes an entry: the place of its name, and its value.
    pub(super) fn take(&mut self, name: &str, found: &mut Diagnostics) -> Option<(Span, Item)> {
        let at = self.entries.iter().position(|(known, ..)| known.eq_ignore_ascii_case(name))?;
        let (_, span, item) = self.entries.remove(at);
        // The reader of JSON has refused two of the same spelling.
        if let Some((again, place, _)) =
            self.entries.iter().find(|(known, ..)| known.eq_ignore_ascii_case(name))
        {
            let summary = format!("\"{again}\" occurs twice, spelled differently");
            found.push(Diagnostic::error(code::DUPLICATE, summary).at(*place));
            self.entries.retain(|(known, ..)| !known.eq_ignore_ascii_case(name));
        }
        (!matches!(item.content, Content::Null)).then_some((span, item))
    }

    /// Takes text; a number is text too if `weak`.
    fn text_as(&mut self, name: &str, weak: bool, found: &mut Diagnostics) -> Option<Text> {
        let (_, item) = self.take(name, found)?;
        let text = match &item.content {
            Content::Number(digits) if weak => Some(Text { text: digits.clone(), span: item.span }),
            _ => text_of(&item),
        };
        if text.is_none() {
            self.report(shape(&format!("`{name}`"), "a string", &item), found);
        }
        text
    }

    pub(super) fn text(&mut self, name: &str, found: &mut Diagnostics) -> Option<Text> {
        self.text_as(name, false, found)
    }

    pub(super) fn name(&mut self, name: &str, found: &mut Diagnostics) -> Option<Text> {
        self.text_as(name, true, found)
    }

    pub(super) fn list(&mut self, name: &str, found: &mut Diagnostics) -> Vec<Item> {
        let Some((_, item)) = self.take(name, found) else { return Vec::new() };
        if let Content::List(items) = item.content {
            return items;
        }
        self.report(shape(&format!("`{name}`"), "an array", &item), found);
        Vec::new()
    }

    pub(super) fn object(&mut self, name: &str, found: &mut Diagnostics) -> Vec<Entry> {
        let Some((_, item)) = self.take(name, found) else { return Vec::new() };
        if let Content::Object(entries) = item.content {
            return entries;
        }
        self.report(shape(&format!("`{name}`"), "an object", &item), found);
        Vec::new()
    }

    /// Takes an array of strings.
    pub(super) fn texts(&mut self, name: &str, found: &mut Diagnostics) -> Vec<Text> {
        let items = self.list(name, found);
        self.each_text(name, &items, found)
    }

    /// Takes an array of strings, or one string.
    pub(super) fn names(&mut self, name: &str, found: &mut Diagnostics) -> Vec<Text> {
        let one = self.entries.iter().any(|(known, _, item)| {
            known.eq_ignore_ascii_case(name) && matches!(item.content, Content::Text(_))
        });
        if one { self.text(name, found).into_iter().collect() } else { self.texts(name, found) }
    }

    fn each_text(&self, name: &str, items: &[Item], found: &mut Diagnostics) -> Vec<Text> {
        let mut texts = Vec::new();
        for item in items {
            match text_of(item) {
                Some(text) => texts.push(text),
                None => self.report(shape(&format!("each item of `{name}`"), "a string", item), found),
            }
        }
        texts
    }

    pub(super) fn flag(&mut self, name: &str, found: &mut Diagnostics) -> Option<bool> {
        let (_, item) = self.take(name, found)?;
        match item.content {
            Content::Bool(truth) => Some(truth),
            _ => {
                let wrong = shape(&format!("`{name}`"), "true or false", &item);
                self.report(wrong.help("write it without quotes; templates are not rendered here"), found);
                None
            }
        }
    }
}
