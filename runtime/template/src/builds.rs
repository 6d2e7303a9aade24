//! Build blocks into a [`Plan`]: which sources, which steps, filters.

mod registry;
pub(crate) mod steps;

use crate::decode::{self, Made, option};
use crate::environment::Catalogue;
use crate::evaluated::{Evaluated, dedupe};
use crate::expected;
use crate::glob::Glob;
use crate::late::Options;
use crate::syntax::Block;
use crate::unknown;
use crate::value::Val;
use crate::value::types::Type;
use kiln_plan::code::template as code;
use kiln_plan::{Build, ComponentRef, Diagnostic, Diagnostics, Kind, Plan, Span, Step, nearest};
use std::sync::Arc;

/// `-only` and `-except`.
#[derive(Debug, Clone, Default)]
pub struct Filters {
    /// Globs for builds to run, or names in a legacy template; empty for all.
    pub only: Vec<String>,
    /// The same for builds to leave out, and post-processors to cut sequences at.
    pub except: Vec<String>,
}

/// Compiled filters that know which of them matched something.
struct Matcher {
    globs: Vec<(String, Glob, bool)>,
}

impl Matcher {
    fn new(patterns: &[String], diagnostics: &mut Diagnostics) -> Self {
        let mut globs = Vec::new();
        for pattern in patterns {
            match Glob::new(pattern, false) {
                Ok(glob) => globs.push((pattern.clone(), glob, false)),
                Err(e) => diagnostics.push(Diagnostic::error(code::BAD_FILTER, e)),
            }
        }
        Self { globs }
    }

    fn matches(&mut self, name: &str) -> bool {
        let mut any = false;
        for (_, glob, used) in &mut self.globs {
            if glob.matches(name) {
                *used = true;
                any = true;
            }
        }
        any
    }

    fn unused(&self) -> impl Iterator<Item = &str> {
        self.globs.iter().filter(|(.., used)| !used).map(|(pattern, ..)| pattern.as_str())
    }
}

/// `T.N` of the three spellings of a reference to a source.
pub(crate) fn source_name(reference: &str) -> &str {
    reference.strip_prefix("source.").or_else(|| reference.strip_prefix("sources.")).unwrap_or(reference)
}

/// A source that a build uses.
struct Use {
    source: Block,
    /// The block in the build, if it is not in the list, and what names mean in it.
    extra: Option<Made>,
    local_name: String,
}

/// The blocks of a build with the count of their labels.
const CHILDREN: [(&str, usize); 6] = [
    ("source", 1),
    ("provisioner", 1),
    ("error-cleanup-provisioner", 1),
    ("post-processor", 1),
    ("post-processors", 0),
    ("hcp_packer_registry", 0),
];

struct Planner<'p> {
    evaluated: &'p Evaluated,
    catalogue: &'p dyn Catalogue,
    only: Matcher,
    except: Matcher,
    diagnostics: Diagnostics,
    builds: Vec<Build>,
    /// Names of all builds before filters.
    names: Vec<String>,
    /// How many `hcp_packer_registry` there are.
    registries: usize,
}

impl Evaluated {
    /// The builds to run. Valid builds are in the plan although others have errors; if variables,
    /// locals or data sources have errors there are none.
    pub(crate) fn plan(&self, filters: &Filters, catalogue: &dyn Catalogue) -> (Plan, Diagnostics) {
        let mut diagnostics = Vec::new();
        let only = Matcher::new(&filters.only, &mut diagnostics);
        let except = Matcher::new(&filters.except, &mut diagnostics);
        let bad_filter = !diagnostics.is_empty();
        let mut planner = Planner {
            evaluated: self,
            catalogue,
            only,
            except,
            diagnostics,
            builds: Vec::new(),
            names: Vec::new(),
            registries: 0,
        };
        for block in &self.declared.registries {
            planner.registry(block);
        }
        for block in &self.declared.builds {
            planner.build(block);
        }
        planner.check_filters();
        let mut diagnostics = planner.diagnostics;
        if self.declared.builds.is_empty() {
            diagnostics.push(
                Diagnostic::error(code::NO_BUILD, "the template has no build block")
                    .help("a build block names sources: build { sources = [\"source.TYPE.NAME\"] }"),
            );
        }
        dedupe(&mut diagnostics);
        let builds = if self.failed || bad_filter { Vec::new() } else { planner.builds };
        (Plan { builds, sources: Arc::clone(&self.sources), sensitive: self.secrets() }, diagnostics)
    }
}

