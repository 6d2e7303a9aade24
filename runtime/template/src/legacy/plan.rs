//! Builders into a [`Plan`]: which of them, in which order, with which steps.

use super::Evaluated;
use super::document::{Builder, PostProcessor, Provisioner as Written, Text, Wait};
use super::options::StepOptions;
use super::render::{Renderer, budget};
use super::scope::Place;
use crate::Filters;
use crate::environment::Catalogue;
use crate::evaluated::dedupe;
use crate::syntax::json_read::Content;
use crate::unknown;
use kiln_plan::code::template as code;
use kiln_plan::go_template::Limits;
use kiln_plan::{
    Build, ComponentRef, Diagnostic, Diagnostics, Kind, Plan, PostProcessor as Processor, Provisioner,
    Schema, Span, Step, nearest,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

impl Evaluated {
    /// The builds to run, by name. Valid builds are in the plan although others have errors; if
    /// variables have errors there are none.
    pub(crate) fn plan(&self, filters: &Filters, catalogue: &dyn Catalogue) -> (Plan, Diagnostics) {
        let mut planner = Planner {
            template: self,
            filters,
            catalogue,
            limits: budget(),
            used: BTreeSet::new(),
            names: Vec::new(),
            found: Vec::new(),
            builds: Vec::new(),
        };
        planner.run();
        let Planner { mut found, builds, .. } = planner;
        dedupe(&mut found);
        let builds = if self.failed { Vec::new() } else { builds };
        let sensitive = self.run.variables.secrets();
        (Plan { builds, sources: Arc::clone(&self.sources), sensitive }, found)
    }
}

struct Planner<'p> {
    template: &'p Evaluated,
    filters: &'p Filters,
    catalogue: &'p dyn Catalogue,
    /// Of all builds together.
    limits: Limits,
    /// Filters that matched something.
    used: BTreeSet<String>,
    /// Of all builds, before filters.
    names: Vec<String>,
    found: Diagnostics,
    builds: Vec<Build>,
}

/// A builder under its rendered name.
struct Named<'b> {
    builder: &'b Builder,
    name: String,
}

