//! Provisioners and post-processors with the arguments that the language itself reads.

use super::Planner;
use crate::decode::{Made, option};
use crate::eval::{Roots, error};
use crate::expected;
use crate::late::Options;
use crate::syntax::Block;
use crate::unknown;
use crate::value::types::Type;
use crate::value::{V, Val};
use kiln_plan::code::template as code;
use kiln_plan::{ComponentRef, Diagnostic, Kind, PostProcessor, Provisioner, Schema, Span};
use std::sync::Arc;
use std::time::Duration;

/// Arguments of every provisioner.
pub(crate) const PROVISIONER: &[&str] =
    &["name", "only", "except", "override", "pause_before", "timeout", "max_retries", "continue_on_error"];
/// Arguments of every post-processor.
pub(crate) const POST_PROCESSOR: &[&str] = &["name", "only", "except", "keep_input_artifact"];

/// Where a step stands: what names mean, and its source.
pub(super) struct Place<'p> {
    pub(super) roots: Roots,
    /// `TYPE.LOCALNAME`.
    pub(super) short: &'p str,
    pub(super) local_name: &'p str,
    /// The name of the build block; empty if it has none.
    pub(super) build_name: &'p str,
}

impl Planner<'_> {
    /// The step of a provisioner; `None` if this source does not run it or it is wrong.
    pub(super) fn provisioner(&mut self, block: &Block, place: Place<'_>) -> Option<Provisioner> {
        if !self.selected(block, &place) {
            return None;
        }
        let label = self.text(block, "name", &place);
        let pause_before = self.duration(block, "pause_before", &place);
        let timeout = self.duration(block, "timeout", &place);
        let max_retries = self.count(block, "max_retries", &place);
        let continue_on_error = self.flag(block, "continue_on_error", &place).unwrap_or(false);
        let overrides =
            block.body.attribute("override").map(|a| (a.value.clone(), place.local_name.to_owned()));
        let component = ComponentRef::new(Kind::Provisioner, block.label(0));
        let schema = self.schema(&component, block)?;
        let options = self.options(block, PROVISIONER, place, schema, overrides);
        let step = self.step(component, label, options);
        Some(Provisioner { step, pause_before, timeout, max_retries, continue_on_error })
    }

    /// A sequence of post-processors up to the first that `-except` names.
    pub(super) fn sequence(&mut self, sequence: &[Made], place: &Place<'_>) -> Vec<PostProcessor> {
        let mut steps = Vec::new();
        for made in sequence {
            let block = &made.block;
            if block.kind != "post-processor" || block.labels.len() != 1 {
                let found = expected::block(block, &["post-processor"]).within("post-processors");
                self.diagnostics.push(found);
                continue;
            }
            let mut roots = place.roots.clone();
            for name in made.roots.names() {
                if let (None, Some(value)) = (roots.get(name), made.roots.get(name)) {
                    roots.set(name, value.clone());
                }
            }
            let here = Place { roots, ..*place };
            let label = self.text(block, "name", &here);
            if self.except.matches(label.as_deref().unwrap_or(block.label(0))) {
                break;
            }
            if !self.selected(block, &here) {
                continue;
            }
            let keep_input_artifact = self.flag(block, "keep_input_artifact", &here);
            let component = ComponentRef::new(Kind::PostProcessor, block.label(0));
            let Some(schema) = self.schema(&component, block) else { continue };
            let options = self.options(block, POST_PROCESSOR, here, schema, None);
            let step = self.step(component, label, options);
            steps.push(PostProcessor { step, keep_input_artifact });
        }
        steps
    }

    fn schema(&mut self, component: &ComponentRef, block: &Block) -> Option<Arc<Schema>> {
        let schema = self.catalogue.schema(component);
        if schema.is_none() {
            let plugins = &self.evaluated.declared.plugins;
            self.diagnostics.push(unknown::in_block(component, block, self.catalogue, plugins));
        }
        schema
    }

    fn options(
        &self,
        block: &Block,
        skip: &'static [&'static str],
        place: Place<'_>,
        schema: Arc<Schema>,
        overrides: Option<(Arc<crate::syntax::Expr>, String)>,
    ) -> Options {
        Options {
            world: Arc::clone(&self.evaluated.world),
            roots: place.roots,
            bodies: vec![(block.body.clone(), skip)],
            schema,
            overrides,
            build_name: Some(place.build_name.to_owned()),
            context: block.context(),
            block: block.header,
        }
    }

    /// Whether `only` and `except` of the block take this source.
    fn selected(&mut self, block: &Block, place: &Place<'_>) -> bool {
        let only = self.names(block, "only", place);
        let except = self.names(block, "except", place);
        if only.is_some() && except.is_some() {
            self.diagnostics.push(
                Diagnostic::error(code::ONLY_AND_EXCEPT, "`only` and `except` cannot be used together")
                    .at(block.header)
                    .within(block.context()),
            );
            return false;
        }
        let has = |names: &Option<Vec<String>>| names.as_ref().map(|n| n.iter().any(|n| n == place.short));
        has(&only) != Some(false) && has(&except) != Some(true)
    }

    fn names(&mut self, block: &Block, name: &str, place: &Place<'_>) -> Option<Vec<String>> {
        let (value, _) = self.meta(block, name, &Type::list(Type::Text), place)?;
        let names: Vec<String> =
            value.items()?.iter().filter_map(|v| v.as_text().map(str::to_owned)).collect();
        // An empty list is the same as none.
        Some(names).filter(|names| !names.is_empty())
    }

    fn meta(&mut self, block: &Block, name: &str, ty: &Type, place: &Place<'_>) -> Option<(Val, Span)> {
        match option(&block.body, name, ty, &place.roots, &self.evaluated.world) {
            Ok(found) => found,
            Err(diagnostic) => {
                self.diagnostics.push(diagnostic.within(block.context()));
                None
            }
        }
    }

    fn text(&mut self, block: &Block, name: &str, place: &Place<'_>) -> Option<String> {
        self.meta(block, name, &Type::Text, place).and_then(|(value, _)| value.as_text().map(str::to_owned))
    }

    fn flag(&mut self, block: &Block, name: &str, place: &Place<'_>) -> Option<bool> {
        match self.meta(block, name, &Type::Bool, place)?.0.v {
            V::Bool(truth) => Some(truth),
            _ => None,
        }
    }

    fn count(&mut self, block: &Block, name: &str, place: &Place<'_>) -> u32 {
        let Some((value, span)) = self.meta(block, name, &Type::Number, place) else { return 0 };
        let count = match &value.v {
            V::Number(n) => n.to_i64().and_then(|n| u32::try_from(n).ok()),
            _ => None,
        };
        count.unwrap_or_else(|| {
            let diagnostic = error(code::WRONG_TYPE, format!("`{name}` must be a whole number from 0"), span);
            self.diagnostics.push(diagnostic.within(block.context()));
            0
        })
    }

    fn duration(&mut self, block: &Block, name: &str, place: &Place<'_>) -> Duration {
        let Some((value, span)) = self.meta(block, name, &Type::Text, place) else { return Duration::ZERO };
        let text = value.as_text().unwrap_or_default();
        crate::duration::parse(text).unwrap_or_else(|| {
            let diagnostic =
                error(code::BAD_DURATION, format!("`{name}`: \"{text}\" is not a duration"), span);
            self.diagnostics.push(
                diagnostic
                    .within(block.context())
                    .help("a duration needs a unit: \"30s\", \"1m30s\", \"2h\""),
            );
            Duration::ZERO
        })
    }
}
