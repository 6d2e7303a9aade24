//! A legacy template as it is written, with the place of everything. Templates in its strings are
//! not rendered. The loader and `hcl2_upgrade` start from it.

use crate::syntax::json_read::{Content, Entry, Item};
use kiln_plan::Span;
use std::sync::Arc;
use std::time::Duration;

/// Text and its place, the quotes included.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    pub(crate) text: String,
    pub(crate) span: Span,
}

impl Text {
    /// As a value.
    pub(crate) fn item(&self) -> Item {
        Item { content: Content::Text(self.text.clone()), span: self.span }
    }
}

/// Options of a component as they are written: name, its place, value.
pub(crate) type Options = Arc<Vec<Entry>>;

/// A whole template.
#[derive(Debug, Clone, Default)]
pub(crate) struct Document {
    pub(crate) description: Option<Text>,
    pub(crate) min_packer_version: Option<Text>,
    /// In the order of the text.
    pub(crate) variables: Vec<Variable>,
    pub(crate) sensitive: Vec<Text>,
    pub(crate) builders: Vec<Builder>,
    pub(crate) provisioners: Vec<Provisioner>,
    pub(crate) error_cleanup: Option<Provisioner>,
    /// Sequences.
    pub(crate) post_processors: Vec<Vec<PostProcessor>>,
}

impl Document {
    /// Calls `each` with every text that is rendered.
    pub(super) fn visit_texts(&self, each: &mut dyn FnMut(&str)) {
        let defaults = self.variables.iter().filter_map(|variable| variable.default.as_ref());
        defaults.for_each(|default| each(&default.text));
        for builder in &self.builders {
            each(&builder.name.text);
            visit_entries(&builder.options, each);
        }
        for provisioner in self.provisioners.iter().chain(&self.error_cleanup) {
            let overrides = provisioner.overrides.iter().map(|(_, item)| item);
            overrides.chain(&provisioner.max_retries).for_each(|item| visit(item, each));
            visit_entries(&provisioner.options, each);
        }
        let post_processors = self.post_processors.iter().flatten();
        post_processors.for_each(|one| visit_entries(&one.options, each));
    }
}

fn visit_entries(entries: &[Entry], each: &mut dyn FnMut(&str)) {
    for (name, _, item) in entries {
        each(name);
        visit(item, each);
    }
}

fn visit(item: &Item, each: &mut dyn FnMut(&str)) {
    match &item.content {
        Content::Null | Content::Bool(_) | Content::Number(_) => {}
        Content::Text(text) => each(text),
        Content::List(items) => items.iter().for_each(|item| visit(item, each)),
        Content::Object(entries) => visit_entries(entries, each),
    }
}

/// A variable.
#[derive(Debug, Clone)]
pub(crate) struct Variable {
    pub(crate) name: Text,
    /// `None` if it must be given.
    pub(crate) default: Option<Text>,
}

/// A builder.
#[derive(Debug, Clone)]
pub(crate) struct Builder {
    pub(crate) ty: Text,
    /// As written, a template; the type if there is none.
    pub(crate) name: Text,
    pub(crate) options: Options,
}

/// A provisioner with the arguments that the language itself reads.
#[derive(Debug, Clone)]
pub(crate) struct Provisioner {
    pub(crate) ty: Text,
    /// Names of builders, as those are written.
    pub(crate) only: Vec<Text>,
    pub(crate) except: Vec<Text>,
    /// Options by the name of the builder that they are for, as that is written.
    pub(crate) overrides: Vec<(Text, Item)>,
    pub(crate) pause_before: Option<Wait>,
    pub(crate) timeout: Option<Wait>,
    /// A number, or a template that gives one.
    pub(crate) max_retries: Option<Item>,
    pub(crate) continue_on_error: Option<bool>,
    pub(crate) options: Options,
}

/// A duration, with the words that the upgrade keeps: a number is nanoseconds, `5000ns`.
#[derive(Debug, Clone)]
pub(crate) struct Wait {
    pub(crate) length: Duration,
    pub(crate) written: Text,
}

/// A post-processor with the arguments that the language itself reads.
#[derive(Debug, Clone)]
pub(crate) struct PostProcessor {
    pub(crate) ty: Text,
    pub(crate) name: Option<Text>,
    pub(crate) only: Vec<Text>,
    pub(crate) except: Vec<Text>,
    pub(crate) keep_input_artifact: Option<bool>,
    pub(crate) options: Options,
}
