//! String templates.

use super::expression::{not_a_collection, pairs};
use super::{Context, Detail, Frame, MAX_TEXT, Outcome, error};
use crate::syntax::{Expr, Part};
use crate::value::types::Type;
use crate::value::{V, Val, convert};
use kiln_plan::code::template as code;
use kiln_plan::{Diagnostic, Marks, Span};

/// Text as it grows. Unknown as soon as a part of it is.
struct Text {
    text: String,
    marks: Marks,
    unknown: bool,
}

impl Context<'_> {
    pub(super) fn template(&self, parts: &[Part], wrap: bool, span: Span) -> Outcome {
        if wrap && let [Part::Value(expr)] = parts {
            return self.eval(expr);
        }
        let mut out = Text { text: String::new(), marks: Marks::default(), unknown: false };
        self.parts(parts, &mut out, span)?;
        let value = if out.unknown { Val::unknown(Type::Text) } else { Val::text(out.text) };
        Ok(value.marked(out.marks))
    }

    fn parts(&self, parts: &[Part], out: &mut Text, span: Span) -> Result<(), Box<Diagnostic>> {
        let inner = self.deeper(span)?;
        for part in parts {
            inner.charge(1, span)?;
            match part {
                Part::Text(text) => push(out, text, span)?,
                Part::Value(expr) => inner.interpolate(expr, out)?,
                Part::If { condition, then, otherwise } => {
                    let truth = inner.truth(condition)?;
                    out.marks = out.marks.join(truth.marks);
                    match truth.v {
                        V::Bool(true) => inner.parts(then, out, span)?,
                        V::Bool(false) => inner.parts(otherwise, out, span)?,
                        _ => out.unknown = true,
                    }
                }
                Part::For { key_name, value_name, collection, body, span } => {
                    let value = inner.eval(collection)?;
                    out.marks = out.marks.join(value.marks);
                    if value.is_unknown() {
                        out.unknown = true;
                        continue;
                    }
                    let pairs = pairs(&value).ok_or_else(|| not_a_collection(&value, collection.span))?;
                    for (key, item) in pairs {
                        let name = key_name.as_deref().unwrap_or("");
                        let outer = Frame { name, value: &key, outer: inner.frame };
                        let frame = Frame { name: value_name, value: &item, outer: Some(&outer) };
                        inner.shorter().with(&frame).parts(body, out, *span)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn interpolate(&self, expr: &Expr, out: &mut Text) -> Result<(), Box<Diagnostic>> {
        let value = self.eval(expr)?;
        out.marks = out.marks.join(value.deep_marks());
        if value.is_null() {
            return Err(error(code::WRONG_TYPE, "null cannot be put into a string", expr.span)
                .map_detail("the value of this expression is null"));
        }
        let text = convert::convert(&value, &Type::Text).map_err(|_| {
            error(code::WRONG_TYPE, "this value cannot be put into a string", expr.span)
                .map_detail(&format!("a string, number or bool is needed, not {}", value.describe()))
        })?;
        match &text.v {
            V::Text(text) => push(out, text, expr.span),
            _ => {
                out.unknown = true;
                Ok(())
            }
        }
    }
}

fn push(out: &mut Text, text: &str, span: Span) -> Result<(), Box<Diagnostic>> {
    if out.text.len() + text.len() > MAX_TEXT {
        return Err(error(code::TOO_MUCH_WORK, "this string is longer than 16 MiB", span));
    }
    out.text.push_str(text);
    Ok(())
}
