//! The tree of a template: blocks and expressions with spans, independent of the parser library,
//! so that HCL JSON can give the same tree.

mod hcl;
mod json;
mod recover;

pub(crate) use hcl::{parse_expression, parse_template};
pub(crate) use json::read as json_read;
pub(crate) use json::{parse_file as parse_json_file, parse_value as parse_json_value};
pub(crate) use recover::parse_file;

use crate::value::Val;
use kiln_plan::Span;
use std::sync::Arc;

/// What is between the braces of a block, or a whole file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Body {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) blocks: Vec<Block>,
    /// It was JSON, in which a component's blocks are written as attributes.
    pub(crate) json: bool,
}

/// `name = value`.
#[derive(Debug, Clone)]
pub(crate) struct Attribute {
    pub(crate) name: String,
    pub(crate) name_span: Span,
    pub(crate) value: Arc<Expr>,
}

/// `kind "label" { … }`.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub(crate) kind: String,
    pub(crate) labels: Vec<(String, Span)>,
    pub(crate) body: Arc<Body>,
    /// The kind and the labels.
    pub(crate) header: Span,
}

impl Block {
    /// As Packer says it: `provisioner "shell"`.
    pub(crate) fn context(&self) -> String {
        let mut context = self.kind.clone();
        for (label, _) in &self.labels {
            context.push_str(&format!(" \"{label}\""));
        }
        context
    }

    /// A label by its position.
    pub(crate) fn label(&self, at: usize) -> &str {
        self.labels.get(at).map_or("", |(label, _)| label)
    }
}

impl Body {
    /// The attribute of this name.
    pub(crate) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|a| a.name == name)
    }

    /// The blocks of this kind.
    pub(crate) fn blocks<'b>(&'b self, kind: &'b str) -> impl Iterator<Item = &'b Block> {
        self.blocks.iter().filter(move |b| b.kind == kind)
    }
}

/// An expression and its place.
#[derive(Debug, Clone)]
pub(crate) struct Expr {
    pub(crate) node: Node,
    pub(crate) span: Span,
}

/// A kind of expression.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    Literal(Val),
    /// A quoted or heredoc template. `wrap` says that it is one interpolation and nothing else, so
    /// that its value keeps its type.
    Template {
        parts: Vec<Part>,
        wrap: bool,
    },
    Tuple(Vec<Expr>),
    Object(Vec<(Key, Expr)>),
    /// A root name: `var`, `local`, the variable of a `for`.
    Name(String),
    Traversal {
        base: Box<Expr>,
        steps: Vec<(Step, Span)>,
    },
    Call {
        name: String,
        name_span: Span,
        arguments: Vec<Expr>,
        expand: bool,
    },
    Conditional {
        condition: Box<Expr>,
        then: Box<Expr>,
        otherwise: Box<Expr>,
    },
    Unary {
        operator: Unary,
        operand: Box<Expr>,
    },
    Binary {
        operator: Binary,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    For(Box<For>),
    Parenthesis(Box<Expr>),
}

/// A key of an object constructor.
#[derive(Debug, Clone)]
pub(crate) enum Key {
    Name(String),
    Expr(Expr),
}

/// A step of a traversal.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Attribute(String),
    Index(Expr),
    /// `.*`: what follows up to the next index is done to each item.
    AttributeSplat,
    /// `[*]`: all that follows is done to each item.
    FullSplat,
}

/// `[for k, v in collection : key => value... if condition]`.
#[derive(Debug, Clone)]
pub(crate) struct For {
    pub(crate) key_name: Option<String>,
    pub(crate) value_name: String,
    pub(crate) collection: Expr,
    /// For an object.
    pub(crate) key: Option<Expr>,
    pub(crate) value: Expr,
    pub(crate) grouping: bool,
    pub(crate) condition: Option<Expr>,
}

/// A part of a string template, strip markers already applied.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    Text(String),
    Value(Expr),
    If { condition: Expr, then: Vec<Part>, otherwise: Vec<Part> },
    For { key_name: Option<String>, value_name: String, collection: Expr, body: Vec<Part>, span: Span },
}

/// A unary operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unary {
    Minus,
    Not,
}

/// A binary operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binary {
    Equal,
    NotEqual,
    LessEqual,
    GreaterEqual,
    Less,
    Greater,
    Plus,
    Minus,
    Times,
    Divide,
    Modulo,
    And,
    Or,
}
