//! The provisioners and post-processors of a legacy template.

use super::input::Part;
use super::left_comment;
use super::options;
use super::sources::Builds;
use super::text::{Place, Translator};
use super::write::Writer;
use crate::builds::steps::{POST_PROCESSOR, PROVISIONER};
use crate::environment::Catalogue;
use kiln_plan::{ComponentRef, Field, FieldType, Kind};
use serde_json::{Map, Value as Json};

/// What all steps need.
pub(super) struct Steps<'s> {
    pub(super) builds: &'s Builds,
    pub(super) catalogue: &'s dyn Catalogue,
    pub(super) translator: &'s mut Translator,
    pub(super) writer: &'s mut Writer,
}

impl Steps<'_> {
    /// Writes a provisioner as a block of this kind.
    pub(super) fn provisioner(&mut self, block: &str, part: &Part) {
        let mut inside = Writer::default();
        self.options(Kind::Provisioner, part, &mut inside);
        self.writer.gap();
        left_comment(&self.translator.take_left(), self.writer);
        self.block(block, &part.ty, &inside);
    }

    /// Writes post-processors: one alone, or several in a row.
    pub(super) fn sequence(&mut self, sequence: &[Part]) {
        let mut inside = Vec::new();
        for part in sequence {
            let mut writer = Writer::default();
            self.options(Kind::PostProcessor, part, &mut writer);
            inside.push(writer);
        }
        self.writer.gap();
        left_comment(&self.translator.take_left(), self.writer);
        if sequence.len() != 1 {
            self.writer.open("post-processors", &[]);
        }
        for (part, inside) in sequence.iter().zip(&inside) {
            self.block("post-processor", &part.ty, inside);
        }
        if sequence.len() != 1 {
            self.writer.close();
        }
    }

    fn block(&mut self, kind: &str, ty: &str, inside: &Writer) {
        self.writer.open(kind, &[ty]);
        self.writer.out.push_str(&inside.out);
        self.writer.close();
    }

    fn options(&mut self, kind: Kind, part: &Part, writer: &mut Writer) {
        let mut all = part.options.clone();
        self.rename(kind, &mut all);
        let schema = self.catalogue.schema(&ComponentRef::new(kind, &*part.ty));
        let mut fields = schema.map(|schema| schema.fields.clone()).unwrap_or_default();
        // What the language itself reads are arguments, whatever they look like.
        let own = if kind == Kind::Provisioner { PROVISIONER } else { POST_PROCESSOR };
        fields.extend(own.iter().map(|name| ((*name).to_owned(), Field::of(FieldType::Any))));
        options::write(&all, Some(&fields), Place::Step, self.translator, writer);
    }

    /// Builds are named otherwise now.
    fn rename(&self, kind: Kind, all: &mut Map<String, Json>) {
        for option in ["only", "except"] {
            if let Some(Json::Array(names)) = all.get_mut(option) {
                for name in names {
                    if let Some(source) = name.as_str().and_then(|name| self.builds.source(name)) {
                        *name = source.into();
                    }
                }
            }
        }
        if kind == Kind::Provisioner
            && let Some(Json::Object(overrides)) = all.get_mut("override")
        {
            let renamed = std::mem::take(overrides).into_iter().map(|(name, options)| {
                (self.builds.label(&name).map_or(name.clone(), str::to_owned), options)
            });
            *overrides = renamed.collect();
        }
    }
}
