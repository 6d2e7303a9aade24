//! HCL in JSON (`*.pkr.json`) into the same tree.
//!
//! JSON does not say what is a block, so the kinds and labels of blocks are those of the language;
//! inside a component everything is an attribute, which decodes to the same options. Strings are
//! templates; all of a string's expression has the place of the string.

pub(crate) mod read;

use super::hcl::parse_placed;
use super::recover::Parsed;
use super::{Attribute, Block, Body, Expr, Key, Node};
use crate::value::number::Num;
use crate::value::{V, Val};
use kiln_plan::code::template as code;
use kiln_plan::{Diagnostic, Diagnostics, FileId, Span};
use read::{Content, Item};
use std::sync::Arc;

type Lowered<T> = Result<T, Box<Diagnostic>>;

/// What an object is the body of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    File,
    Packer,
    Variable,
    Build,
    PostProcessors,
    /// No blocks inside.
    Leaf,
}

impl Place {
    /// The count of labels and the body of blocks of this kind; `None` if it is an attribute.
    fn block(self, kind: &str) -> Option<(usize, Place)> {
        Some(match (self, kind) {
            (Self::File, "packer") => (0, Self::Packer),
            (Self::File, "variable") => (1, Self::Variable),
            (Self::File, "local") => (1, Self::Leaf),
            (Self::File, "variables" | "locals" | "hcp_packer_registry") => (0, Self::Leaf),
            (Self::File, "source" | "data" | "datasource" | "communicator") => (2, Self::Leaf),
            (Self::File, "build") => (0, Self::Build),
            (Self::Packer, "required_plugins") | (Self::Variable, "validation") => (0, Self::Leaf),
            (Self::Build, "provisioner" | "error-cleanup-provisioner" | "source") => (1, Self::Leaf),
            (Self::Build | Self::PostProcessors, "post-processor") => (1, Self::Leaf),
            (Self::Build, "post-processors") => (0, Self::PostProcessors),
            (Self::Build, "hcp_packer_registry") => (0, Self::Leaf),
            _ => return None,
        })
    }
}

/// Parses a file. It is empty if its mistakes leave a doubt about what is meant.
pub(crate) fn parse_file(text: &str, file: FileId) -> Parsed {
    let read = read::read(text, file, false);
    let mut found = read.mistakes;
    let body = read.item.map(|item| root(&item, &mut found)).unwrap_or_default();
    Parsed { body, mistakes: found }
}

/// A file is an object, or a list of objects that count as one.
fn root(item: &Item, found: &mut Diagnostics) -> Body {
    let Content::List(parts) = &item.content else { return body(item, Place::File, found) };
    let mut whole = Body { json: true, ..Body::default() };
    for part in parts.iter().map(|part| body(part, Place::File, found)) {
        whole.attributes.extend(part.attributes);
        whole.blocks.extend(part.blocks);
    }
    whole
}

/// Parses a value in which strings are just strings: arrays become tuples, objects objects. A name may
/// occur twice in an object only if `repeats`; the last one counts.
///
/// # Errors
/// The mistakes with their places.
pub(crate) fn parse_value(text: &str, file: FileId, repeats: bool) -> Result<Val, Diagnostics> {
    let read = read::read(text, file, repeats);
    match read.item {
        Some(item) if read.mistakes.is_empty() => value(&item).map_err(|mistake| vec![*mistake]),
        _ => Err(read.mistakes),
    }
}

fn value(item: &Item) -> Lowered<Val> {
    Ok(match &item.content {
        Content::Null => Val::null(),
        Content::Bool(truth) => Val::bool(*truth),
        Content::Number(text) => V::Number(number(text, item)?).into(),
        Content::Text(text) => Val::text(text.as_str()),
        Content::List(items) => Val::tuple(items.iter().map(value).collect::<Lowered<_>>()?),
        Content::Object(entries) => {
            let entries = entries.iter().map(|(name, _, item)| Ok((name.clone(), value(item)?)));
            Val::object(entries.collect::<Lowered<_>>()?)
        }
    })
}

fn number(text: &str, item: &Item) -> Lowered<Num> {
    Num::parse(text).ok_or_else(|| wrong(item, "this number is too large or too small"))
}

fn wrong(item: &Item, what: &str) -> Box<Diagnostic> {
    Box::new(Diagnostic::error(code::SYNTAX, format!("syntax error: {what}")).at(item.span))
}

/// What an object says; what is wrong in it is left out.
fn body(item: &Item, place: Place, found: &mut Diagnostics) -> Body {
    let mut lowered = Body { json: true, ..Body::default() };
    let Content::Object(entries) = &item.content else {
        found.push(*wrong(item, "an object is expected here"));
        return lowered;
    };
    for (name, name_span, value) in entries.iter().filter(|(name, ..)| name != "//") {
        if let Some((labels, inside)) = place.block(name) {
            let mut blocks = Blocks { kind: name, header: *name_span, inside, path: Vec::new(), found };
            blocks.read(value, labels, &mut lowered.blocks);
            continue;
        }
        let is_type = place == Place::Variable && name == "type";
        match if is_type { type_expression(value) } else { expression(value) } {
            Ok(value) => lowered.attributes.push(Attribute {
                name: name.clone(),
                name_span: *name_span,
                value: Arc::new(value),
            }),
            Err(mistake) => found.push(*mistake),
        }
    }
    lowered
}

/// The blocks of one kind.
struct Blocks<'b> {
    kind: &'b str,
    header: Span,
    inside: Place,
    /// The labels so far.
    path: Vec<(String, Span)>,
    found: &'b mut Diagnostics,
}

impl Blocks<'_> {
    /// Each object, or each object of a list, below its labels.
    fn read(&mut self, item: &Item, labels: usize, into: &mut Vec<Block>) {
        match &item.content {
            Content::List(items) => items.iter().for_each(|item| self.read(item, labels, into)),
            Content::Object(entries) if labels > 0 => {
                for (label, span, value) in entries.iter().filter(|(label, ..)| label != "//") {
                    self.path.push((label.clone(), *span));
                    self.read(value, labels - 1, into);
                    self.path.pop();
                }
            }
            Content::Object(_) => {
                let body = Arc::new(body(item, self.inside, self.found));
                let labels = self.path.clone();
                into.push(Block { kind: self.kind.to_owned(), labels, body, header: self.header });
            }
            _ => self.found.push(*wrong(item, "an object is expected here")),
        }
    }
}

/// `"list(string)"` is an expression, not text.
fn type_expression(item: &Item) -> Lowered<Expr> {
    match &item.content {
        Content::Text(text) => parse_placed(text, item.span, false),
        _ => Err(wrong(item, "a type is written as a string")),
    }
}

fn expression(item: &Item) -> Lowered<Expr> {
    let node = match &item.content {
        Content::Null => Node::Literal(Val::null()),
        Content::Bool(truth) => Node::Literal(Val::bool(*truth)),
        Content::Number(text) => Node::Literal(V::Number(number(text, item)?).into()),
        Content::Text(text) if !text.contains("${") && !text.contains("%{") => {
            Node::Literal(Val::text(text.as_str()))
        }
        Content::Text(text) => return parse_placed(text, item.span, true),
        Content::List(items) => Node::Tuple(items.iter().map(expression).collect::<Lowered<_>>()?),
        Content::Object(entries) => {
            let mut lowered = Vec::with_capacity(entries.len());
            for (name, span, value) in entries {
                let key = Item { content: Content::Text(name.clone()), span: *span };
                lowered.push((Key::Expr(expression(&key)?), expression(value)?));
            }
            Node::Object(lowered)
        }
    };
    Ok(Expr { node, span: item.span })
}
