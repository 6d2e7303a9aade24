//! Attributes, indexes and splats.

use super::{Context, Detail, Outcome, error};
use crate::syntax::{Expr, Node, Step};
use crate::value::types::Type;
use crate::value::{V, Val, convert};
use kiln_plan::code::template as code;
use kiln_plan::{Diagnostic, Span, nearest};

impl Context<'_> {
    pub(super) fn traversal(&self, base: &Expr, steps: &[(Step, Span)]) -> Outcome {
        let value = self.eval(base)?;
        let path = match &base.node {
            Node::Name(name) => name.clone(),
            _ => String::new(),
        };
        self.steps(value, steps, path, base.span.start)
    }

    /// `start` is where the traversal begins, so that an error shows all of it up to the step.
    fn steps(&self, value: Val, steps: &[(Step, Span)], mut path: String, start: u32) -> Outcome {
        let mut here = value;
        let mut rest = steps;
        while let Some(((step, span), after)) = rest.split_first() {
            self.charge(1, *span)?;
            match step {
                Step::Attribute(name) => {
                    here = attribute(&here, name, &path, Span { start, ..*span })?;
                    path.push('.');
                    path.push_str(name);
                }
                Step::Index(expr) => {
                    here = index(&here, &self.eval(expr)?, &path, expr.span)?;
                    path.push_str("[…]");
                }
                Step::FullSplat => {
                    return self.deeper(*span)?.splat(&here, after, &path, Span { start, ..*span });
                }
                Step::AttributeSplat => {
                    let count = after.iter().take_while(|(s, _)| matches!(s, Step::Attribute(_))).count();
                    let (each, later) = after.split_at(count);
                    here = self.deeper(*span)?.splat(&here, each, &path, Span { start, ..*span })?;
                    rest = later;
                    continue;
                }
            }
            rest = after;
        }
        Ok(here)
    }

    fn splat(&self, value: &Val, each: &[(Step, Span)], path: &str, span: Span) -> Outcome {
        if value.is_unknown() {
            return Ok(Val::unknown(Type::Dynamic).marked(value.marks));
        }
        if value.is_null() {
            return Ok(Val::tuple(Vec::new()).marked(value.marks));
        }
        let alone = std::slice::from_ref(value);
        let items = value.items().unwrap_or(alone);
        let mut results = Vec::with_capacity(items.len());
        for item in items {
            self.charge(1, span)?;
            results.push(self.steps(
                item.clone().marked(value.marks),
                each,
                format!("{path}[*]"),
                span.start,
            )?);
        }
        Ok(Val::tuple(results).marked(value.marks))
    }
}

/// `value.name`.
fn attribute(value: &Val, name: &str, path: &str, span: Span) -> Outcome {
    let shown = if path.is_empty() { "this value".to_owned() } else { format!("`{path}`") };
    match &value.v {
        V::Unknown(Type::Object(attributes)) if !attributes.contains_key(name) => {
            Err(missing(value, attributes.keys(), name, path, &shown, span))
        }
        V::Unknown(Type::Dynamic | Type::Map(_) | Type::Object(_)) => Ok(unknown_part(value, name)),
        V::Object(entries) | V::Map(_, entries) => match entries.get(name) {
            Some(item) => Ok(item.clone().marked(value.marks)),
            None => Err(missing(value, entries.keys(), name, path, &shown, span)),
        },
        V::Null(_) => Err(error(code::NULL_VALUE, format!("{shown} is null, it has no attributes"), span)),
        _ => Err(error(code::WRONG_TYPE, format!("{shown} has no attributes"), span)
            .map_detail(&format!("it is {}", value.describe()))),
    }
}

/// A part of an unknown value, of the type that is known of it.
fn unknown_part(value: &Val, name: &str) -> Val {
    let ty = match value.ty() {
        Type::Map(item) | Type::List(item) => *item,
        Type::Object(attributes) => attributes.get(name).map_or(Type::Dynamic, |a| a.ty.clone()),
        _ => Type::Dynamic,
    };
    Val::unknown(ty).marked(value.marks)
}

