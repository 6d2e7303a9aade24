//! The functions of legacy templates, and who may call which where.

use super::variables::Variables;
use crate::PACKER_VERSION;
use crate::eval::{Roots, World, evaluate};
use crate::functions::Position;
use crate::syntax::{Expr, Node};
use crate::value::Val;
use kiln_plan::code::template as code;
use kiln_plan::go_template::{Functions, PackerFunctions};
use kiln_plan::{BuildValues, Diagnostic, Diagnostics, FileId, Marks, Origin, Span, nearest};
use serde_json::Value as Json;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

/// Functions that ask a server, of the same names in HCL.
const REMOTE: [&str; 4] = ["vault", "consul_key", "aws_secretsmanager", "aws_secretsmanager_raw"];

/// What is the same for all texts of one run.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) world: World,
    pub(super) variables: Variables,
    uuid: String,
}

impl Run {
    pub(super) fn new(world: World) -> Self {
        let mut bytes = [0; 16];
        world.environment.random(&mut bytes);
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or("").to_owned();
        let uuid = [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-");
        Self { world, variables: Variables::default(), uuid }
    }

    /// The functions where there is no build.
    pub(super) fn scope(&self, place: Place) -> Scope<'_> {
        let cwd = self.world.environment.working_directory();
        let slashes = |path: &Path| path.to_string_lossy().replace('\\', "/");
        let packer = PackerFunctions {
            build_name: None,
            build_type: None,
            template_dir: slashes(&clean(&cwd.join(&self.world.root))),
            working_directory: slashes(&cwd),
            version: PACKER_VERSION.to_owned(),
            uuid: self.uuid.clone(),
            started: self.world.environment.started(),
            build: BTreeMap::new(),
        };
        let variables = &self.variables;
        Scope { packer, place, world: &self.world, variables, values: None, seen: RefCell::default() }
    }
}

/// A path without `.` and, where that is plain, without `..`.
fn clean(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

/// Where a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The value of a variable: it may ask the environment and servers.
    Variable,
    /// `console`, or the name of a builder.
    Outside,
    /// An option of a builder.
    Builder,
    /// An option of a provisioner or post-processor: it may use what the build made.
    Step,
}

/// What rendering noticed.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Of all that was used.
    pub(super) marks: Marks,
    /// Variables that have no value.
    pub(super) missing: BTreeSet<String>,
    /// Something was used that is not known yet, so the text is not known either.
    pub(super) unknown: bool,
}

/// The functions that a text may call.
pub(super) struct Scope<'s> {
    packer: PackerFunctions,
    place: Place,
    world: &'s World,
    pub(super) variables: &'s Variables,
    values: Option<&'s BuildValues>,
    seen: RefCell<Seen>,
}

impl<'s> Scope<'s> {
    /// Within a build, whose values are known when it runs.
    pub(super) fn of_build(mut self, name: &str, ty: &str, values: Option<&'s BuildValues>) -> Self {
        self.packer.build_name = Some(name.to_owned());
        self.packer.build_type = Some(ty.to_owned());
        self.values = values;
        self
    }

    /// With other variables, while those are being settled.
    pub(super) fn with(mut self, variables: &'s Variables) -> Self {
        self.variables = variables;
        self
    }

    /// Whether `build` has no value yet but will have one.
    pub(super) fn is_early(&self) -> bool {
        self.place == Place::Step && self.values.is_none()
    }

    /// What was noticed since the last time.
    pub(super) fn take_seen(&self) -> Seen {
        self.seen.take()
    }

    /// A warning for each variable that was empty because nothing declares or sets it.
    pub(super) fn warnings(&self, seen: Seen, span: Span) -> Diagnostics {
        if seen.missing.is_empty() {
            return Diagnostics::new();
        }
        let names = self.variables.names();
        let warning = |name: String| {
            let summary = format!("variable `{name}` is not declared and has no value, so it is empty");
            Diagnostic {
                help: Some(declare(&name, &names)),
                ..Diagnostic::warning(code::UNDECLARED_VARIABLE, summary)
            }
            .at(span)
        };
        seen.missing.into_iter().map(warning).collect()
    }

