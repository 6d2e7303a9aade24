//! Types, and the type constraints of `variable` blocks.

use super::Val;
use crate::syntax::{Expr, Key, Node, Step};
use kiln_plan::code::template as code;
use kiln_plan::{Diagnostic, Span};
use std::collections::BTreeMap;
use std::fmt;

/// A type of the language.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Type {
    /// Any; the type of a value that nothing is known of.
    Dynamic,
    Bool,
    Number,
    Text,
    List(Box<Type>),
    Set(Box<Type>),
    Map(Box<Type>),
    Tuple(Vec<Type>),
    Object(BTreeMap<String, Attribute>),
}

/// An attribute of an object type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Attribute {
    pub(crate) ty: Type,
    /// `optional(T)` or `optional(T, default)`.
    pub(crate) optional: bool,
    pub(crate) default: Option<Box<Val>>,
}

impl Attribute {
    pub(crate) fn of(ty: Type) -> Self {
        Self { ty, optional: false, default: None }
    }
}

impl Type {
    pub(crate) fn list(item: Type) -> Self {
        Self::List(Box::new(item))
    }

    pub(crate) fn map(item: Type) -> Self {
        Self::Map(Box::new(item))
    }

    pub(crate) fn is_primitive(&self) -> bool {
        matches!(self, Self::Bool | Self::Number | Self::Text)
    }

    /// Whether `any` occurs in it.
    pub(crate) fn has_dynamic(&self) -> bool {
        match self {
            Self::Dynamic => true,
            Self::List(item) | Self::Set(item) | Self::Map(item) => item.has_dynamic(),
            Self::Tuple(items) => items.iter().any(Self::has_dynamic),
            Self::Object(attributes) => attributes.values().any(|a| a.ty.has_dynamic()),
            _ => false,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dynamic => f.write_str("any"),
            Self::Bool => f.write_str("bool"),
            Self::Number => f.write_str("number"),
            Self::Text => f.write_str("string"),
            Self::List(item) => write!(f, "list of {item}"),
            Self::Set(item) => write!(f, "set of {item}"),
            Self::Map(item) => write!(f, "map of {item}"),
            Self::Tuple(_) => f.write_str("tuple"),
            Self::Object(_) => f.write_str("object"),
        }
    }
}

/// Reads a type constraint. `evaluate` gives the value of the default of an `optional`.
///
/// # Errors
/// Points at the part that is not a type.
pub(crate) fn constraint(
    expr: &Expr,
    evaluate: &dyn Fn(&Expr) -> Result<Val, Box<Diagnostic>>,
) -> Result<Type, Box<Diagnostic>> {
    match &expr.node {
        Node::Name(name) => match name.as_str() {
            "string" => Ok(Type::Text),
            "number" => Ok(Type::Number),
            "bool" => Ok(Type::Bool),
            "any" => Ok(Type::Dynamic),
            "list" | "set" | "map" => {
                Err(bad(expr.span, format!("`{name}` needs the type of its items: {name}(string)")))
            }
            "object" => Err(bad(expr.span, "`object` needs its attributes: object({ name = string })")),
            "tuple" => Err(bad(expr.span, "`tuple` needs its types: tuple([string, number])")),
            _ => Err(bad(expr.span, format!("`{name}` is not a type"))),
        },
        Node::Literal(value) if value.as_text().is_some() => {
            Err(bad(expr.span, "a type is written without quotes"))
        }
        Node::Call { name, arguments, .. } => call(expr.span, name, arguments, evaluate),
        _ => Err(bad(expr.span, "this is not a type")),
    }
}

fn call(
    span: Span,
    name: &str,
    arguments: &[Expr],
    evaluate: &dyn Fn(&Expr) -> Result<Val, Box<Diagnostic>>,
) -> Result<Type, Box<Diagnostic>> {
    match (name, arguments) {
        ("list", [item]) => Ok(Type::list(constraint(item, evaluate)?)),
        ("set", [item]) => Ok(Type::Set(Box::new(constraint(item, evaluate)?))),
        ("map", [item]) => Ok(Type::map(constraint(item, evaluate)?)),
        ("tuple", [Expr { node: Node::Tuple(items), .. }]) => {
            let items: Result<Vec<Type>, _> = items.iter().map(|item| constraint(item, evaluate)).collect();
            Ok(Type::Tuple(items?))
        }
        ("object", [Expr { node: Node::Object(entries), .. }]) => {
            let mut attributes = BTreeMap::new();
            for (key, value) in entries {
                let name = match key {
                    Key::Name(name) => name.clone(),
                    Key::Expr(key) => match &key.node {
                        Node::Literal(value) if value.as_text().is_some() => {
                            value.as_text().unwrap_or_default().to_owned()
                        }
                        _ => return Err(bad(key.span, "the names of an object type must be plain")),
                    },
                };
                attributes.insert(name, attribute(value, evaluate)?);
            }
            Ok(Type::Object(attributes))
        }
        ("optional", _) => Err(bad(span, "`optional` is for the attributes of an object type")),
        ("list" | "set" | "map" | "tuple" | "object", _) => {
            Err(bad(span, format!("`{name}` takes one argument, such as {name}({})", example(name))))
        }
        _ => Err(bad(span, format!("`{name}` is not a type"))),
    }
}

fn example(name: &str) -> &'static str {
    match name {
        "tuple" => "[string]",
        "object" => "{ name = string }",
        _ => "string",
    }
}

fn attribute(
    expr: &Expr,
    evaluate: &dyn Fn(&Expr) -> Result<Val, Box<Diagnostic>>,
) -> Result<Attribute, Box<Diagnostic>> {
    let Node::Call { name, arguments, .. } = &expr.node else {
        return Ok(Attribute::of(constraint(expr, evaluate)?));
    };
    if name != "optional" {
        return Ok(Attribute::of(constraint(expr, evaluate)?));
    }
    match arguments.as_slice() {
        [ty] => Ok(Attribute { ty: constraint(ty, evaluate)?, optional: true, default: None }),
        [ty, default] => {
            let ty = constraint(ty, evaluate)?;
            let default = super::convert::convert(&evaluate(default)?, &ty)
                .map_err(|e| bad(default.span, format!("the default does not fit: {e}")))?;
            Ok(Attribute { ty, optional: true, default: Some(Box::new(default)) })
        }
        _ => Err(bad(expr.span, "`optional` takes a type and, if wanted, a default")),
    }
}

fn bad(span: Span, message: impl Into<String>) -> Box<Diagnostic> {
    Box::new(Diagnostic::error(code::BAD_TYPE, message).at(span).help(
        "types are string, number, bool, any, list(T), set(T), map(T), tuple([T, …]) and object({ name = T, … })",
    ))
}

/// The root name and the first attribute of a traversal such as `var.x`.
pub(crate) fn first_step(steps: &[(Step, Span)]) -> Option<&str> {
    match steps.first() {
        Some((Step::Attribute(name), _)) => Some(name),
        _ => None,
    }
}
