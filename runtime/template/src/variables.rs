//! The values of variables: default, environment, variable files, command line; the last wins.

use crate::declared::{Variable, is_empty_collection};
use crate::eval::{Roots, World, error, evaluate};
use crate::functions::Position;
use crate::load::{Template, read_text};
use crate::syntax::{self, Body};
use crate::value::convert::convert;
use crate::value::types::Type;
use crate::value::{V, Val};
use kiln_plan::code::template as code;
use kiln_plan::{Diagnostic, Diagnostics, Marks, Origin, SourceMap, Span, nearest};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What is done about entries of variable files that no variable declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Undeclared {
    /// Nothing.
    #[default]
    Ignore,
    /// A warning each.
    Warn,
}

/// Values of variables given by the user, besides `PKR_VAR_…` and the auto files.
#[derive(Debug, Clone, Default)]
pub struct VariableInputs {
    /// `-var-file`, in order.
    pub files: Vec<PathBuf>,
    /// `-var NAME=VALUE`, in order.
    pub assignments: Vec<(String, String)>,
    /// For variable files.
    pub undeclared: Undeclared,
}

/// A value that was given, before it has the variable's type.
struct Given {
    value: Val,
    span: Option<Span>,
    /// Where from, for messages.
    from: String,
}

pub(crate) struct Resolver<'r> {
    template: &'r Template,
    world: &'r World,
    sources: &'r mut SourceMap,
    diagnostics: &'r mut Diagnostics,
    given: BTreeMap<String, Given>,
    types: BTreeMap<String, Type>,
}

/// The values of all variables. One that has no value or a wrong one is unknown; if `must_be_set`
/// that is reported.
pub(crate) fn resolve(
    template: &Template,
    inputs: &VariableInputs,
    must_be_set: bool,
    sources: &mut SourceMap,
    diagnostics: &mut Diagnostics,
) -> BTreeMap<String, Val> {
    let mut resolver = Resolver {
        template,
        world: &template.world,
        sources,
        diagnostics,
        given: BTreeMap::new(),
        types: BTreeMap::new(),
    };
    let defaults = resolver.defaults();
    resolver.environment();
    for path in &template.auto_files {
        resolver.file(path, inputs.undeclared);
    }
    for path in &inputs.files {
        resolver.file(path, inputs.undeclared);
    }
    for (name, text) in &inputs.assignments {
        resolver.assignment(name, text);
    }
    resolver.finish(defaults, must_be_set)
}

