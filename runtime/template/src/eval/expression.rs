//! One kind of expression at a time.

use super::{Context, Detail, Frame, Outcome, error};
use crate::functions;
use crate::syntax::{Expr, For, Key, Node};
use crate::value::types::Type;
use crate::value::{V, Val, convert};
use kiln_plan::code::template as code;
use kiln_plan::{Diagnostic, Marks, Span};
use std::collections::BTreeMap;

impl Context<'_> {
    /// The value of an expression.
    pub(crate) fn eval(&self, expr: &Expr) -> Outcome {
        self.charge(1, expr.span)?;
        let inner = self.deeper(expr.span)?;
        match &expr.node {
            Node::Literal(value) => Ok(value.clone()),
            Node::Template { parts, wrap } => inner.template(parts, *wrap, expr.span),
            Node::Tuple(items) => {
                let items: Result<Vec<Val>, _> = items.iter().map(|item| inner.eval(item)).collect();
                Ok(Val::tuple(items?))
            }
            Node::Object(entries) => inner.object(entries),
            Node::Name(name) => self.root(name, expr.span),
            Node::Traversal { base, steps } => inner.traversal(base, steps),
            Node::Call { name, name_span, arguments, expand } => {
                inner.call(name, *name_span, arguments, *expand, expr.span)
            }
            Node::Conditional { condition, then, otherwise } => inner.conditional(condition, then, otherwise),
            Node::Unary { operator, operand } => inner.unary(*operator, operand),
            Node::Binary { operator, left, right } => inner.binary(*operator, left, right, expr.span),
            Node::For(f) => inner.for_expression(f, expr.span),
            Node::Parenthesis(expr) => inner.eval(expr),
        }
    }

    fn object(&self, entries: &[(Key, Expr)]) -> Outcome {
        let mut object = BTreeMap::new();
        let mut marks = Marks::default();
        let mut unknown = false;
        for (key, value) in entries {
            let value = self.eval(value)?;
            match key {
                Key::Name(name) => {
                    object.insert(name.clone(), value);
                }
                Key::Expr(key) => match self.key(key)? {
                    (Some(name), key_marks) => {
                        marks = marks.join(key_marks);
                        object.insert(name, value);
                    }
                    (None, _) => unknown = true,
                },
            }
        }
        if unknown {
            return Ok(Val::unknown(Type::Dynamic).marked(marks));
        }
        Ok(Val::object(object).marked(marks))
    }

    /// A key as text; `None` if it is unknown.
    fn key(&self, key: &Expr) -> Result<(Option<String>, Marks), Box<Diagnostic>> {
        let value = self.eval(key)?;
        if value.is_null() {
            return Err(error(code::WRONG_TYPE, "a key cannot be null", key.span));
        }
        let text = convert::convert(&value, &Type::Text).map_err(|_| {
            error(code::WRONG_TYPE, "a key must be a string", key.span)
                .map_detail(&format!("this is {}", value.describe()))
        })?;
        Ok((text.as_text().map(str::to_owned), value.marks))
    }

    fn conditional(&self, condition: &Expr, then: &Expr, otherwise: &Expr) -> Outcome {
        let truth = self.truth(condition)?;
        // Both sides give the type, only one must have a value.
        let (yes, no) = (self.eval(then), self.eval(otherwise));
        let taken = match truth.v {
            V::Bool(true) => yes.clone()?,
            V::Bool(false) => no.clone()?,
            _ => {
                let (yes, no) = (yes?, no?);
                let ty = convert::unify(&[yes.ty(), no.ty()])
                    .ok_or_else(|| inconsistent(&yes.ty(), &no.ty(), then.span))?;
                return Ok(Val::unknown(ty).marked(truth.marks).marked(yes.marks).marked(no.marks));
            }
        };
        let taken = taken.marked(truth.marks);
        let types: Vec<Type> =
            [&yes, &no].iter().filter_map(|side| side.as_ref().ok()).map(Val::ty).collect();
        match convert::unify(&types) {
            Some(ty) if !ty.has_dynamic() => Ok(convert::convert(&taken, &ty).unwrap_or(taken)),
            Some(_) => Ok(taken),
            None => {
                let [yes, no] = types.as_slice() else { return Ok(taken) };
                Err(inconsistent(yes, no, then.span))
            }
        }
    }

    /// A condition: a known or unknown bool.
    pub(super) fn truth(&self, expr: &Expr) -> Outcome {
        let value = self.eval(expr)?;
        if value.is_null() {
            return Err(error(code::WRONG_TYPE, "a condition cannot be null", expr.span));
        }
        convert::convert(&value, &Type::Bool).map_err(|_| {
            error(code::WRONG_TYPE, "a condition must be true or false", expr.span)
                .map_detail(&format!("this is {}", value.describe()))
        })
    }

    fn for_expression(&self, f: &For, span: Span) -> Outcome {
        let collection = self.eval(&f.collection)?;
        let marks = collection.marks;
        let Some(pairs) = pairs(&collection) else {
            if collection.is_unknown() && !collection.ty().is_primitive() {
                return Ok(Val::unknown(Type::Dynamic).marked(marks));
            }
            return Err(not_a_collection(&collection, f.collection.span));
        };
        let mut list = Vec::new();
        let mut object: BTreeMap<String, Val> = BTreeMap::new();
        let mut groups: BTreeMap<String, Vec<Val>> = BTreeMap::new();
        let mut joined = marks;
        let mut unknown = false;
        for (key, value) in pairs {
            self.charge(1, span)?;
            let value = value.marked(marks);
            let key_name = f.key_name.as_deref().unwrap_or("");
            let outer = Frame { name: key_name, value: &key, outer: self.frame };
            let frame = Frame { name: &f.value_name, value: &value, outer: Some(&outer) };
            let inner = self.shorter().with(&frame);
            if let Some(condition) = &f.condition {
                let truth = inner.truth(condition)?;
                joined = joined.join(truth.marks);
                match truth.v {
                    V::Bool(true) => {}
                    V::Bool(false) => continue,
                    _ => {
                        unknown = true;
                        continue;
                    }
                }
            }
            let Some(key_expr) = &f.key else {
                list.push(inner.eval(&f.value)?);
                continue;
            };
            let (Some(name), key_marks) = inner.key(key_expr)? else {
                unknown = true;
                continue;
            };
            joined = joined.join(key_marks);
            let item = inner.eval(&f.value)?;
            if f.grouping {
                groups.entry(name).or_default().push(item);
            } else if object.insert(name.clone(), item).is_some() {
                return Err(error(
                    code::DUPLICATE_KEY,
                    format!("the key \"{name}\" occurs twice"),
                    key_expr.span,
                )
                .map_detail("put ... after the value to group values by key"));
            }
        }
        if unknown {
            return Ok(Val::unknown(Type::Dynamic).marked(joined));
        }
        Ok(match (&f.key, f.grouping) {
            (None, _) => Val::tuple(list),
            (Some(_), true) => Val::object(groups.into_iter().map(|(k, v)| (k, Val::tuple(v))).collect()),
            (Some(_), false) => Val::object(object),
        }
        .marked(joined))
    }

    /// Keys and values of a collection.
    ///
    /// # Errors
    /// It is not one.
    pub(crate) fn pairs(collection: &Val, span: Span) -> Result<Vec<(Val, Val)>, Box<Diagnostic>> {
        pairs(collection).ok_or_else(|| not_a_collection(collection, span))
    }

    /// A shorter borrow of itself, for frames that live shorter.
    pub(super) fn shorter<'s>(&'s self) -> Context<'s> {
        *self
    }

    fn call(&self, name: &str, name_span: Span, arguments: &[Expr], expand: bool, span: Span) -> Outcome {
        match name {
            "try" => return self.try_each(arguments, span),
            "can" => return self.can(arguments, span),
            "convert" => return self.convert_call(arguments, span),
            _ => {}
        }
        let function = functions::find(name, self.position).map_err(|mut diagnostic| {
            diagnostic.span = Some(name_span);
            diagnostic
        })?;
        let mut values = Vec::with_capacity(arguments.len());
        let mut spans = Vec::with_capacity(arguments.len());
        for argument in arguments {
            values.push(self.eval(argument)?);
            spans.push(argument.span);
        }
        if expand && let Some(last) = values.pop() {
            let last_span = spans.pop().unwrap_or(span);
            if last.is_unknown() {
                return Ok(Val::unknown(Type::Dynamic).marked(last.marks));
            }
            let items = last.items().ok_or_else(|| {
                error(code::WRONG_TYPE, "only a list, set or tuple can be expanded with ...", last_span)
            })?;
            for item in items {
                values.push(item.clone().marked(last.marks));
                spans.push(last_span);
            }
        }
        functions::call(function, self, values, &spans, span)
    }

    fn try_each(&self, arguments: &[Expr], span: Span) -> Outcome {
        let mut first = None;
        for argument in arguments {
            match self.eval(argument) {
                Ok(value) => return Ok(value),
                Err(e) => first = first.or(Some(e)),
            }
        }
        let mut failed = error(code::FUNCTION, "no argument of `try` could be evaluated", span);
        if let Some(first) = first {
            failed.detail = format!("the first one: {}", first.summary);
        }
        Err(failed)
    }

    fn can(&self, arguments: &[Expr], span: Span) -> Outcome {
        let [argument] = arguments else {
            return Err(error(code::FUNCTION, "`can` takes one argument", span));
        };
        Ok(match self.eval(argument) {
            Ok(value) if !value.wholly_known() => Val::unknown(Type::Bool).marked(value.marks),
            Ok(_) => Val::bool(true),
            Err(_) => Val::bool(false),
        })
    }

    fn convert_call(&self, arguments: &[Expr], span: Span) -> Outcome {
        let [value, ty] = arguments else {
            return Err(error(code::FUNCTION, "`convert` takes a value and a type", span));
        };
        let value_span = value.span;
        let value = self.eval(value)?;
        let ty = crate::value::types::constraint(ty, &|expr| self.eval(expr))?;
        convert::convert(&value, &ty)
            .map_err(|e| error(code::FUNCTION, format!("cannot convert: {e}"), value_span))
    }
}

fn inconsistent(yes: &Type, no: &Type, span: Span) -> Box<Diagnostic> {
    error(code::INCONSISTENT_TYPES, "the two results of `? :` have different types", span)
        .map_detail(&format!("the first is {yes}, the second {no}"))
}

/// Keys and values of a collection, in its order.
pub(super) fn pairs(collection: &Val) -> Option<Vec<(Val, Val)>> {
    if let Some(entries) = collection.entries() {
        return Some(entries.iter().map(|(k, v)| (Val::text(k.as_str()), v.clone())).collect());
    }
    let items = collection.items()?;
    let is_set = matches!(collection.v, V::Set(..));
    Some(
        items
            .iter()
            .enumerate()
            .map(|(i, v)| (if is_set { v.clone() } else { Val::number(i) }, v.clone()))
            .collect(),
    )
}

/// The error of looping over something that has no items.
pub(super) fn not_a_collection(value: &Val, span: Span) -> Box<Diagnostic> {
    let what = if value.is_null() { "null" } else { "this" };
    error(code::WRONG_TYPE, format!("cannot loop over {what}"), span)
        .map_detail(&format!("a list, set, tuple, map or object is needed, not {}", value.describe()))
}
