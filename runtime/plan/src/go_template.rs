//! Go text/template, as far as Packer options use it: what is between `{{` and `}}` of a string.
//!
//! [`parse`] makes a [`Template`], [`render`] runs it over JSON data with the [`Functions`] that the
//! caller supplies ([`PackerFunctions`] are those of Packer). Templates come from users and their
//! data from machines, so steps, output and nesting are bounded by [`Limits`] and nothing here can
//! panic or run for ever. The syntax and the meaning are those of Go's text/template package
//! without methods and without `call`, since there are no Go values to call.
//!
//! ```text
//! text ──lex──▶ tokens ──parse──▶ tree ──render(data, functions, limits)──▶ text
//! ```

mod builtin;
mod lex;
mod number;
mod packer;
mod parse;
mod pieces;
mod print;
mod printf;
mod quote;
mod render;
mod time;
mod verb;

pub use packer::PackerFunctions;
pub use pieces::{Action, Call, Piece, literal, pieces, rewrite};
pub use render::{Limits, render, render_within};
pub use time::{Calendar, format_layout, format_strftime};

use parse::{Node, Operand, Pipe};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// Why a template cannot be parsed or rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// Byte in the template's text.
    pub offset: usize,
    /// What is wrong, in lowercase.
    pub message: String,
}

impl TemplateError {
    fn new(offset: usize, message: impl Into<String>) -> Self {
        Self { offset, message: message.into() }
    }
}

/// The functions beside those of the language.
pub trait Functions {
    /// Whether there is a function of this name. Asked for every name in a template, also for
    /// those in branches that are not taken, as Go does.
    fn has(&self, name: &str) -> bool;

    /// Calls it.
    ///
    /// # Errors
    /// What is wrong with the arguments, in lowercase.
    fn call(&self, name: &str, arguments: &[Json]) -> Result<Json, String>;
}

/// No functions but those of the language.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFunctions;

impl Functions for NoFunctions {
    fn has(&self, _: &str) -> bool {
        false
    }

    fn call(&self, name: &str, _: &[Json]) -> Result<Json, String> {
        Err(format!("function \"{name}\" not defined"))
    }
}

/// A parsed template.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    nodes: Vec<Node>,
    defined: BTreeMap<String, Vec<Node>>,
    functions: Vec<(String, usize)>,
}

impl Template {
    /// The top-level fields that it may read: `HTTPIP` for `{{ .HTTPIP }}`. A field inside `range`
    /// or `with` counts too, although it may be one of something else.
    pub fn fields(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        fields_of_nodes(&self.nodes, &mut found);
        for nodes in self.defined.values() {
            fields_of_nodes(nodes, &mut found);
        }
        found
    }

    /// The functions that it calls beside those of the language.
    pub fn functions(&self) -> impl Iterator<Item = &str> {
        self.functions.iter().map(|(name, _)| name.as_str())
    }
}

/// Parses a template.
///
/// # Errors
/// The first mistake with its place.
pub fn parse(text: &str) -> Result<Template, TemplateError> {
    parse::parse(lex::lex(text)?)
}

/// Whether a text has anything to render at all.
pub fn is_template(text: &str) -> bool {
    text.contains("{{")
}

/// Parses and renders; a text without `{{` is returned as it is.
///
/// # Errors
/// The first mistake with its place.
pub fn render_text(
    text: &str,
    data: &Json,
    functions: &dyn Functions,
    limits: Limits,
) -> Result<String, TemplateError> {
    if is_template(text) { render(&parse(text)?, data, functions, limits) } else { Ok(text.to_owned()) }
}

fn fields_of_nodes(nodes: &[Node], found: &mut BTreeSet<String>) {
    for node in nodes {
        match node {
            Node::Text(_) | Node::Break(_) | Node::Continue(_) => {}
            Node::Action(pipe) => fields_of_pipe(pipe, found),
            Node::If { pipe, then, otherwise }
            | Node::With { pipe, then, otherwise }
            | Node::Range { pipe, then, otherwise } => {
                fields_of_pipe(pipe, found);
                fields_of_nodes(then, found);
                fields_of_nodes(otherwise, found);
            }
            Node::Template { pipe, .. } => {
                if let Some(pipe) = pipe {
                    fields_of_pipe(pipe, found);
                }
            }
        }
    }
}

fn fields_of_pipe(pipe: &Pipe, found: &mut BTreeSet<String>) {
    for operand in pipe.commands.iter().flat_map(|command| &command.words) {
        fields_of_operand(&operand.operand, found);
    }
}

fn fields_of_operand(operand: &Operand, found: &mut BTreeSet<String>) {
    match operand {
        Operand::Field(path) => found.extend(path.first().cloned()),
        // `$` alone is the data itself.
        Operand::Variable(name, path) if name.is_empty() => found.extend(path.first().cloned()),
        Operand::Pipe(pipe) => fields_of_pipe(pipe, found),
        Operand::Chain(inner, _) => fields_of_operand(inner, found),
        _ => {}
    }
}

#[cfg(test)]
mod printf_tests;
#[cfg(test)]
mod tests;
