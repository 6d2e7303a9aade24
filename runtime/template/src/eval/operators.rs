//! Operators.

use super::{Context, Detail, Outcome, error};
use crate::syntax::{Binary, Expr, Unary};
use crate::value::number::Num;
use crate::value::types::Type;
use crate::value::{V, Val, convert, equal};
use kiln_plan::code::template as code;
use kiln_plan::{Diagnostic, Span};

impl Context<'_> {
    pub(super) fn unary(&self, operator: Unary, operand: &Expr) -> Outcome {
        match operator {
            Unary::Minus => {
                let value = self.operand(operand, &Type::Number)?;
                Ok(match &value.v {
                    V::Number(n) => Val { v: V::Number(n.neg()), marks: value.marks },
                    _ => value,
                })
            }
            Unary::Not => {
                let value = self.operand(operand, &Type::Bool)?;
                Ok(match value.v {
                    V::Bool(truth) => Val { v: V::Bool(!truth), marks: value.marks },
                    _ => value,
                })
            }
        }
    }

    /// An operand as a number or bool, not null, perhaps unknown.
    fn operand(&self, expr: &Expr, ty: &Type) -> Outcome {
        let value = self.eval(expr)?;
        let wrong = |what: &str| {
            Err(error(code::WRONG_TYPE, format!("this operator needs a {ty}"), expr.span)
                .map_detail(&format!("this is {what}")))
        };
        if value.is_null() {
            return wrong("null");
        }
        let is_text = value.as_text().is_some();
        convert::convert(&value, ty).or_else(|_| wrong(&value.describe())).map_err(|mut found| {
            if is_text && *ty == Type::Number {
                found.help = Some(
                    "operators are for numbers; texts are joined in a template: \"${a}${b}\"".to_owned(),
                );
            }
            found
        })
    }

    pub(super) fn binary(&self, operator: Binary, left: &Expr, right: &Expr, span: Span) -> Outcome {
        match operator {
            Binary::Equal | Binary::NotEqual => {
                let (a, b) = (self.eval(left)?, self.eval(right)?);
                let marks = a.deep_marks().join(b.deep_marks());
                let same = equal_as_types(&a, &b);
                Ok(match same {
                    Some(same) => Val::bool(same == (operator == Binary::Equal)),
                    None => Val::unknown(Type::Bool),
                }
                .marked(marks))
            }
            Binary::And | Binary::Or => {
                let a = self.operand(left, &Type::Bool)?;
                let decides = operator == Binary::Or;
                // What the left side decides does not need the right one.
                if matches!(a.v, V::Bool(x) if x == decides) {
                    return Ok(a);
                }
                let b = self.operand(right, &Type::Bool)?;
                let marks = a.marks.join(b.marks);
                Ok(match (&a.v, &b.v) {
                    (V::Bool(x), V::Bool(y)) => Val::bool(if decides { *x || *y } else { *x && *y }),
                    (_, V::Bool(x)) if *x == decides => Val::bool(decides),
                    _ => Val::unknown(Type::Bool),
                }
                .marked(marks))
            }
            _ => self.arithmetic(operator, left, right, span),
        }
    }

    fn arithmetic(&self, operator: Binary, left: &Expr, right: &Expr, span: Span) -> Outcome {
        let (a, b) = (self.operand(left, &Type::Number)?, self.operand(right, &Type::Number)?);
        let marks = a.marks.join(b.marks);
        let compares =
            matches!(operator, Binary::Less | Binary::LessEqual | Binary::Greater | Binary::GreaterEqual);
        let (V::Number(x), V::Number(y)) = (&a.v, &b.v) else {
            let ty = if compares { Type::Bool } else { Type::Number };
            return Ok(Val::unknown(ty).marked(marks));
        };
        let value = match operator {
            Binary::Less => Val::bool(x < y),
            Binary::LessEqual => Val::bool(x <= y),
            Binary::Greater => Val::bool(x > y),
            Binary::GreaterEqual => Val::bool(x >= y),
            Binary::Plus => number(x.add(y), span)?,
            Binary::Minus => number(x.sub(y), span)?,
            Binary::Times => number(x.mul(y), span)?,
            Binary::Divide | Binary::Modulo if y.signum() == 0 => {
                return Err(error(code::ARITHMETIC, "division by zero", span));
            }
            Binary::Divide => number(x.div(y), span)?,
            _ => number(x.rem(y), span)?,
        };
        Ok(value.marked(marks))
    }
}

fn number(result: Option<Num>, span: Span) -> Result<Val, Box<Diagnostic>> {
    result
        .map(|n| V::Number(n).into())
        .ok_or_else(|| error(code::ARITHMETIC, "the result is too large or too small", span))
}

/// Equality as `==` has it: values of different types differ, except that every null is the same.
fn equal_as_types(a: &Val, b: &Val) -> Option<bool> {
    if a.is_unknown() || b.is_unknown() {
        let (a, b) = (a.ty(), b.ty());
        let comparable = a == b || a.has_dynamic() || b.has_dynamic();
        return if comparable { None } else { Some(false) };
    }
    if a.is_null() || b.is_null() {
        return Some(a.is_null() && b.is_null());
    }
    if a.ty() == b.ty() { equal(a, b) } else { Some(false) }
}
