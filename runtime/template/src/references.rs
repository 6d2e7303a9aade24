//! The references of an expression to root names.

use crate::syntax::{Body, Expr, Key, Node, Part, Step};
use kiln_plan::Span;

/// Called with a root name, the steps behind it and the place.
pub(crate) type Visitor<'v> = dyn FnMut(&str, &[(Step, Span)], Span) + 'v;

/// Calls `found` for every root name in `expr`, but the names that a `for` makes.
pub(crate) fn visit(expr: &Expr, found: &mut Visitor<'_>) {
    match &expr.node {
        Node::Literal(_) => {}
        Node::Template { parts, .. } => visit_parts(parts, found),
        Node::Tuple(items) => items.iter().for_each(|item| visit(item, found)),
        Node::Object(entries) => {
            for (key, value) in entries {
                if let Key::Expr(key) = key {
                    visit(key, found);
                }
                visit(value, found);
            }
        }
        Node::Name(name) => found(name, &[], expr.span),
        Node::Traversal { base, steps } => {
            match &base.node {
                Node::Name(name) => found(name, steps, expr.span),
                _ => visit(base, found),
            }
            for (step, _) in steps {
                if let Step::Index(index) = step {
                    visit(index, found);
                }
            }
        }
        Node::Call { arguments, .. } => arguments.iter().for_each(|argument| visit(argument, found)),
        Node::Conditional { condition, then, otherwise } => {
            [condition, then, otherwise].into_iter().for_each(|part| visit(part, found));
        }
        Node::Unary { operand, .. } => visit(operand, found),
        Node::Binary { left, right, .. } => {
            visit(left, found);
            visit(right, found);
        }
        Node::For(f) => {
            visit(&f.collection, found);
            let names = [f.key_name.as_deref(), Some(f.value_name.as_str())];
            let inner: &mut Visitor<'_> = &mut |name, steps, span| {
                if !names.contains(&Some(name)) {
                    found(name, steps, span);
                }
            };
            [Some(&f.value), f.key.as_ref(), f.condition.as_ref()]
                .into_iter()
                .flatten()
                .for_each(|part| visit(part, inner));
        }
        Node::Parenthesis(inner) => visit(inner, found),
    }
}

fn visit_parts(parts: &[Part], found: &mut Visitor<'_>) {
    for part in parts {
        match part {
            Part::Text(_) => {}
            Part::Value(expr) => visit(expr, found),
            Part::If { condition, then, otherwise } => {
                visit(condition, found);
                visit_parts(then, found);
                visit_parts(otherwise, found);
            }
            Part::For { key_name, value_name, collection, body, .. } => {
                visit(collection, found);
                let names = [key_name.as_deref(), Some(value_name.as_str())];
                visit_parts(body, &mut |name, steps, span| {
                    if !names.contains(&Some(name)) {
                        found(name, steps, span);
                    }
                });
            }
        }
    }
}

/// The same for all expressions of a body.
pub(crate) fn visit_body(body: &Body, found: &mut Visitor<'_>) {
    for attribute in &body.attributes {
        visit(&attribute.value, found);
    }
    for block in &body.blocks {
        visit_body(&block.body, found);
    }
}