impl Planner<'_> {
    fn check_filters(&mut self) {
        for (flag, matcher) in [("-only", &self.only), ("-except", &self.except)] {
            for pattern in matcher.unused() {
                let mut diagnostic =
                    Diagnostic::warning(code::UNUSED_FILTER, format!("{flag}={pattern} matches nothing"));
                diagnostic.help = Some(format!("the builds are {}", self.names.join(", ")));
                self.diagnostics.push(diagnostic);
            }
        }
        let filtered = !(self.only.globs.is_empty() && self.except.globs.is_empty());
        let failed = self.diagnostics.iter().any(Diagnostic::is_error);
        if filtered && !failed && self.builds.is_empty() && !self.names.is_empty() {
            self.diagnostics.push(
                Diagnostic::error(code::NO_BUILDS_TO_RUN, "no builds to run: the filters leave none")
                    .help(format!("the builds are {}", self.names.join(", "))),
            );
        }
    }

    fn build(&mut self, block: &Block) {
        let world = &self.evaluated.world;
        let roots = &self.evaluated.roots;
        let before = self.errors();
        let context = block.context();
        for attribute in &block.body.attributes {
            let known = ["name", "description", "sources"];
            if !known.contains(&attribute.name.as_str()) {
                self.diagnostics.push(expected::attribute(attribute, &known).within(context.clone()));
            }
        }
        let name = match option(&block.body, "name", &Type::Text, roots, world) {
            Ok(found) => found.and_then(|(value, _)| value.as_text().map(str::to_owned)).unwrap_or_default(),
            Err(diagnostic) => {
                self.diagnostics.push(diagnostic.within(context));
                String::new()
            }
        };
        let mut children = decode::expanded(&block.body, roots, world, &mut self.diagnostics);
        self.check_children(&children);
        children.retain(|Made { block, .. }| CHILDREN.contains(&(block.kind.as_str(), block.labels.len())));
        for made in children.iter().filter(|made| made.block.kind == "hcp_packer_registry") {
            self.registry_in_build(made);
        }
        let uses = self.uses(block, &children);
        let broken = self.errors() > before;
        for one in uses {
            self.one(&name, one, &children, broken);
        }
    }

    fn errors(&self) -> usize {
        self.diagnostics.iter().filter(|d| d.is_error()).count()
    }

    fn check_children(&mut self, children: &[Made]) {
        let mut cleanups = 0;
        for Made { block, .. } in children {
            let Some((_, labels)) = CHILDREN.iter().find(|(kind, _)| *kind == block.kind) else {
                let found = expected::block(block, &CHILDREN.map(|(kind, _)| kind)).within("build");
                self.diagnostics.push(found);
                continue;
            };
            if block.labels.len() != *labels {
                self.diagnostics.push(
                    Diagnostic::error(
                        code::WRONG_LABELS,
                        format!("`{}` has {} labels, it takes {labels}", block.kind, block.labels.len()),
                    )
                    .at(block.header)
                    .within("build"),
                );
            }
            for attribute in block.body.attributes.iter().filter(|_| block.kind == "post-processors") {
                let summary = format!("an argument named `{}` is not expected here", attribute.name);
                self.diagnostics.push(
                    Diagnostic::error(code::UNEXPECTED_ATTRIBUTE, summary)
                        .at(attribute.name_span)
                        .within("post-processors")
                        .help("arguments belong into the post-processor blocks"),
                );
            }
            cleanups += usize::from(block.kind == "error-cleanup-provisioner");
            if cleanups > 1 && block.kind == "error-cleanup-provisioner" {
                self.diagnostics.push(
                    Diagnostic::error(
                        code::DUPLICATE,
                        "only one error-cleanup-provisioner is allowed in a build",
                    )
                    .at(block.header)
                    .within("build"),
                );
            }
        }
    }

    /// The sources of a build, those of the list first.
    fn uses(&mut self, block: &Block, children: &[Made]) -> Vec<Use> {
        let mut uses = Vec::new();
        let before = self.errors();
        if let Some(attribute) = block.body.attribute("sources") {
            let span = attribute.value.span;
            let sources = Type::list(Type::Text);
            let (roots, world) = (&self.evaluated.roots, &self.evaluated.world);
            match option(&block.body, "sources", &sources, roots, world) {
                Ok(found) => {
                    let list = found.map(|(value, _)| value).unwrap_or_else(Val::null);
                    for (index, item) in list.items().unwrap_or_default().iter().enumerate() {
                        let span = item_span(attribute, index).unwrap_or(span);
                        if let Some(source) = item.as_text().and_then(|name| self.source(name, span)) {
                            uses.push(Use { local_name: source.label(1).to_owned(), source, extra: None });
                        }
                    }
                }
                Err(mut diagnostic) => {
                    if [code::UNKNOWN_NAME, code::NOT_AVAILABLE_HERE].contains(&diagnostic.code) {
                        diagnostic.help =
                            Some("write references to sources in quotes: \"source.TYPE.NAME\"".to_owned());
                    }
                    self.diagnostics.push(diagnostic.within("build"));
                }
            }
        }
        for made in children.iter().filter(|made| made.block.kind == "source") {
            let span = made.block.labels.first().map_or(made.block.header, |(_, span)| *span);
            let Some(source) = self.source(made.block.label(0), span) else { continue };
            let local = option(&made.block.body, "name", &Type::Text, &made.roots, &self.evaluated.world);
            let local_name = match local {
                Ok(found) => found.and_then(|(value, _)| value.as_text().map(str::to_owned)),
                Err(diagnostic) => {
                    self.diagnostics.push(diagnostic.within(made.block.context()));
                    None
                }
            };
            let local_name = local_name.unwrap_or_else(|| source.label(1).to_owned());
            let extra = Made { block: made.block.clone(), roots: made.roots.clone() };
            uses.push(Use { source, extra: Some(extra), local_name });
        }
        if uses.is_empty() && self.errors() == before {
            self.diagnostics.push(
                Diagnostic::error(code::NO_SOURCE, "the build has no source")
                    .at(block.header)
                    .within("build")
                    .help("add sources = [\"source.TYPE.NAME\"]"),
            );
        }
        uses
    }

    fn source(&mut self, reference: &str, span: Span) -> Option<Block> {
        let name = source_name(reference);
        let sources = &self.evaluated.declared.sources;
        let found =
            name.split_once('.').and_then(|(ty, name)| sources.get(&(ty.to_owned(), name.to_owned())));
        if let Some(found) = found {
            return Some(found.clone());
        }
        let names: Vec<String> = sources.keys().map(|(ty, name)| format!("{ty}.{name}")).collect();
        let mut diagnostic =
            Diagnostic::error(code::UNKNOWN_SOURCE, format!("there is no source `{name}`")).at(span);
        diagnostic.help = Some(match nearest(name, names.iter()) {
            Some(near) => format!("did you mean \"source.{near}\"?"),
            None if names.is_empty() => "declare it: source \"TYPE\" \"NAME\" { … }".to_owned(),
            None => format!("the sources are {}", names.join(", ")),
        });
        self.diagnostics.push(diagnostic.within("build"));
        None
    }

    /// One build of one source.
    fn one(&mut self, build_name: &str, one: Use, children: &[Made], broken: bool) {
        let ty = one.source.label(0).to_owned();
        let short = format!("{ty}.{}", one.local_name);
        let name = if build_name.is_empty() { short.clone() } else { format!("{build_name}.{short}") };
        self.names.push(name.clone());
        let wanted = self.only.globs.is_empty() || self.only.matches(&name);
        if self.except.matches(&name) || !wanted {
            return;
        }
        let before = self.errors();
        let builder = self.builder(&one, &ty);
        let roots = |made: &Made| {
            let mut roots = made.roots.clone();
            let source = [("type", ty.as_str()), ("name", one.local_name.as_str())];
            roots.set("source", Val::object(source.map(|(k, v)| (k.to_owned(), Val::text(v))).into()));
            roots.set("build", Val::object([("name".to_owned(), Val::text(build_name))].into()));
            roots
        };
        let mut provisioners = Vec::new();
        let mut error_cleanup = None;
        let mut post_processors = Vec::new();
        for made in children {
            let place =
                steps::Place { roots: roots(made), short: &short, local_name: &one.local_name, build_name };
            match made.block.kind.as_str() {
                "provisioner" => provisioners.extend(self.provisioner(&made.block, place)),
                "error-cleanup-provisioner" => error_cleanup = self.provisioner(&made.block, place),
                "post-processor" => {
                    let sequence = self.sequence(std::slice::from_ref(made), &place);
                    post_processors.extend(Some(sequence).filter(|s| !s.is_empty()));
                }
                "post-processors" => {
                    let world = &self.evaluated.world;
                    let inner = decode::expanded(&made.block.body, &made.roots, world, &mut self.diagnostics);
                    let sequence = self.sequence(&inner, &place);
                    post_processors.extend(Some(sequence).filter(|s| !s.is_empty()));
                }
                _ => {}
            }
        }
        let valid = self.errors() == before && !broken;
        if let (true, Some(builder)) = (valid, builder) {
            // What Packer tells plugins, although the build is shown by the local name.
            let source_name = one.source.label(1).to_owned();
            self.builds.push(Build {
                name,
                source_name,
                builder,
                provisioners,
                error_cleanup,
                post_processors,
            });
        }
    }

    fn builder(&mut self, one: &Use, ty: &str) -> Option<Step> {
        let component = ComponentRef::new(Kind::Builder, ty);
        let Some(schema) = self.catalogue.schema(&component) else {
            let plugins = &self.evaluated.declared.plugins;
            self.diagnostics.push(unknown::in_block(&component, &one.source, self.catalogue, plugins));
            return None;
        };
        let mut bodies: Vec<(_, &'static [&'static str])> = vec![(one.source.body.clone(), &[])];
        let mut roots = self.evaluated.roots.clone();
        if let Some(extra) = &one.extra {
            bodies.push((extra.block.body.clone(), &["name"]));
            roots = extra.roots.clone();
        }
        let options = Options {
            world: Arc::clone(&self.evaluated.world),
            roots,
            bodies,
            schema,
            overrides: None,
            build_name: None,
            context: one.source.context(),
            block: one.source.header,
        };
        Some(self.step(component, None, options))
    }

    fn step(&mut self, component: ComponentRef, label: Option<String>, options: Options) -> Step {
        let (first, found) = options.decode(None);
        self.diagnostics.extend(found);
        Step { component, label, span: Some(options.block), first, late: Arc::new(options) }
    }
}

fn item_span(attribute: &crate::syntax::Attribute, index: usize) -> Option<Span> {
    match &attribute.value.node {
        crate::syntax::Node::Tuple(items) => items.get(index).map(|item| item.span),
        _ => None,
    }
}
