//! Blocks into [`Declared`], with everything that is wrong with their shape.

use super::{Declared, Local, RequiredPlugin, Validation, Variable};
use crate::eval::{Roots, World, evaluate};
use crate::expected;
use crate::functions::Position;
use crate::syntax::{Attribute, Block, Body, Expr, Node};
use crate::value::types::{self, Type};
use crate::value::{V, convert};
use crate::version::Constraints;
use kiln_plan::code::template as code;
use kiln_plan::{Diagnostic, Diagnostics, Span};
use std::sync::Arc;

/// The blocks that a file may have, with the count of their labels.
const BLOCKS: [(&str, usize, &str); 12] = [
    ("packer", 0, ""),
    ("variable", 1, "name"),
    ("variables", 0, ""),
    ("locals", 0, ""),
    ("local", 1, "name"),
    ("data", 2, "type and name"),
    ("datasource", 2, "type and name"),
    ("source", 2, "type and name"),
    ("build", 0, ""),
    ("hcp_packer_registry", 0, ""),
    ("communicator", 2, "type and name"),
    ("dynamic", 1, "block"),
];

struct Reader<'r> {
    world: &'r World,
    declared: Declared,
    diagnostics: &'r mut Diagnostics,
}

/// Reads all files. What is wrong is added to `diagnostics`; what can be used is returned.
pub(crate) fn read(bodies: &[Body], world: &World, diagnostics: &mut Diagnostics) -> Declared {
    let mut reader = Reader { world, declared: Declared::default(), diagnostics };
    for body in bodies {
        reader.file(body);
    }
    reader.declared
}

/// What a file has where an attribute was found.
fn instead_of_attribute(name: &str) -> &'static str {
    match name {
        "builders" | "provisioners" | "post-processors" => {
            "this is how legacy JSON templates look; their names end in .json, but not in .pkr.json"
        }
        _ => "a template consists of blocks; set variables in a .pkrvars.hcl file",
    }
}