    fn see(&self, marks: Marks) {
        let mut seen = self.seen.borrow_mut();
        seen.marks = seen.marks.join(marks);
    }

    /// The value of a variable; without one it is empty, and that is noticed.
    pub(super) fn user(&self, name: &str) -> String {
        let Some(value) = self.variables.get(name) else {
            self.seen.borrow_mut().missing.insert(name.to_owned());
            return String::new();
        };
        self.see(value.marks);
        value.as_text().map_or_else(|| self.unknown(), str::to_owned)
    }

    /// A text in the place of one that is not known; what becomes of it is not used.
    fn unknown(&self) -> String {
        self.seen.borrow_mut().unknown = true;
        String::new()
    }

    fn variable_of_environment(&self, name: &str) -> Result<Json, String> {
        if self.place != Place::Variable {
            let advice = format!("declare a variable \"{{{{env `{name}`}}}}\" and use that");
            return Err(format!("`env` may be called in `variables` only; {advice}"));
        }
        self.see(Marks { origin: Origin::Environment, ..Marks::default() });
        Ok(self.world.environment.variable(name).unwrap_or_default().into())
    }

    fn remote(&self, name: &str, arguments: &[Json]) -> Result<Json, String> {
        if self.place != Place::Variable {
            return Err(format!("`{name}` may be called in `variables` only"));
        }
        let span = Span { file: FileId(u32::MAX), start: 0, end: 0 };
        let literal = |node| Expr { node, span };
        let arguments = arguments.iter().map(|json| match json {
            Json::String(text) => Ok(literal(Node::Literal(Val::text(text.as_str())))),
            _ => Err("the argument must be a string".to_owned()),
        });
        let mut arguments = arguments.collect::<Result<Vec<_>, _>>()?;
        if name == "aws_secretsmanager" && arguments.len() == 1 {
            // The only key of the secret.
            arguments.push(literal(Node::Literal(Val::null())));
        }
        let call = Node::Call { name: name.to_owned(), name_span: span, arguments, expand: false };
        let value = evaluate(self.world, &Roots::default(), Position::Anywhere, &literal(call));
        match value {
            Ok(value) => {
                self.see(value.deep_marks());
                Ok(value.as_text().map_or_else(|| self.unknown(), str::to_owned).into())
            }
            Err(diagnostic) => Err(diagnostic.summary),
        }
    }

    fn build(&self, key: &str) -> Result<Json, String> {
        if self.place != Place::Step {
            return Err("`build` is known in provisioners and post-processors only".to_owned());
        }
        let value = self.values.and_then(|values| values.build.get(key));
        let value = value.ok_or_else(|| format!("the build has no value `{key}`"))?;
        self.see(value.marks);
        Ok(value.to_json())
    }
}

impl Functions for Scope<'_> {
    fn has(&self, name: &str) -> bool {
        self.packer.has(name) || REMOTE.contains(&name)
    }

    fn call(&self, name: &str, arguments: &[Json]) -> Result<Json, String> {
        match (name, arguments) {
            ("user", [Json::String(name)]) => Ok(self.user(name).into()),
            ("env", [Json::String(name)]) => self.variable_of_environment(name),
            ("build", [Json::String(key)]) => self.build(key),
            ("user" | "env" | "build", [_]) => Err("the argument must be a string".to_owned()),
            ("user" | "env" | "build", _) => {
                Err(format!("wrong number of args: want 1 got {}", arguments.len()))
            }
            (name, _) if REMOTE.contains(&name) => self.remote(name, arguments),
            _ => self.packer.call(name, arguments),
        }
    }
}

/// What to do about a variable that nothing declares.
pub(super) fn declare(name: &str, names: &[String]) -> String {
    match nearest(name, names.iter()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("declare it: \"variables\": {{ \"{name}\": \"…\" }}"),
    }
}