impl Planner<'_> {
    fn run(&mut self) {
        let document = Arc::clone(&self.template.document);
        let mut named: Vec<Named<'_>> = Vec::new();
        for builder in &document.builders {
            let written = &builder.name;
            let name = self.rendered(&written.text, written.span, "builder", None);
            let Some(name) = name else { continue };
            if named.iter().any(|other| other.name == name) {
                let summary = format!("there is a builder `{name}` already");
                self.found.push(
                    Diagnostic::error(code::DUPLICATE, summary).at(builder.name.span).within("builder"),
                );
                continue;
            }
            named.push(Named { builder, name });
        }
        named.sort_by(|a, b| a.name.cmp(&b.name));
        self.names = named.iter().map(|one| one.name.clone()).collect();
        for one in &named {
            if self.is_wanted(&one.name) {
                self.build(one);
            }
        }
        if document.builders.is_empty() {
            let none = Diagnostic::error(code::NO_BUILD, "the template has no builders");
            self.found.push(none.help("add one: \"builders\": [{ \"type\": \"…\" }]"));
        }
        self.check_filters();
    }

    fn errors(&self) -> usize {
        self.found.iter().filter(|diagnostic| diagnostic.is_error()).count()
    }

    /// A text outside of options, rendered.
    fn rendered(
        &mut self,
        text: &str,
        span: Span,
        context: &str,
        builder: Option<&Named<'_>>,
    ) -> Option<String> {
        let mut scope = self.template.run.scope(Place::Outside);
        if let Some(one) = builder {
            scope = scope.of_build(&one.name, &one.builder.ty.text, None);
        }
        let mut renderer =
            Renderer { scope: &scope, limits: &mut self.limits, sources: &self.template.sources };
        match renderer.text(text, span) {
            Ok((value, seen)) => {
                self.found
                    .extend(scope.warnings(seen, span).into_iter().map(|warning| warning.within(context)));
                Some(value.as_text().unwrap_or("<unknown>").to_owned())
            }
            Err(diagnostic) => {
                self.found.push(diagnostic.within(context));
                None
            }
        }
    }

    fn is_in(&mut self, list: &[String], name: &str) -> bool {
        let found = list.iter().any(|filter| filter == name);
        if found {
            self.used.insert(name.to_owned());
        }
        found
    }

    fn is_wanted(&mut self, name: &str) -> bool {
        let filters = self.filters;
        let except = self.is_in(&filters.except, name);
        let only = self.is_in(&filters.only, name);
        !except && (only || filters.only.is_empty())
    }

    fn check_filters(&mut self) {
        let help =
            Some(format!("the builds are {}", self.names.join(", "))).filter(|_| !self.names.is_empty());
        for (flag, filters) in [("-only", &self.filters.only), ("-except", &self.filters.except)] {
            for filter in filters.iter().filter(|filter| !self.used.contains(*filter)) {
                let summary = format!("{flag}={filter} matches nothing");
                let mut diagnostic = Diagnostic::warning(code::UNUSED_FILTER, summary);
                let near = nearest(filter, self.names.iter()).map(|near| format!("did you mean `{near}`?"));
                diagnostic.help = near.or_else(|| help.clone());
                self.found.push(diagnostic);
            }
        }
        let filtered = !(self.filters.only.is_empty() && self.filters.except.is_empty());
        if filtered && self.errors() == 0 && self.builds.is_empty() {
            let none = Diagnostic::error(code::NO_BUILDS_TO_RUN, "no builds to run: the filters leave none");
            self.found.push(Diagnostic { help, ..none });
        }
    }

    fn build(&mut self, one: &Named<'_>) {
        let before = self.errors();
        let document = Arc::clone(&self.template.document);
        let builder = self.step(Kind::Builder, &one.builder.ty, one, None, |options| {
            options.entries = Arc::clone(&one.builder.options);
        });
        let provisioners: Vec<Provisioner> =
            document.provisioners.iter().filter_map(|written| self.provisioner(written, one)).collect();
        let error_cleanup =
            document.error_cleanup.as_ref().and_then(|written| self.provisioner(written, one));
        let post_processors: Vec<Vec<Processor>> = document
            .post_processors
            .iter()
            .map(|sequence| self.sequence(sequence, one))
            .filter(|sequence| !sequence.is_empty())
            .collect();
        let Some(builder) = builder.filter(|_| self.errors() == before) else { return };
        let ty = &one.builder.ty.text;
        let name = if *ty == one.name { ty.clone() } else { format!("{ty}.{}", one.name) };
        let source_name = one.name.clone();
        self.builds.push(Build { name, source_name, builder, provisioners, error_cleanup, post_processors });
    }

    fn provisioner(&mut self, written: &Written, one: &Named<'_>) -> Option<Provisioner> {
        if !selected(&written.only, &written.except, one) {
            return None;
        }
        let overrides = written.overrides.iter().find(|(name, _)| name.text == one.builder.name.text);
        let max_retries = self.max_retries(written, one);
        let step = self.step(Kind::Provisioner, &written.ty, one, None, |options| {
            options.entries = Arc::clone(&written.options);
            options.overrides = overrides.map(|(_, item)| item.clone());
        })?;
        let length = |wait: &Option<Wait>| wait.as_ref().map_or(Duration::ZERO, |wait| wait.length);
        let (pause_before, timeout) = (length(&written.pause_before), length(&written.timeout));
        let continue_on_error = written.continue_on_error.unwrap_or(false);
        Some(Provisioner { step, pause_before, timeout, max_retries, continue_on_error })
    }

    /// A whole number from 0, or a template that gives one.
    fn max_retries(&mut self, written: &Written, one: &Named<'_>) -> u32 {
        let Some(item) = &written.max_retries else { return 0 };
        let text = match &item.content {
            Content::Text(text) | Content::Number(text) => text,
            _ => return 0,
        };
        let context = context(Kind::Provisioner, &written.ty);
        let Some(count) = self.rendered(text, item.span, &context, Some(one)) else { return 0 };
        if count == "<unknown>" {
            return 0;
        }
        count.parse().unwrap_or_else(|_| {
            let wrong = Diagnostic::error(code::WRONG_TYPE, "`max_retries` must be a whole number from 0");
            self.found.push(wrong.at(item.span).within(context));
            0
        })
    }

    /// A sequence of post-processors up to the first that `-except` names.
    fn sequence(&mut self, sequence: &[PostProcessor], one: &Named<'_>) -> Vec<Processor> {
        let mut steps = Vec::new();
        for written in sequence {
            let label = written.name.as_ref().unwrap_or(&written.ty).text.clone();
            let filters = self.filters;
            if self.is_in(&filters.except, &label) {
                break;
            }
            if !selected(&written.only, &written.except, one) {
                continue;
            }
            let step = self.step(Kind::PostProcessor, &written.ty, one, Some(label), |options| {
                options.entries = Arc::clone(&written.options);
            });
            let keep_input_artifact = written.keep_input_artifact;
            steps.extend(step.map(|step| Processor { step, keep_input_artifact }));
        }
        steps
    }

    /// A step with its options, which `fill` puts in; `None` if there is no such component.
    fn step(
        &mut self,
        kind: Kind,
        ty: &Text,
        one: &Named<'_>,
        label: Option<String>,
        fill: impl FnOnce(&mut StepOptions),
    ) -> Option<Step> {
        let component = ComponentRef::new(kind, &ty.text);
        let schema = self.schema(&component, ty)?;
        let mut options = StepOptions {
            run: Arc::clone(&self.template.run),
            sources: Arc::clone(&self.template.sources),
            entries: Arc::default(),
            overrides: None,
            schema,
            component: component.clone(),
            build_name: one.name.clone(),
            build_type: one.builder.ty.text.clone(),
            context: context(kind, ty),
            block: ty.span,
        };
        fill(&mut options);
        let (first, found) = options.decode(None, &mut self.limits);
        self.found.extend(found);
        Some(Step { component, label, span: Some(ty.span), first, late: Arc::new(options) })
    }

    fn schema(&mut self, component: &ComponentRef, ty: &Text) -> Option<Arc<Schema>> {
        let schema = self.catalogue.schema(component);
        if schema.is_none() {
            let unknown = unknown::component(component, self.catalogue);
            self.found.push(unknown.at(ty.span).within(context(component.kind, ty)));
        }
        schema
    }
}

fn context(kind: Kind, ty: &Text) -> String {
    format!("{kind} \"{}\"", ty.text)
}

/// Whether `only` and `except`, which have names as they are written, take this builder.
fn selected(only: &[Text], except: &[Text], one: &Named<'_>) -> bool {
    let has = |names: &[Text]| names.iter().any(|name| name.text == one.builder.name.text);
    (only.is_empty() || has(only)) && !has(except)
}
