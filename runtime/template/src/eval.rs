//! Evaluation of expressions.
//!
//! A [`Context`] holds what names mean and counts steps; [`Context::eval`] gives a value or the one
//! thing that is wrong. Unknown values flow through everything; marks are joined. Recursion is
//! bounded by the parser (nesting) and by [`MAX_DEPTH`]; loops by [`MAX_STEPS`]; texts by
//! [`MAX_TEXT`].

mod expression;
mod operators;
mod template;
mod traversal;

use crate::Environment;
use crate::functions;
use crate::references;
use crate::show;
use crate::syntax::{Expr, Step};
use crate::value::{V, Val};
use kiln_plan::Code;
use kiln_plan::code::template as code;
use kiln_plan::{Diagnostic, Span, nearest};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// The deepest recursion of the evaluator.
const MAX_DEPTH: usize = 256;
/// The most nodes that one top-level expression visits, loops included.
const MAX_STEPS: u64 = 1_000_000;
/// The longest text that an expression makes.
pub(crate) const MAX_TEXT: usize = 16 << 20;

/// A value or what is wrong.
pub(crate) type Outcome = Result<Val, Box<Diagnostic>>;

/// What all evaluations of one template share.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) environment: Arc<dyn Environment>,
    /// The directory of the template, as the user wrote it; relative paths of functions start here.
    pub(crate) root: PathBuf,
    /// Whether functions may ask servers.
    pub(crate) asks_servers: bool,
}

/// The meaning of root names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Roots {
    known: BTreeMap<String, Val>,
    /// Roots that exist but not here, with the reason.
    refused: BTreeMap<String, &'static str>,
}

impl Roots {
    pub(crate) fn set(&mut self, name: &str, value: Val) {
        self.refused.remove(name);
        self.known.insert(name.to_owned(), value);
    }

    pub(crate) fn refuse(&mut self, name: &str, reason: &'static str) {
        self.known.remove(name);
        self.refused.insert(name.to_owned(), reason);
    }

    /// Adds one entry to the object that a root name means.
    pub(crate) fn insert(&mut self, root: &str, name: &str, value: Val) {
        let object = self.known.entry(root.to_owned()).or_insert_with(|| Val::object(BTreeMap::new()));
        if let V::Object(entries) = &mut object.v {
            Arc::make_mut(entries).insert(name.to_owned(), value);
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Val> {
        self.known.get(name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &String> {
        self.known.keys()
    }
}

/// Names of a `for`, innermost first.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'f> {
    name: &'f str,
    value: &'f Val,
    outer: Option<&'f Frame<'f>>,
}

/// What an expression is evaluated in.
#[derive(Clone, Copy)]
pub(crate) struct Context<'c> {
    pub(crate) world: &'c World,
    pub(crate) roots: &'c Roots,
    /// Which functions may be called here.
    pub(crate) position: functions::Position,
    frame: Option<&'c Frame<'c>>,
    steps: &'c Cell<u64>,
    depth: usize,
}

/// Evaluates `expr` in the roots given.
pub(crate) fn evaluate(world: &World, roots: &Roots, position: functions::Position, expr: &Expr) -> Outcome {
    let steps = Cell::new(0);
    let context = Context { world, roots, position, frame: None, steps: &steps, depth: 0 };
    context.eval(expr).map_err(|mut diagnostic| {
        note_values(&context, expr, &mut diagnostic);
        diagnostic
    })
}

/// The most values of references that a diagnostic shows.
const MAX_VALUES: usize = 5;

/// Adds the values of the references in the part of `expr` that is wrong.
fn note_values(context: &Context<'_>, expr: &Expr, diagnostic: &mut Diagnostic) {
    let Some(wrong) = diagnostic.span else { return };
    references::visit(expr, &mut |root, steps, span| {
        let inside = span.file == wrong.file && span.start >= wrong.start && span.end <= wrong.end;
        let plain = steps.iter().all(|(step, _)| matches!(step, Step::Attribute(_)));
        if !inside || !plain || diagnostic.values.len() >= MAX_VALUES {
            return;
        }
        let Some(value) = context.roots.get(root) else { return };
        let mut value = value.clone();
        let mut name = root.to_owned();
        for (step, _) in steps {
            let Step::Attribute(attribute) = step else { return };
            let Some(next) = value.entries().and_then(|entries| entries.get(attribute)) else { return };
            value = next.clone().marked(value.marks);
            name.push('.');
            name.push_str(attribute);
        }
        if !steps.is_empty() && !diagnostic.values.iter().any(|(known, _)| *known == name) {
            diagnostic.values.push((name, show::brief(&value)));
        }
    });
}

impl<'c> Context<'c> {
    pub(crate) fn charge(&self, steps: u64, span: Span) -> Result<(), Box<Diagnostic>> {
        let spent = self.steps.get().saturating_add(steps);
        self.steps.set(spent);
        if spent > MAX_STEPS {
            return Err(error(code::TOO_MUCH_WORK, "this expression takes too many steps", span));
        }
        Ok(())
    }

    fn deeper(mut self, span: Span) -> Result<Self, Box<Diagnostic>> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(error(code::TOO_DEEP, "expressions are nested too deep", span));
        }
        Ok(self)
    }