impl Resolver<'_> {
    fn context(name: &str) -> String {
        format!("variable \"{name}\"")
    }

    /// Evaluates the defaults and settles the types.
    fn defaults(&mut self) -> BTreeMap<String, Val> {
        let mut defaults = BTreeMap::new();
        for (name, variable) in &self.template.declared.variables {
            let default = variable.default.as_ref().map(|expr| {
                let value = evaluate(self.world, &Roots::default(), Position::Default, expr)?;
                match &variable.ty {
                    Some(ty) => convert(&value, ty).map_err(|e| {
                        error(code::WRONG_TYPE, format!("the default does not fit the type: {e}"), expr.span)
                    }),
                    None => Ok(value),
                }
            });
            let value = match default {
                None => None,
                Some(Ok(value)) => Some(value),
                Some(Err(diagnostic)) => {
                    self.diagnostics.push(diagnostic.within(Self::context(name)));
                    Some(Val::unknown(Type::Dynamic))
                }
            };
            let inferred = match (&value, &variable.default) {
                (Some(value), Some(expr)) if !is_empty_collection(expr) && !value.is_null() => {
                    inferred(value)
                }
                _ => Type::Dynamic,
            };
            self.types.insert(name.clone(), variable.ty.clone().unwrap_or(inferred));
            if let Some(value) = value {
                defaults.insert(name.clone(), value);
            }
        }
        defaults
    }

    fn environment(&mut self) {
        for name in self.template.declared.variables.keys() {
            let Some(text) = self.world.environment.variable(&format!("PKR_VAR_{name}")) else { continue };
            let from = format!("PKR_VAR_{name}");
            let marks = Marks { origin: Origin::Environment, ..Marks::default() };
            let value = self.given_text(name, &text, &from).marked_deep(marks);
            self.given.insert(name.clone(), Given { value, span: None, from });
        }
    }

    fn assignment(&mut self, name: &str, text: &str) {
        let variables = &self.template.declared.variables;
        if !variables.contains_key(name) {
            let mut diagnostic = Diagnostic::error(
                code::UNDECLARED_VARIABLE,
                format!("-var sets `{name}`, but the template does not declare it"),
            );
            diagnostic.help = nearest(name, variables.keys())
                .map(|near| format!("did you mean `{near}`?"))
                .or_else(|| Some(format!("declare it: variable \"{name}\" {{}}")));
            self.diagnostics.push(diagnostic);
            return;
        }
        let from = format!("-var {name}");
        let value = self.given_text(name, text, &from);
        self.given.insert(name.to_owned(), Given { value, span: None, from });
    }

    /// Text from the command line or the environment: literal for strings, numbers and variables
    /// without a type, an expression for all others.
    fn given_text(&mut self, name: &str, text: &str, from: &str) -> Val {
        match self.types.get(name) {
            None | Some(Type::Text | Type::Number | Type::Dynamic) => Val::text(text),
            Some(_) => {
                let id = self.sources.add(from, text);
                let value = syntax::parse_expression(text, id)
                    .and_then(|expr| evaluate(self.world, &Roots::default(), Position::Default, &expr));
                match value {
                    Ok(value) => value,
                    Err(diagnostic) => {
                        self.diagnostics.push(diagnostic.within(Self::context(name)));
                        // A wrong value is not a missing one.
                        Val::unknown(Type::Dynamic)
                    }
                }
            }
        }
    }

    fn file(&mut self, path: &Path, undeclared: Undeclared) {
        let shown = path.to_string_lossy().into_owned();
        let text = match read_text(path, &*self.world.environment) {
            Ok(text) => text,
            Err(diagnostic) => return self.diagnostics.push(*diagnostic),
        };
        if shown.ends_with(".json") {
            return self.json(&shown, &text, undeclared);
        }
        if !shown.ends_with(".hcl") {
            self.diagnostics.push(
                Diagnostic::error(code::BAD_VARIABLE_FILE, format!("{shown} is not a variable file"))
                    .help("its name must end in .hcl or .json"),
            );
            return;
        }
        let id = self.sources.add(shown.as_str(), text.as_str());
        let parsed = syntax::parse_file(&text, id);
        self.body(&shown, &parsed.body, undeclared);
        self.diagnostics.extend(parsed.mistakes);
    }

    fn body(&mut self, shown: &str, body: &Body, undeclared: Undeclared) {
        for block in &body.blocks {
            let diagnostic = Diagnostic::error(
                code::BAD_VARIABLE_FILE,
                format!("blocks of type `{}` are not expected in a variable file", block.kind),
            )
            .at(block.header);
            self.diagnostics.push(if block.kind == "variable" {
                diagnostic.help("declare variables in a .pkr.hcl file; a variable file has only name = value")
            } else {
                diagnostic
            });
        }
        for attribute in &body.attributes {
            if !self.declared(&attribute.name, shown, Some(attribute.name_span), undeclared) {
                continue;
            }
            match evaluate(self.world, &Roots::default(), Position::Default, &attribute.value) {
                Ok(value) => {
                    let span = Some(attribute.value.span);
                    let from = shown.to_owned();
                    self.given.insert(attribute.name.clone(), Given { value, span, from });
                }
                Err(diagnostic) => self.diagnostics.push(*diagnostic),
            }
        }
    }

    fn json(&mut self, shown: &str, text: &str, undeclared: Undeclared) {
        let id = self.sources.add(shown, text);
        let value = match syntax::parse_json_value(text, id, false) {
            Ok(value) => value,
            Err(mistakes) => return self.diagnostics.extend(mistakes),
        };
        let Some(entries) = value.entries() else {
            self.diagnostics.push(
                Diagnostic::error(code::BAD_VARIABLE_FILE, format!("{shown} is not a JSON object"))
                    .help("write { \"NAME\": VALUE, … }"),
            );
            return;
        };
        for (name, value) in entries {
            if self.declared(name, shown, None, undeclared) {
                let given = Given { value: value.clone(), span: None, from: shown.to_owned() };
                self.given.insert(name.clone(), given);
            }
        }
    }

    /// Whether a variable is declared; if not, says so as is wanted.
    fn declared(&mut self, name: &str, shown: &str, span: Option<Span>, undeclared: Undeclared) -> bool {
        let variables = &self.template.declared.variables;
        if variables.contains_key(name) {
            return true;
        }
        if undeclared == Undeclared::Warn {
            let mut diagnostic = Diagnostic::warning(
                code::UNDECLARED_VARIABLE,
                format!("{shown} sets `{name}`, but the template does not declare it"),
            );
            diagnostic.span = span;
            diagnostic.help = nearest(name, variables.keys())
                .map(|near| format!("did you mean `{near}`?"))
                .or_else(|| Some(format!("declare it: variable \"{name}\" {{}}")));
            self.diagnostics.push(diagnostic);
        }
        false
    }

    fn finish(mut self, mut defaults: BTreeMap<String, Val>, must_be_set: bool) -> BTreeMap<String, Val> {
        let mut values = BTreeMap::new();
        let variables = &self.template.declared.variables;
        for (name, variable) in variables {
            let ty = self.types.get(name).cloned().unwrap_or(Type::Dynamic);
            let given = self.given.remove(name);
            let value = match given {
                Some(given) => self.given_value(name, variable, given, &ty),
                None => match defaults.remove(name) {
                    Some(value) => value,
                    None => {
                        if must_be_set {
                            self.diagnostics.push(unset(name, variable));
                        }
                        Val::unknown(ty)
                    }
                },
            };
            let value = if variable.sensitive {
                value.marked_deep(Marks { sensitive: true, ..Marks::default() })
            } else {
                value
            };
            self.validate(name, variable, &value);
            values.insert(name.clone(), value);
        }
        values
    }

    fn given_value(&mut self, name: &str, variable: &Variable, given: Given, ty: &Type) -> Val {
        if !given.value.within_bounds() {
            let summary = format!("the value of `{name}` from {} is too large", given.from);
            self.diagnostics.push(Diagnostic::error(code::TOO_MUCH_WORK, summary));
            return Val::unknown(ty.clone());
        }
        // An inferred list may hold anything.
        if variable.ty.is_none() && matches!(ty, Type::List(_)) && given.value.items().is_some() {
            return given.value;
        }
        convert(&given.value, ty).unwrap_or_else(|e| {
            let mut diagnostic = Diagnostic::error(
                code::WRONG_TYPE,
                format!("the value of `{name}` from {} does not fit its type: {e}", given.from),
            );
            diagnostic.span = given.span.or(Some(variable.span));
            self.diagnostics.push(diagnostic.within(Self::context(name)));
            Val::unknown(ty.clone())
        })
    }

    fn validate(&mut self, name: &str, variable: &Variable, value: &Val) {
        let mut roots = Roots::default();
        roots.insert("var", name, value.clone());
        for validation in &variable.validations {
            let result = evaluate(self.world, &roots, Position::Anywhere, &validation.condition)
                .and_then(|v| {
                    convert(&v, &Type::Bool).map_err(|_| {
                        error(code::BAD_VALIDATION, "the condition must be true or false", validation.span)
                    })
                })
                .map(|v| v.v);
            match result {
                Ok(V::Bool(false)) => {
                    let mut diagnostic = Diagnostic::error(
                        code::INVALID_VALUE,
                        format!("the value of `{name}` is not valid: {}", validation.message),
                    )
                    .at(validation.span);
                    if !value.deep_marks().sensitive {
                        diagnostic.values.push((format!("var.{name}"), crate::show::brief(value)));
                    }
                    self.diagnostics.push(diagnostic.within(Self::context(name)));
                }
                Ok(V::Null(_)) => self.diagnostics.push(
                    error(code::BAD_VALIDATION, "the condition must not be null", validation.span)
                        .within(Self::context(name)),
                ),
                Ok(_) => {}
                Err(diagnostic) => self.diagnostics.push(diagnostic.within(Self::context(name))),
            }
        }
    }
}

fn unset(name: &str, variable: &Variable) -> Diagnostic {
    Diagnostic::error(code::UNSET_VARIABLE, format!("variable `{name}` has no value"))
        .at(variable.span)
        .within(Resolver::context(name))
        .help(format!("give it one: -var '{name}=…', a -var-file, or PKR_VAR_{name} in the environment"))
}

/// The type that a default gives its variable.
fn inferred(value: &Val) -> Type {
    match value.ty() {
        ty @ (Type::Bool | Type::Number | Type::Text) => ty,
        // What replaces a list or object need not have as many items of the same types.
        Type::Tuple(_) => Type::list(Type::Dynamic),
        _ => Type::Dynamic,
    }
}