fn missing<'k>(
    value: &Val,
    keys: impl Iterator<Item = &'k String> + Clone,
    name: &str,
    path: &str,
    shown: &str,
    span: Span,
) -> Box<Diagnostic> {
    let (code, summary) = match path {
        "var" => (code::UNKNOWN_VARIABLE, format!("variable `{name}` is not declared")),
        "local" => (code::UNKNOWN_LOCAL, format!("local `{name}` is not declared")),
        "data" => (code::UNKNOWN_DATA, format!("no data source of type `{name}` is declared")),
        _ if path.strip_prefix("data.").is_some_and(|ty| !ty.contains('.')) => (
            code::UNKNOWN_DATA,
            format!("data source `{}.{name}` is not declared", path.trim_start_matches("data.")),
        ),
        "build" => (code::UNKNOWN_BUILD_VALUE, format!("the build has no value `{name}`")),
        _ if matches!(value.v, V::Map(..)) => (code::UNKNOWN_KEY, format!("{shown} has no key \"{name}\"")),
        _ => (code::UNKNOWN_ATTRIBUTE, format!("{shown} has no attribute `{name}`")),
    };
    let mut diagnostic = Diagnostic::error(code, summary).at(span);
    diagnostic.help = match nearest(name, keys.clone()) {
        Some(near) => Some(format!("did you mean `{near}`?")),
        None if path == "var" => Some(format!("declare it: variable \"{name}\" {{}}")),
        None => {
            let names: Vec<&str> = keys.take(12).map(String::as_str).collect();
            (!names.is_empty()).then(|| format!("it has {}", names.join(", ")))
        }
    };
    Box::new(diagnostic)
}

/// `value[key]`.
pub(crate) fn index(value: &Val, key: &Val, path: &str, span: Span) -> Outcome {
    let marks = value.marks.join(key.marks);
    if key.is_null() {
        return Err(error(code::WRONG_TYPE, "an index cannot be null", span));
    }
    let indexed = !(value.ty().is_primitive() || matches!(value.ty(), Type::Set(_)));
    if indexed && (value.is_unknown() || key.is_unknown()) {
        let ty = match value.ty() {
            Type::Map(item) | Type::List(item) => *item,
            _ => Type::Dynamic,
        };
        return Ok(Val::unknown(ty).marked(marks));
    }
    match &value.v {
        V::Object(entries) | V::Map(_, entries) => {
            let name = convert::convert(key, &Type::Text)
                .map_err(|_| error(code::WRONG_TYPE, "the key must be a string", span))?;
            let name = name.as_text().unwrap_or_default();
            let shown = if path.is_empty() { "this value".to_owned() } else { format!("`{path}`") };
            match entries.get(name) {
                Some(item) => Ok(item.clone().marked(marks)),
                None => Err(missing(value, entries.keys(), name, path, &shown, span)),
            }
        }
        V::List(_, items) | V::Tuple(items) => {
            let number = convert::convert(key, &Type::Number)
                .map_err(|_| error(code::WRONG_TYPE, "the index must be a number", span))?;
            let at = match &number.v {
                V::Number(n) => n.to_usize(),
                _ => None,
            };
            let item = at.and_then(|at| items.get(at));
            item.map(|item| item.clone().marked(marks)).ok_or_else(|| {
                error(code::INDEX_OUT_OF_RANGE, "the index is out of range", span)
                    .map_detail(&format!("there are {} items, counted from 0", items.len()))
            })
        }
        V::Null(_) => Err(error(code::NULL_VALUE, "null has no items", span)),
        V::Set(..) | V::Unknown(Type::Set(_)) => {
            Err(error(code::WRONG_TYPE, "the items of a set have no index", span))
        }
        _ => Err(error(code::WRONG_TYPE, "this value has no items", span)
            .map_detail(&format!("it is {}", value.describe()))),
    }
}