impl Reader<'_> {
    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn duplicate(&mut self, what: &str, span: Span) {
        self.report(Diagnostic::error(code::DUPLICATE, format!("{what} is declared twice")).at(span));
    }

    fn file(&mut self, body: &Body) {
        for attribute in &body.attributes {
            let summary = format!("an argument named `{}` is not expected here", attribute.name);
            self.report(
                Diagnostic::error(code::UNEXPECTED_ATTRIBUTE, summary)
                    .at(attribute.name_span)
                    .help(instead_of_attribute(&attribute.name)),
            );
        }
        for block in &body.blocks {
            if self.shape(block) {
                self.block(block);
            }
        }
    }

    /// Checks the kind and the labels of a block of a file.
    fn shape(&mut self, block: &Block) -> bool {
        let Some((_, labels, names)) = BLOCKS.iter().find(|(kind, ..)| *kind == block.kind) else {
            self.report(expected::block(block, &BLOCKS.map(|(kind, ..)| kind)));
            return false;
        };
        if block.kind == "dynamic" {
            self.report(
                Diagnostic::error(code::UNKNOWN_BLOCK, "`dynamic` cannot be used at the top of a template")
                    .at(block.header)
                    .detail("it repeats blocks inside source, build and component blocks"),
            );
            return false;
        }
        if block.labels.len() != *labels {
            let wanted = if *labels == 0 { "no labels".to_owned() } else { format!("{labels} ({names})") };
            self.report(
                Diagnostic::error(
                    code::WRONG_LABELS,
                    format!("`{}` has {} labels, it takes {wanted}", block.kind, block.labels.len()),
                )
                .at(block.header),
            );
            return false;
        }
        true
    }

    fn block(&mut self, block: &Block) {
        match block.kind.as_str() {
            "packer" => self.packer(block),
            "variable" => self.variable(block),
            "variables" => self.variables(block),
            "locals" => {
                for attribute in &block.body.attributes {
                    let local = Local {
                        expression: attribute.value.clone(),
                        sensitive: false,
                        span: attribute.name_span,
                    };
                    self.add_local(&attribute.name, local);
                }
                self.no_blocks(block);
            }
            "local" => self.local(block),
            "data" | "datasource" => {
                let key = (block.label(0).to_owned(), block.label(1).to_owned());
                if self.declared.data.insert(key, block.clone()).is_some() {
                    self.duplicate(&format!("data `{}.{}`", block.label(0), block.label(1)), block.header);
                }
            }
            "source" => {
                let key = (block.label(0).to_owned(), block.label(1).to_owned());
                if self.declared.sources.insert(key, block.clone()).is_some() {
                    self.duplicate(&format!("source `{}.{}`", block.label(0), block.label(1)), block.header);
                }
            }
            "build" => self.declared.builds.push(block.clone()),
            "hcp_packer_registry" => self.declared.registries.push(block.clone()),
            _ => {}
        }
    }

    fn no_blocks(&mut self, block: &Block) {
        for inner in &block.body.blocks {
            self.report(expected::block(inner, &[]).within(block.context()));
        }
    }

    /// Reports every attribute of a block that is not of `known`.
    fn only(&mut self, block: &Block, known: &[&str]) {
        for attribute in &block.body.attributes {
            if !known.contains(&attribute.name.as_str()) {
                self.report(expected::attribute(attribute, known).within(block.context()));
            }
        }
    }

    /// A constant of a block, of type `ty`.
    fn constant(&mut self, block: &Block, attribute: &Attribute, ty: &Type) -> Option<crate::value::Val> {
        let value = evaluate(self.world, &Roots::default(), Position::Anywhere, &attribute.value);
        let converted = value.and_then(|value| {
            convert::convert(&value, ty).map_err(|e| {
                Box::new(
                    Diagnostic::error(code::WRONG_TYPE, format!("`{}`: {e}", attribute.name))
                        .at(attribute.value.span),
                )
            })
        });
        match converted {
            Ok(value) if !value.is_null() => Some(value),
            Ok(_) => None,
            Err(diagnostic) => {
                self.report(diagnostic.within(block.context()));
                None
            }
        }
    }

    fn text(&mut self, block: &Block, name: &str) -> Option<(String, Span)> {
        let attribute = block.body.attribute(name)?;
        let value = self.constant(block, attribute, &Type::Text)?;
        value.as_text().map(|text| (text.to_owned(), attribute.value.span))
    }

    fn flag(&mut self, block: &Block, name: &str) -> bool {
        let Some(attribute) = block.body.attribute(name) else { return false };
        matches!(self.constant(block, attribute, &Type::Bool).map(|v| v.v), Some(V::Bool(true)))
    }

    fn packer(&mut self, block: &Block) {
        self.only(block, &["required_version"]);
        if let Some((version, span)) = self.text(block, "required_version") {
            if Constraints::parse(&version).is_none() {
                self.report(bad_constraint(&version, span).within(block.context()));
            } else {
                self.declared.required_versions.push((version, span));
            }
        }
        for inner in &block.body.blocks {
            if inner.kind == "required_plugins" {
                self.no_blocks(inner);
                for attribute in &inner.body.attributes {
                    self.plugin(inner, attribute);
                }
            } else {
                self.report(expected::block(inner, &["required_plugins"]).within(block.context()));
            }
        }
    }

    fn plugin(&mut self, block: &Block, attribute: &Attribute) {
        let span = attribute.name_span;
        let any = Type::Dynamic;
        let Some(value) = self.constant(block, attribute, &any) else { return };
        let context = block.context();
        let Some(entries) = value.entries() else {
            self.report(
                Diagnostic::error(code::BAD_PLUGIN, format!("`{}` must be an object", attribute.name))
                    .at(attribute.value.span)
                    .within(context)
                    .help("write { version = \">= 1.0.0\", source = \"github.com/hashicorp/qemu\" }"),
            );
            return;
        };
        for name in entries.keys().filter(|name| !matches!(name.as_str(), "version" | "source")) {
            self.report(
                Diagnostic::error(code::BAD_PLUGIN, format!("`{name}` is not expected here"))
                    .at(attribute.value.span)
                    .within(context.clone())
                    .help("a required plugin has `version` and `source`"),
            );
        }
        let get = |name: &str| entries.get(name).and_then(|v| v.as_text()).map(str::to_owned);
        let (Some(version), Some(source)) = (get("version"), get("source")) else {
            self.report(
                Diagnostic::error(
                    code::BAD_PLUGIN,
                    format!("`{}` needs `version` and `source`", attribute.name),
                )
                .at(span)
                .within(context),
            );
            return;
        };
        if source.split('/').count() < 3 {
            self.report(
                Diagnostic::error(code::BAD_PLUGIN, format!("\"{source}\" is not a source"))
                    .at(attribute.value.span)
                    .within(context.clone())
                    .help("a source has at least three parts: github.com/hashicorp/qemu"),
            );
        }
        if Constraints::parse(&version).is_none() {
            self.report(bad_constraint(&version, attribute.value.span).within(context));
        }
        if self.declared.plugins.iter().any(|p| p.name == attribute.name) {
            self.duplicate(&format!("required plugin `{}`", attribute.name), span);
        }
        let name = attribute.name.clone();
        self.declared.plugins.push(RequiredPlugin { name, source, version, span });
    }

    fn add_variable(&mut self, name: &str, variable: Variable) {
        let span = variable.span;
        if self.declared.variables.insert(name.to_owned(), variable).is_some() {
            self.duplicate(&format!("variable `{name}`"), span);
        }
    }

    fn variables(&mut self, block: &Block) {
        self.no_blocks(block);
        for attribute in &block.body.attributes {
            let variable = Variable {
                ty: None,
                default: Some(attribute.value.clone()),
                description: String::new(),
                sensitive: false,
                validations: Vec::new(),
                span: attribute.name_span,
            };
            self.add_variable(&attribute.name, variable);
        }
    }

    fn variable(&mut self, block: &Block) {
        self.only(block, &["type", "default", "description", "sensitive"]);
        let ty = block.body.attribute("type").and_then(|attribute| {
            let evaluate = |expr: &Expr| evaluate(self.world, &Roots::default(), Position::Anywhere, expr);
            match types::constraint(&attribute.value, &evaluate) {
                Ok(ty) => Some(ty),
                Err(diagnostic) => {
                    self.report(diagnostic.within(block.context()));
                    None
                }
            }
        });
        let mut validations = Vec::new();
        for inner in &block.body.blocks {
            if inner.kind == "validation" {
                validations.extend(self.validation(block, inner));
            } else {
                self.report(expected::block(inner, &["validation"]).within(block.context()));
            }
        }
        let variable = Variable {
            ty,
            default: block.body.attribute("default").map(|a| a.value.clone()),
            description: self.text(block, "description").map(|(text, _)| text).unwrap_or_default(),
            sensitive: self.flag(block, "sensitive"),
            validations,
            span: block.header,
        };
        self.add_variable(block.label(0), variable);
    }

    fn validation(&mut self, variable: &Block, block: &Block) -> Option<Validation> {
        self.only(block, &["condition", "error_message"]);
        let context = variable.context();
        let Some(condition) = block.body.attribute("condition") else {
            self.report(
                Diagnostic::error(code::BAD_VALIDATION, "a validation needs `condition`")
                    .at(block.header)
                    .within(context),
            );
            return None;
        };
        if let Some(span) = foreign_reference(&condition.value, variable.label(0)) {
            let own = variable.label(0);
            self.report(
                Diagnostic::error(
                    code::BAD_VALIDATION,
                    format!("the condition can refer only to the variable itself, var.{own}"),
                )
                .at(span)
                .within(context.clone()),
            );
            return None;
        }
        let Some((message, span)) = self.text(block, "error_message") else {
            self.report(
                Diagnostic::error(code::BAD_VALIDATION, "a validation needs `error_message`")
                    .at(block.header)
                    .within(context),
            );
            return None;
        };
        let first = message.chars().next().is_some_and(|c| c.is_uppercase() || !c.is_alphabetic());
        if !first || !message.ends_with(['.', '?', '!']) {
            self.report(
                Diagnostic::error(code::BAD_VALIDATION, "`error_message` must be a full sentence")
                    .at(span)
                    .within(context)
                    .help("start it with an upper-case letter and end it with a period, ! or ?"),
            );
        }
        Some(Validation { condition: condition.value.clone(), message, span: condition.value.span })
    }

    fn add_local(&mut self, name: &str, local: Local) {
        let span = local.span;
        if self.declared.locals.insert(name.to_owned(), local).is_some() {
            self.duplicate(&format!("local `{name}`"), span);
        }
    }

    fn local(&mut self, block: &Block) {
        self.only(block, &["expression", "sensitive"]);
        self.no_blocks(block);
        let Some(expression) = block.body.attribute("expression") else {
            self.report(
                Diagnostic::error(code::MISSING_ATTRIBUTE, "`expression` is required")
                    .at(block.header)
                    .within(block.context()),
            );
            return;
        };
        let local = Local {
            expression: Arc::clone(&expression.value),
            sensitive: self.flag(block, "sensitive"),
            span: block.header,
        };
        self.add_local(block.label(0), local);
    }
}

fn bad_constraint(text: &str, span: Span) -> Diagnostic {
    Diagnostic::error(code::BAD_VERSION, format!("\"{text}\" is not a version constraint"))
        .at(span)
        .help("write it like \">= 1.7.0\", \"~> 1.9\" or \">= 1.0, < 2.0\"")
}

/// The first reference in `expr` to anything but `var.NAME`.
fn foreign_reference(expr: &Expr, name: &str) -> Option<Span> {
    let mut found = None;
    crate::references::visit(expr, &mut |root, steps, span| {
        let own = root == "var" && types::first_step(steps) == Some(name);
        if !own && matches!(root, "var" | "local" | "data" | "source" | "build") {
            found = found.or(Some(span));
        }
    });
    found
}

/// Whether an expression is an empty list or object, whose type says nothing.
pub(crate) fn is_empty_collection(expr: &Expr) -> bool {
    match &expr.node {
        Node::Tuple(items) => items.is_empty(),
        Node::Object(entries) => entries.is_empty(),
        _ => false,
    }
}
