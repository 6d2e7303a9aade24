//! A template with the values of its variables, locals and data sources.

use crate::declared::Declared;
use crate::environment::{Catalogue, ReadData};
use crate::eval::{Roots, World, evaluate};
use crate::functions::Position;
use crate::graph::Grapher;
use crate::load::Template;
use crate::value::types::Type;
use crate::value::{Val, convert::convert};
use crate::variables::{self, VariableInputs};
use crate::{PACKER_VERSION, decode, show, syntax};
use kiln_plan::{Diagnostic, Diagnostics, Marks, Origin, SourceMap};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a template is evaluated for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// To build or to validate: every variable must have a value.
    Build,
    /// To look at (`inspect`, `console`): a variable without a value is unknown.
    Inspect,
}

/// An evaluated HCL2 template.
#[derive(Debug, Clone)]
pub(crate) struct Evaluated {
    pub(crate) declared: Arc<Declared>,
    pub(crate) world: Arc<World>,
    pub(crate) sources: Arc<SourceMap>,
    /// `var`, `local`, `data`, `path` and `packer`.
    pub(crate) roots: Roots,
    /// The template has an error, so nothing of it may be built.
    pub(crate) failed: bool,
}

impl Template {
    /// Evaluates variables, data sources and locals. Without `read`, what data sources give and
    /// what secrets servers keep is unknown. What is wrong is in the diagnostics; the result can be inspected all the same.
    pub(crate) fn evaluate(
        mut self,
        inputs: &VariableInputs,
        catalogue: &dyn Catalogue,
        read: Option<&dyn ReadData>,
        mode: Mode,
    ) -> (Evaluated, Diagnostics) {
        // What may run data sources may ask for secrets.
        self.world.asks_servers = read.is_some();
        let mut diagnostics = Vec::new();
        let mut sources = self.sources.clone();
        let mut roots = self.constants();
        let variables =
            variables::resolve(&self, inputs, mode == Mode::Build, &mut sources, &mut diagnostics);
        // Locals of wrong variables would be wrong for the same reason; only unknown is safe.
        roots.set("var", Val::object(variables));
        let read = read.filter(|_| !diagnostics.iter().any(Diagnostic::is_error));
        Grapher {
            declared: &self.declared,
            world: &self.world,
            catalogue,
            read,
            sequential: self.sequential,
            diagnostics: &mut diagnostics,
        }
        .run(&mut roots);
        dedupe(&mut diagnostics);
        let failed = diagnostics.iter().any(Diagnostic::is_error);
        let mut evaluated = Evaluated {
            declared: Arc::new(self.declared),
            world: Arc::new(self.world),
            sources: Arc::default(),
            roots,
            failed,
        };
        // Diagnostics quote the texts, and a default that is a secret is written in them.
        evaluated.sources = Arc::new(sources.without(&evaluated.secrets()));
        (evaluated, diagnostics)
    }

    fn constants(&self) -> Roots {
        let mut roots = Roots::default();
        let marks = Marks { origin: Origin::Environment, ..Marks::default() };
        let slashes = |path: &std::path::Path| path.to_string_lossy().replace('\\', "/");
        let cwd = self.world.environment.working_directory();
        let path = [
            ("cwd".to_owned(), Val::text(slashes(&cwd)).marked(marks)),
            ("root".to_owned(), Val::text(slashes(&self.world.root))),
        ];
        roots.set("path", Val::object(path.into()));
        let packer = [
            ("version".to_owned(), Val::text(PACKER_VERSION)),
            ("iterationID".to_owned(), Val::unknown(Type::Text)),
            ("versionFingerprint".to_owned(), Val::unknown(Type::Text)),
        ];
        roots.set("packer", Val::object(packer.into()));
        roots.refuse("build", "build.* is known in provisioners and post-processors only");
        roots.refuse("source", "source.* is known in provisioners and post-processors only");
        roots
    }
}

/// Each finding once, in order.
pub(crate) fn dedupe(diagnostics: &mut Diagnostics) {
    let mut seen = BTreeSet::new();
    diagnostics.retain(|diagnostic| {
        diagnostic
            .span
            .is_none_or(|span| seen.insert((diagnostic.code.name(), span, diagnostic.summary.clone())))
    });
}

/// What a template is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// HCL2, in either of its syntaxes.
    #[default]
    Hcl2,
    /// JSON with Go templates in strings.
    LegacyJson,
}

/// What `inspect` shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inspection {
    /// The language of the template.
    pub language: Language,
    /// Name, description and value as shown, by name.
    pub variables: Vec<InspectedVariable>,
    /// Name and value as shown, by name.
    pub locals: Vec<(String, String)>,
    /// In the order of the template. A legacy template is one build.
    pub builds: Vec<InspectedBuild>,
}