    /// The same with one more name.
    fn with(&self, frame: &'c Frame<'c>) -> Self {
        Self { frame: Some(frame), ..*self }
    }

    /// Why a root name has no value.
    fn unknown_root(&self, name: &str) -> Diagnostic {
        let constant = self.roots.known.is_empty();
        if constant && ROOTS.contains(&name) {
            return Diagnostic::error(code::NOT_AVAILABLE_HERE, format!("`{name}` cannot be used here"))
                .detail("this value is needed before any other is known, so it can refer to none")
                .help("write the value itself, or make one of several values in a `locals` block");
        }
        let names: Vec<&str> = self.roots.names().map(String::as_str).collect();
        let known = if constant { String::new() } else { format!("; names start with {}", names.join(", ")) };
        Diagnostic::error(code::UNKNOWN_NAME, format!("there is no `{name}` here")).help(
            match nearest(name, self.roots.names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if TERRAFORM.contains(&name) => {
                    format!("`{name}` is of Terraform's language; Packer has none{known}")
                }
                None => format!("text needs double quotes: \"{name}\"{known}"),
            },
        )
    }

    /// The value of a root name.
    fn root(&self, name: &str, span: Span) -> Outcome {
        let mut frame = self.frame;
        while let Some(here) = frame {
            if here.name == name {
                return Ok(here.value.clone());
            }
            frame = here.outer;
        }
        if let Some(value) = self.roots.get(name) {
            return Ok(value.clone());
        }
        if let Some(reason) = self.roots.refused.get(name) {
            return Err(error(code::NOT_AVAILABLE_HERE, format!("`{name}` cannot be used here"), span)
                .map_detail(reason));
        }
        Err(Box::new(self.unknown_root(name).at(span)))
    }
}

/// An error at a place.
pub(crate) fn error(code: Code, summary: impl Into<String>, span: Span) -> Box<Diagnostic> {
    Box::new(Diagnostic::error(code, summary).at(span))
}

/// The names that exist somewhere.
const ROOTS: [&str; 7] = ["var", "local", "data", "path", "packer", "source", "build"];

/// Names that mean something in Terraform only.
const TERRAFORM: [&str; 6] = ["each", "count", "self", "module", "resource", "terraform"];

/// Adding to a boxed diagnostic.
trait Detail {
    fn map_detail(self, detail: &str) -> Self;
}

impl Detail for Box<Diagnostic> {
    fn map_detail(mut self, detail: &str) -> Self {
        self.detail = detail.to_owned();
        self
    }
}
