//! The second evaluation: a step's options once more, with the values of the running build.

use crate::decode::Decoder;
use crate::eval::{Roots, World};
use crate::references;
use crate::syntax::{Body, Expr, Step};
use crate::value::Val;
use crate::value::types::Type;
use kiln_plan::{BuildValues, Configuration, Diagnostic, Diagnostics, Evaluate, Marks, Origin, Schema, Span};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Values of `build` that are secrets.
const SECRETS: [&str; 3] = ["Password", "SSHPrivateKey", "WinRMPassword"];

/// Everything that a step's options are made of.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) world: Arc<World>,
    pub(crate) roots: Roots,
    /// The bodies whose options are put together: a source has two.
    pub(crate) bodies: Vec<(Arc<Body>, &'static [&'static str])>,
    pub(crate) schema: Arc<Schema>,
    /// `override` and the local name of the source.
    pub(crate) overrides: Option<(Arc<Expr>, String)>,
    /// `build.name`; `None` where `build` is not known.
    pub(crate) build_name: Option<String>,
    pub(crate) context: String,
    pub(crate) block: Span,
}

impl Options {
    /// The options with the values of `build` given; without them they are unknown.
    pub(crate) fn decode(&self, values: Option<&BuildValues>) -> (Configuration, Diagnostics) {
        let mut roots = self.roots.clone();
        if let Some(name) = &self.build_name {
            roots.set("build", self.build(name, values));
        }
        let mut decoder = Decoder::new(&self.world, &self.schema, &self.context);
        let mut map = BTreeMap::new();
        for (body, skip) in &self.bodies {
            decoder.body(body, &roots, skip, &mut map);
        }
        if let Some((expr, name)) = &self.overrides {
            decoder.merge(expr, name, &roots, &mut map);
        }
        decoder.finish(map, Some(self.block))
    }

    fn build(&self, name: &str, values: Option<&BuildValues>) -> Val {
        let mut build: BTreeMap<String, Val> = BTreeMap::new();
        match values {
            Some(values) => {
                build.extend(values.build.iter().map(|(name, value)| (name.clone(), Val::raise(value))));
            }
            // Which values a build will have depends on its builder, so each that is asked for may
            // come.
            None => {
                for (body, _) in &self.bodies {
                    references::visit_body(body, &mut |root, steps, _| unknown(root, steps, &mut build));
                }
                if let Some((expr, _)) = &self.overrides {
                    references::visit(expr, &mut |root, steps, _| unknown(root, steps, &mut build));
                }
            }
        }
        build.insert("name".to_owned(), Val::text(name));
        Val::object(build)
    }
}

fn unknown(root: &str, steps: &[(Step, Span)], build: &mut BTreeMap<String, Val>) {
    if let ("build", Some((Step::Attribute(name), _))) = (root, steps.first()) {
        let marks = Marks { sensitive: SECRETS.contains(&name.as_str()), origin: Origin::Component };
        build.insert(name.clone(), Val::unknown(Type::Text).marked(marks));
    }
}

impl Evaluate for Options {
    fn evaluate(&self, values: &BuildValues) -> Result<Configuration, Diagnostics> {
        let (configuration, diagnostics) = self.decode(Some(values));
        if diagnostics.iter().any(Diagnostic::is_error) { Err(diagnostics) } else { Ok(configuration) }
    }
}