/// A variable as `inspect` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InspectedVariable {
    /// Its name.
    pub name: String,
    /// What its author says of it.
    pub description: String,
    /// Its value, quoted; `"<unknown>"` or `"<sensitive>"` if it is that. In a legacy template its
    /// default as it is written, not quoted.
    pub value: String,
    /// Whether it has no default.
    pub required: bool,
}

/// A build as `inspect` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InspectedBuild {
    /// Empty if it has none.
    pub name: String,
    /// Empty if it has none.
    pub description: String,
    /// `TYPE.NAME`.
    pub sources: Vec<String>,
    /// Their types, with their names behind a dot: `shell.setup`.
    pub provisioners: Vec<String>,
    /// Sequences of the same.
    pub post_processors: Vec<Vec<String>>,
}

impl Evaluated {
    /// The texts that spans point into.
    pub(crate) fn sources(&self) -> &Arc<SourceMap> {
        &self.sources
    }

    /// Evaluates an expression for `console` and gives the text to print.
    ///
    /// # Errors
    /// What is wrong, with a span into the last file of the map beside it, the expression.
    pub(crate) fn expression(&self, text: &str) -> Result<String, (SourceMap, Box<Diagnostic>)> {
        let mut sources = (*self.sources).clone();
        let id = sources.add("<console-input>", text);
        syntax::parse_expression(text, id)
            .and_then(|expr| evaluate(&self.world, &self.roots, Position::Anywhere, &expr))
            .map(|value| show::full(&value))
            .map_err(|diagnostic| (sources, diagnostic))
    }

    /// All variables and locals with their values, as `console` shows them.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let Inspection { variables, locals, .. } = self.inspect();
        let variables = variables.into_iter().map(|v| (format!("var.{}", v.name), v.value));
        let locals = locals.into_iter().map(|(name, value)| (format!("local.{name}"), value));
        variables.chain(locals).collect()
    }

    /// What `inspect` shows. Runs nothing.
    pub(crate) fn inspect(&self) -> Inspection {
        let entries = |root: &str| -> BTreeMap<String, Val> {
            self.roots.get(root).and_then(Val::entries).cloned().unwrap_or_default()
        };
        let values = entries("var");
        let variables = self.declared.variables.iter().map(|(name, variable)| InspectedVariable {
            name: name.clone(),
            description: variable.description.clone(),
            value: values.get(name).map(show::quoted).unwrap_or_default(),
            required: variable.default.is_none(),
        });
        Inspection {
            language: Language::Hcl2,
            variables: variables.collect(),
            locals: entries("local")
                .iter()
                .map(|(name, value)| (name.clone(), show::quoted(value)))
                .collect(),
            builds: self.declared.builds.iter().map(|block| self.inspect_build(block)).collect(),
        }
    }

    fn inspect_build(&self, block: &syntax::Block) -> InspectedBuild {
        let mut ignored = Vec::new();
        let text = |body: &syntax::Body, name: &str, roots: &Roots| {
            let found = decode::option(body, name, &Type::Text, roots, &self.world).ok().flatten();
            found.and_then(|(value, _)| value.as_text().map(str::to_owned))
        };
        let label = |made: &decode::Made| {
            let kind = made.block.label(0);
            match text(&made.block.body, "name", &made.roots).filter(|name| !name.is_empty()) {
                Some(name) => format!("{kind}.{name}"),
                None => kind.to_owned(),
            }
        };
        let mut inspected = InspectedBuild {
            name: text(&block.body, "name", &self.roots).unwrap_or_default(),
            description: text(&block.body, "description", &self.roots).unwrap_or_default(),
            ..InspectedBuild::default()
        };
        if let Some(attribute) = block.body.attribute("sources")
            && let Ok(value) = evaluate(&self.world, &self.roots, Position::Anywhere, &attribute.value)
            && let Ok(list) = convert(&value, &Type::list(Type::Text))
        {
            let names = list.items().unwrap_or_default().iter().filter_map(Val::as_text);
            inspected.sources.extend(names.map(|name| crate::builds::source_name(name).to_owned()));
        }
        for made in decode::expanded(&block.body, &self.roots, &self.world, &mut ignored) {
            match made.block.kind.as_str() {
                "source" => {
                    inspected.sources.push(crate::builds::source_name(made.block.label(0)).to_owned());
                }
                "provisioner" => inspected.provisioners.push(label(&made)),
                "post-processor" => inspected.post_processors.push(vec![label(&made)]),
                "post-processors" => {
                    let inner = decode::expanded(&made.block.body, &made.roots, &self.world, &mut ignored);
                    inspected.post_processors.push(inner.iter().map(label).collect());
                }
                _ => {}
            }
        }
        inspected
    }

    /// All secret texts of variables, locals and data.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let mut found = Vec::new();
        for root in ["var", "local", "data"] {
            if let Some(value) = self.roots.get(root) {
                value.secrets(false, &mut found);
            }
        }
        found.sort();
        found.dedup();
        found
    }
}
