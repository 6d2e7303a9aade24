//! HCL text into the tree, by hcl-edit. That parser bounds nesting (64 levels, 128 operators in a
//! row); the length of traversals is bounded here, so every recursion over the tree is bounded.

mod heredoc;

use super::{Attribute, Binary, Block, Body, Expr, For, Key, Node, Part, Step, Unary};
use crate::value::number::Num;
use crate::value::{V, Val};
use hcl_edit::Span as _;
use hcl_edit::expr::{BinaryOperator, Expression, ObjectKey, TraversalOperator, UnaryOperator};
use hcl_edit::structure::Structure;
use hcl_edit::template::{Directive, Element, Strip, Template};
use kiln_plan::code::template as code;
use kiln_plan::{Diagnostic, FileId, Span};
use std::ops::Range;
use std::sync::Arc;

/// The longest traversal, `a.b[0].c…`.
const MAX_STEPS: usize = 256;
/// The most splats in one traversal; each is a level of recursion.
const MAX_SPLATS: usize = 8;

type Lowered<T> = Result<T, Box<Diagnostic>>;

/// Where a text stops being HCL, and what the parser says of it.
pub(super) struct Stop {
    pub(super) offset: usize,
    pub(super) message: String,
}

/// Parses a part of a file that begins at its byte `base`.
///
/// # Errors
/// The first place, counted from the start of the part, that is not HCL; or what is wrong with
/// something that is.
pub(super) fn parse_part(text: &str, base: usize, file: FileId) -> Result<Lowered<Body>, Stop> {
    let body = hcl_edit::parser::parse_body(text).map_err(|e| Stop {
        offset: stop(&e, text),
        message: e.message().lines().collect::<Vec<_>>().join(", "),
    })?;
    Ok(Lowerer { file, text, base, fixed: None }.body(&body))
}

/// Parses one expression.
///
/// # Errors
/// The first syntax error with its place.
pub(crate) fn parse_expression(text: &str, file: FileId) -> Lowered<Expr> {
    let expr = hcl_edit::parser::parse_expr(text).map_err(|e| syntax_error(&e, text, file))?;
    Lowerer { file, text, base: 0, fixed: None }.expr(&expr)
}

/// Parses the text of a template file (`templatefile`).
///
/// # Errors
/// The first syntax error with its place.
pub(crate) fn parse_template(text: &str, file: FileId) -> Lowered<Expr> {
    let template = hcl_edit::parser::parse_template(text).map_err(|e| syntax_error(&e, text, file))?;
    let span = Span { file, start: 0, end: u32::try_from(text.len()).unwrap_or(u32::MAX) };
    let wrap = matches!(template.as_single_element(), Some(Element::Interpolation(_)));
    let mut parts = Vec::new();
    // Its text is split into lines as that of a heredoc is.
    Lowerer { file, text, base: 0, fixed: None }.parts(&template, &mut parts, &mut false, true)?;
    Ok(Expr { node: Node::Template { parts, wrap }, span })
}

/// Parses a template (or an expression) that stands in a string of another syntax, `place`.
///
/// # Errors
/// The first syntax error, at `place`.
pub(crate) fn parse_placed(text: &str, place: Span, is_template: bool) -> Lowered<Expr> {
    let lowerer = Lowerer { file: place.file, text, base: 0, fixed: Some(place) };
    let at_place = |e: hcl_edit::parser::Error| {
        let mut diagnostic = syntax_error(&e, text, place.file);
        diagnostic.span = Some(place);
        diagnostic
    };
    if !is_template {
        return lowerer.expr(&hcl_edit::parser::parse_expr(text).map_err(at_place)?);
    }
    let template = hcl_edit::parser::parse_template(text).map_err(at_place)?;
    let (parts, wrap) = lowerer.template(&template)?;
    Ok(Expr { node: Node::Template { parts, wrap }, span: place })
}

/// Where the parser stopped, at the start of a character: it counts bytes and can stop inside of one.
fn stop(error: &hcl_edit::parser::Error, text: &str) -> usize {
    text.floor_char_boundary(error.location().offset())
}

fn syntax_error(error: &hcl_edit::parser::Error, text: &str, file: FileId) -> Box<Diagnostic> {
    let start = stop(error, text);
    let end = text.get(start..).and_then(|rest| rest.chars().next()).map_or(start, |c| start + c.len_utf8());
    let message = error.message().lines().collect::<Vec<_>>().join(", ");
    let at = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Box::new(Diagnostic::error(code::SYNTAX, format!("syntax error: {message}")).at(Span {
        file,
        start: at(start),
        end: at(end),
    }))
}

struct Lowerer<'t> {
    file: FileId,
    text: &'t str,
    /// Where in the file the text begins.
    base: usize,
    /// The place of everything, if the text is a string inside of another file.
    fixed: Option<Span>,
}

