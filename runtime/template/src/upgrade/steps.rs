//! The provisioners and post-processors of a legacy template.

use super::left_comment;
use super::options::{self, Fields};
use super::sources::Builds;
use super::text::{Place, Translator};
use super::write::Writer;
use crate::builds::steps::{POST_PROCESSOR, PROVISIONER};
use crate::environment::Catalogue;
use crate::legacy::{PostProcessor, Provisioner, Text};
use crate::syntax::json_read::{Content, Entry, Item};
use kiln_plan::{ComponentRef, Field, FieldType, Kind};

/// What all steps need.
pub(super) struct Steps<'s> {
    pub(super) builds: &'s Builds,
    pub(super) catalogue: &'s dyn Catalogue,
    pub(super) translator: &'s mut Translator,
    pub(super) writer: &'s mut Writer,
}

impl Steps<'_> {
    /// Writes a provisioner as a block of this kind.
    pub(super) fn provisioner(&mut self, block: &str, one: &Provisioner) {
        let mut fields = self.fields(Kind::Provisioner, &one.ty);
        let mut all = self.chosen(&one.only, &one.except);
        let mut argument = |name: &str, item: Option<Item>| all.extend(item.map(|item| entry(name, item)));
        argument("override", self.overrides(one, &fields));
        argument("pause_before", one.pause_before.as_ref().map(|wait| wait.written.item()));
        argument("timeout", one.timeout.as_ref().map(|wait| wait.written.item()));
        argument("max_retries", one.max_retries.clone());
        argument("continue_on_error", one.continue_on_error.map(|truth| flag(truth, &one.ty)));
        all.extend(one.options.iter().cloned());
        own(PROVISIONER, &mut fields);
        let inside = self.options(&all, &fields);
        self.translator.found_in(Kind::Provisioner, &one.ty.text);
        self.writer.gap();
        left_comment(&self.translator.take_left(), self.writer);
        self.block(block, &one.ty, &inside);
    }

    /// Writes post-processors: one alone, or several in a row.
    pub(super) fn sequence(&mut self, sequence: &[PostProcessor]) {
        let inside: Vec<Writer> = sequence.iter().map(|one| self.post_processor(one)).collect();
        self.writer.gap();
        left_comment(&self.translator.take_left(), self.writer);
        if sequence.len() != 1 {
            self.writer.open("post-processors", &[]);
        }
        for (one, inside) in sequence.iter().zip(&inside) {
            self.block("post-processor", &one.ty, inside);
        }
        if sequence.len() != 1 {
            self.writer.close();
        }
    }

    fn post_processor(&mut self, one: &PostProcessor) -> Writer {
        let mut fields = self.fields(Kind::PostProcessor, &one.ty);
        let mut all = self.chosen(&one.only, &one.except);
        all.extend(one.name.as_ref().map(|name| entry("name", name.item())));
        let keep = one.keep_input_artifact.map(|truth| flag(truth, &one.ty));
        all.extend(keep.map(|keep| entry("keep_input_artifact", keep)));
        all.extend(one.options.iter().cloned());
        own(POST_PROCESSOR, &mut fields);
        let inside = self.options(&all, &fields);
        self.translator.found_in(Kind::PostProcessor, &one.ty.text);
        inside
    }

    fn block(&mut self, kind: &str, ty: &Text, inside: &Writer) {
        self.writer.open(kind, &[&ty.text]);
        self.writer.out.push_str(&inside.out);
        self.writer.close();
    }

    /// The options that are known of a component.
    fn fields(&self, kind: Kind, ty: &Text) -> Fields {
        let schema = self.catalogue.schema(&ComponentRef::new(kind, &*ty.text));
        schema.map(|schema| schema.fields.clone()).unwrap_or_default()
    }

    fn options(&mut self, all: &[Entry], fields: &Fields) -> Writer {
        let mut writer = Writer::default();
        options::write(all, Some(fields), Place::Step, self.translator, &mut writer);
        writer
    }

    /// `only` and `except`, in which builds are named otherwise now.
    fn chosen(&self, only: &[Text], except: &[Text]) -> Vec<Entry> {
        let lists = [("only", only), ("except", except)].into_iter().filter_map(|(name, builds)| {
            let span = builds.first()?.span;
            let items = builds.iter().map(|build| self.renamed(build)).collect();
            Some(entry(name, Item { content: Content::List(items), span }))
        });
        lists.collect()
    }

    fn renamed(&self, build: &Text) -> Item {
        let text = self.builds.source(&build.text).unwrap_or_else(|| build.text.clone());
        Text { text, span: build.span }.item()
    }

    /// `override`, whose builds are named otherwise now too.
    fn overrides(&mut self, one: &Provisioner, fields: &Fields) -> Option<Item> {
        let span = one.overrides.first()?.0.span;
        let mut entries = Vec::new();
        for (build, item) in &one.overrides {
            let label = self.builds.label(&build.text).unwrap_or(&build.text);
            let content = match &item.content {
                Content::Object(options) => {
                    Content::Object(options::fitted_entries(options, fields, &mut self.translator.found))
                }
                other => other.clone(),
            };
            entries.push((label.to_owned(), build.span, Item { content, span: item.span }));
        }
        Some(Item { content: Content::Object(entries), span })
    }
}

/// What the language itself reads are arguments, whatever they look like.
fn own(names: &[&str], fields: &mut Fields) {
    fields.extend(names.iter().map(|name| ((*name).to_owned(), Field::of(FieldType::Any))));
}

fn entry(name: &str, item: Item) -> Entry {
    (name.to_owned(), item.span, item)
}

/// Its place is not known; that of its step is near.
fn flag(truth: bool, step: &Text) -> Item {
    Item { content: Content::Bool(truth), span: step.span }
}