impl Lowerer<'_> {
    fn span(&self, range: Option<Range<usize>>) -> Span {
        if let Some(fixed) = self.fixed {
            return fixed;
        }
        let range = range.unwrap_or_default();
        let at = |n: usize| u32::try_from(n + self.base).unwrap_or(u32::MAX);
        Span { file: self.file, start: at(range.start), end: at(range.end) }
    }

    fn body(&self, body: &hcl_edit::structure::Body) -> Lowered<Body> {
        let mut lowered = Body::default();
        for structure in body {
            match structure {
                Structure::Attribute(attribute) => lowered.attributes.push(Attribute {
                    name: attribute.key.as_str().to_owned(),
                    name_span: self.span(attribute.key.span()),
                    value: Arc::new(self.expr(&attribute.value)?),
                }),
                Structure::Block(block) => lowered.blocks.push(self.block(block)?),
            }
        }
        Ok(lowered)
    }

    fn block(&self, block: &hcl_edit::structure::Block) -> Lowered<Block> {
        let labels: Vec<(String, Span)> =
            block.labels.iter().map(|label| (label.as_str().to_owned(), self.span(label.span()))).collect();
        let mut header = self.span(block.ident.span());
        if let Some((_, last)) = labels.last() {
            header.end = last.end;
        }
        Ok(Block {
            kind: block.ident.as_str().to_owned(),
            labels,
            body: Arc::new(self.body(&block.body)?),
            header,
        })
    }

    fn boxed(&self, expr: &Expression) -> Lowered<Box<Expr>> {
        Ok(Box::new(self.expr(expr)?))
    }

    fn all<'e>(&self, exprs: impl Iterator<Item = &'e Expression>) -> Lowered<Vec<Expr>> {
        exprs.map(|expr| self.expr(expr)).collect()
    }

    fn expr(&self, expr: &Expression) -> Lowered<Expr> {
        let span = self.span(expr.span());
        let node = match expr {
            Expression::Null(_) => Node::Literal(Val::null()),
            Expression::Bool(truth) => Node::Literal(Val::bool(*truth.value())),
            Expression::Number(number) => {
                Node::Literal(self.number(&number.value().to_string(), number.span(), span)?)
            }
            Expression::String(text) => {
                self.one_line(expr.span())?;
                Node::Literal(Val::text(text.as_str()))
            }
            Expression::Array(items) => Node::Tuple(self.all(items.iter())?),
            Expression::Object(object) => Node::Object(self.object(object)?),
            Expression::StringTemplate(template) => self.template_node(template)?,
            Expression::HeredocTemplate(heredoc) => {
                self.ends_line(heredoc.span())?;
                let mut parts = Vec::new();
                self.parts(&heredoc.template, &mut parts, &mut false, true)?;
                if heredoc.indent().is_some() || self.is_indented(heredoc.span()) {
                    heredoc::dedent(&mut parts);
                }
                Node::Template { parts, wrap: false }
            }
            Expression::Parenthesis(inner) => Node::Parenthesis(self.boxed(inner.inner())?),
            Expression::Variable(name) => Node::Name(name.as_str().to_owned()),
            Expression::Conditional(c) => Node::Conditional {
                condition: self.boxed(&c.cond_expr)?,
                then: self.boxed(&c.true_expr)?,
                otherwise: self.boxed(&c.false_expr)?,
            },
            Expression::FuncCall(call) => {
                let mut name: String =
                    call.name.namespace.iter().map(|n| format!("{}::", n.as_str())).collect();
                name.push_str(call.name.name.as_str());
                Node::Call {
                    name,
                    name_span: self.span(call.name.name.span()),
                    arguments: self.all(call.args.iter())?,
                    expand: call.args.expand_final(),
                }
            }
            Expression::Traversal(traversal) => self.traversal(traversal, span)?,
            Expression::UnaryOp(op) => Node::Unary {
                operator: match op.operator.value() {
                    UnaryOperator::Neg => Unary::Minus,
                    UnaryOperator::Not => Unary::Not,
                },
                operand: self.boxed(&op.expr)?,
            },
            Expression::BinaryOp(op) => Node::Binary {
                operator: binary(*op.operator.value()),
                left: self.boxed(&op.lhs_expr)?,
                right: self.boxed(&op.rhs_expr)?,
            },
            Expression::ForExpr(f) => Node::For(Box::new(For {
                key_name: f.intro.key_var.as_ref().map(|name| name.as_str().to_owned()),
                value_name: f.intro.value_var.as_str().to_owned(),
                collection: self.expr(&f.intro.collection_expr)?,
                key: f.key_expr.as_ref().map(|key| self.expr(key)).transpose()?,
                value: self.expr(&f.value_expr)?,
                grouping: f.grouping,
                condition: f.cond.as_ref().map(|cond| self.expr(&cond.expr)).transpose()?,
            })),
        };
        Ok(Expr { node, span })
    }

    /// Whether a heredoc starts with `<<-`.
    fn is_indented(&self, range: Option<Range<usize>>) -> bool {
        range.and_then(|range| self.text.get(range)).is_some_and(|text| text.starts_with("<<-"))
    }

    /// The digits as they were written, which the parser would round.
    fn number(&self, parsed: &str, range: Option<Range<usize>>, span: Span) -> Lowered<Val> {
        let written = range.and_then(|range| self.text.get(range)).unwrap_or("").trim();
        Num::parse(written).or_else(|| Num::parse(parsed)).map(|n| V::Number(n).into()).ok_or_else(|| {
            Box::new(Diagnostic::error(code::SYNTAX, "this number is too large or too small").at(span))
        })
    }

    fn object(&self, object: &hcl_edit::expr::Object) -> Lowered<Vec<(Key, Expr)>> {
        let mut entries = Vec::with_capacity(object.len());
        for (key, value) in object {
            let key = match key {
                ObjectKey::Ident(name) => Key::Name(name.as_str().to_owned()),
                ObjectKey::Expression(Expression::Variable(name)) => Key::Name(name.as_str().to_owned()),
                ObjectKey::Expression(Expression::Null(_)) => Key::Name("null".to_owned()),
                ObjectKey::Expression(expr) => Key::Expr(self.expr(expr)?),
            };
            entries.push((key, self.expr(value.expr())?));
        }
        Ok(entries)
    }

    fn traversal(&self, traversal: &hcl_edit::expr::Traversal, span: Span) -> Lowered<Node> {
        let mut steps = Vec::with_capacity(traversal.operators.len());
        let mut splats = 0;
        for operator in &traversal.operators {
            let step = match operator.value() {
                TraversalOperator::AttrSplat(_) => Step::AttributeSplat,
                TraversalOperator::FullSplat(_) => Step::FullSplat,
                TraversalOperator::GetAttr(name) => Step::Attribute(name.as_str().to_owned()),
                TraversalOperator::Index(expr) => Step::Index(self.expr(expr)?),
                TraversalOperator::LegacyIndex(index) => {
                    let index = self.number(&index.value().to_string(), None, self.span(operator.span()))?;
                    Step::Index(Expr { node: Node::Literal(index), span: self.span(operator.span()) })
                }
            };
            splats += usize::from(matches!(step, Step::AttributeSplat | Step::FullSplat));
            steps.push((step, self.span(operator.span())));
        }
        if steps.len() > MAX_STEPS || splats > MAX_SPLATS {
            return Err(Box::new(
                Diagnostic::error(code::TOO_DEEP, "this traversal is too long")
                    .at(span)
                    .help(format!("at most {MAX_STEPS} steps and {MAX_SPLATS} splats in one expression")),
            ));
        }
        Ok(Node::Traversal { base: self.boxed(&traversal.expr)?, steps })
    }

    /// What ends a heredoc must be alone on its line, which the parser does not ask for.
    fn ends_line(&self, range: Option<Range<usize>>) -> Lowered<()> {
        let end = range.clone().unwrap_or_default().end;
        let behind = self.text.get(end..).unwrap_or_default();
        let behind = behind.split('\n').next().unwrap_or_default().trim_end();
        if self.fixed.is_some() || behind.is_empty() {
            return Ok(());
        }
        let summary = "the word that ends a heredoc must be alone on its line";
        let place = Some(end..end + behind.len());
        let help = format!("put `{}` on the next line", behind.trim_start());
        Err(Box::new(Diagnostic::error(code::UNCLOSED, summary).at(self.span(place)).help(help)))
    }

    /// Text in quotes must not go over several lines, which the parser lets pass.
    fn one_line(&self, range: Option<Range<usize>>) -> Lowered<()> {
        let raw = range.clone().and_then(|range| self.text.get(range)).unwrap_or_default();
        if self.fixed.is_some() || !raw.contains('\n') {
            return Ok(());
        }
        let summary = "syntax error: text in quotes must end on its line";
        let help = "write \\n for a new line, or a heredoc: <<EOT";
        Err(Box::new(Diagnostic::error(code::SYNTAX, summary).at(self.span(range)).help(help)))
    }

    fn template_node(&self, template: &Template) -> Lowered<Node> {
        let (parts, wrap) = self.template(template)?;
        Ok(match parts.as_slice() {
            [Part::Text(text)] => Node::Literal(Val::text(text.as_str())),
            [] => Node::Literal(Val::text("")),
            _ => Node::Template { parts, wrap },
        })
    }

    fn template(&self, template: &Template) -> Lowered<(Vec<Part>, bool)> {
        let wrap = matches!(template.as_single_element(), Some(Element::Interpolation(_)));
        let mut trim_next = false;
        let mut parts = Vec::new();
        self.parts(template, &mut parts, &mut trim_next, false)?;
        Ok((parts, wrap))
    }

    /// Lowers the elements; `trim_next` carries a `~}` to the text behind it, also out of and into
    /// the bodies of directives.
    fn parts(
        &self,
        template: &Template,
        parts: &mut Vec<Part>,
        trim_next: &mut bool,
        heredoc: bool,
    ) -> Lowered<()> {
        for element in template {
            match element {
                Element::Literal(text) if heredoc => {
                    // The parser has taken its own indentation away, so the text is read again.
                    let raw = text.span().and_then(|range| self.text.get(range)).unwrap_or(text.as_str());
                    let plain = raw.replace("$${", "${").replace("%%{", "%{");
                    for line in plain.split_inclusive('\n') {
                        // A marker takes white space up to the end of one line.
                        let kept = if std::mem::take(trim_next) { line.trim_start() } else { line };
                        parts.push(Part::Text(kept.to_owned()));
                    }
                }
                Element::Literal(text) => {
                    self.one_line(text.span())?;
                    let text: &str = text.as_str();
                    let kept = if *trim_next { text.trim_start() } else { text };
                    // White space alone between two markers is taken by the first; the marker
                    // goes on to what follows.
                    *trim_next = *trim_next && kept.is_empty();
                    if !kept.is_empty() {
                        parts.push(Part::Text(kept.to_owned()));
                    }
                }
                Element::Interpolation(interpolation) => {
                    strip_before(parts, interpolation.strip);
                    parts.push(Part::Value(self.expr(&interpolation.expr)?));
                    *trim_next = strips_after(interpolation.strip);
                }
                Element::Directive(directive) => self.directive(directive, parts, trim_next, heredoc)?,
            }
        }
        Ok(())
    }

    fn directive(
        &self,
        directive: &Directive,
        parts: &mut Vec<Part>,
        trim_next: &mut bool,
        heredoc: bool,
    ) -> Lowered<()> {
        match directive {
            Directive::If(d) => {
                strip_before(parts, d.if_expr.strip);
                let mut then = Vec::new();
                *trim_next = strips_after(d.if_expr.strip);
                self.parts(&d.if_expr.template, &mut then, trim_next, heredoc)?;
                let mut otherwise = Vec::new();
                if let Some(e) = &d.else_expr {
                    strip_before(&mut then, e.strip);
                    *trim_next = strips_after(e.strip);
                    self.parts(&e.template, &mut otherwise, trim_next, heredoc)?;
                    strip_before(&mut otherwise, d.endif_expr.strip);
                } else {
                    strip_before(&mut then, d.endif_expr.strip);
                }
                *trim_next = strips_after(d.endif_expr.strip);
                parts.push(Part::If { condition: self.expr(&d.if_expr.cond_expr)?, then, otherwise });
            }
            Directive::For(d) => {
                strip_before(parts, d.for_expr.strip);
                let mut body = Vec::new();
                *trim_next = strips_after(d.for_expr.strip);
                self.parts(&d.for_expr.template, &mut body, trim_next, heredoc)?;
                strip_before(&mut body, d.endfor_expr.strip);
                *trim_next = strips_after(d.endfor_expr.strip);
                parts.push(Part::For {
                    key_name: d.for_expr.key_var.as_ref().map(|name| name.as_str().to_owned()),
                    value_name: d.for_expr.value_var.as_str().to_owned(),
                    collection: self.expr(&d.for_expr.collection_expr)?,
                    body,
                    span: self.span(d.span()),
                });
            }
        }
        Ok(())
    }
}

fn strips_after(strip: Strip) -> bool {
    matches!(strip, Strip::End | Strip::Both)
}

/// Applies `${~` to the text in front of it.
fn strip_before(parts: &mut [Part], strip: Strip) {
    if !matches!(strip, Strip::Start | Strip::Both) {
        return;
    }
    if let Some(Part::Text(text)) = parts.last_mut() {
        text.truncate(text.trim_end().len());
    }
}

fn binary(operator: BinaryOperator) -> Binary {
    match operator {
        BinaryOperator::Eq => Binary::Equal,
        BinaryOperator::NotEq => Binary::NotEqual,
        BinaryOperator::LessEq => Binary::LessEqual,
        BinaryOperator::GreaterEq => Binary::GreaterEqual,
        BinaryOperator::Less => Binary::Less,
        BinaryOperator::Greater => Binary::Greater,
        BinaryOperator::Plus => Binary::Plus,
        BinaryOperator::Minus => Binary::Minus,
        BinaryOperator::Mul => Binary::Times,
        BinaryOperator::Div => Binary::Divide,
        BinaryOperator::Mod => Binary::Modulo,
        BinaryOperator::And => Binary::And,
        BinaryOperator::Or => Binary::Or,
    }
}
