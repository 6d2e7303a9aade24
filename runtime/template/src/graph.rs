//! Locals and data sources in the order of their references.

use crate::declared::Declared;
use crate::decode::Decoder;
use crate::environment::{Catalogue, ReadData};
use crate::eval::{Roots, World, evaluate};
use crate::functions::Position;
use crate::references;
use crate::syntax::{Block, Step};
use crate::value::Val;
use crate::value::types::{Attribute, Type};
use kiln_plan::code::template as code;
use kiln_plan::{
    ComponentRef, Diagnostic, Diagnostics, Field, FieldType, Kind, Marks, Origin, Schema, Span, nearest,
};
use std::collections::{BTreeMap, BTreeSet};

/// A local by name, or a data source by type and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Id {
    Local(String),
    Data(String, String),
}

impl Id {
    fn shown(&self) -> String {
        match self {
            Self::Local(name) => format!("local.{name}"),
            Self::Data(ty, name) => format!("data.{ty}.{name}"),
        }
    }
}

pub(crate) struct Grapher<'g> {
    pub(crate) declared: &'g Declared,
    pub(crate) world: &'g World,
    pub(crate) catalogue: &'g dyn Catalogue,
    pub(crate) read: Option<&'g dyn ReadData>,
    pub(crate) diagnostics: &'g mut Diagnostics,
}

impl Grapher<'_> {
    /// Evaluates all locals and data sources into `roots`. What fails is unknown, so that what
    /// refers to it is not reported too.
    pub(crate) fn run(&mut self, roots: &mut Roots) {
        roots.set("local", Val::object(BTreeMap::new()));
        roots.set("data", Val::object(BTreeMap::new()));
        let mut data: BTreeMap<String, BTreeMap<String, Val>> = BTreeMap::new();
        for id in self.ordered() {
            match &id {
                Id::Local(name) => {
                    let value = self.local(name, roots);
                    roots.insert("local", name, value);
                }
                Id::Data(ty, name) => {
                    let value = self.data(ty, name, roots);
                    let of_type = data.entry(ty.clone()).or_default();
                    of_type.insert(name.clone(), value);
                    roots.insert("data", ty, Val::object(of_type.clone()));
                }
            }
        }
    }

    /// All of them, each after what it refers to. Those of a cycle are reported and put last.
    fn ordered(&mut self) -> Vec<Id> {
        let mut needs: BTreeMap<Id, BTreeSet<Id>> = BTreeMap::new();
        for (name, local) in &self.declared.locals {
            let mut found = BTreeSet::new();
            references::visit(&local.expression, &mut |root, steps, _| self.needed(root, steps, &mut found));
            needs.insert(Id::Local(name.clone()), found);
        }
        for ((ty, name), block) in &self.declared.data {
            let mut found = BTreeSet::new();
            references::visit_body(&block.body, &mut |root, steps, _| self.needed(root, steps, &mut found));
            needs.insert(Id::Data(ty.clone(), name.clone()), found);
        }
        let mut users: BTreeMap<Id, Vec<Id>> = BTreeMap::new();
        let mut missing: BTreeMap<Id, usize> = BTreeMap::new();
        for (id, found) in &needs {
            missing.insert(id.clone(), found.len());
            for need in found {
                users.entry(need.clone()).or_default().push(id.clone());
            }
        }
        let mut ready: BTreeSet<Id> =
            missing.iter().filter(|(_, count)| **count == 0).map(|(id, _)| id.clone()).collect();
        let mut order = Vec::with_capacity(needs.len());
        while let Some(id) = ready.pop_first() {
            for user in users.get(&id).into_iter().flatten() {
                if let Some(count) = missing.get_mut(user) {
                    *count -= 1;
                    if *count == 0 {
                        ready.insert(user.clone());
                    }
                }
            }
            missing.remove(&id);
            order.push(id);
        }
        self.report_cycle(&missing, &needs);
        order.extend(missing.into_keys());
        order
    }

    /// Adds what a reference needs. A reference to a whole type or to all locals needs them all.
    fn needed(&self, root: &str, steps: &[(Step, Span)], found: &mut BTreeSet<Id>) {
        let name = |at: usize| match steps.get(at) {
            Some((Step::Attribute(name), _)) => Some(name.as_str()),
            Some((Step::Index(expr), _)) => match &expr.node {
                crate::syntax::Node::Literal(value) => value.as_text(),
                _ => None,
            },
            _ => None,
        };
        let declared = self.declared;
        match (root, name(0), name(1)) {
            ("local", Some(local), _) => {
                let known = declared.locals.contains_key(local);
                found.extend(known.then(|| Id::Local(local.to_owned())));
            }
            ("local", None, _) => found.extend(declared.locals.keys().cloned().map(Id::Local)),
            ("data", ty, label) => {
                let wanted = declared
                    .data
                    .keys()
                    .filter(|(t, n)| ty.is_none_or(|ty| ty == t) && label.is_none_or(|label| label == n));
                found.extend(wanted.map(|(t, n)| Id::Data(t.clone(), n.clone())));
            }
            _ => {}
        }
    }

    fn report_cycle(&mut self, missing: &BTreeMap<Id, usize>, needs: &BTreeMap<Id, BTreeSet<Id>>) {
        // Walking from any of them along needs that are missing too must come back.
        let Some(mut here) = missing.keys().next() else { return };
        let mut path: Vec<&Id> = Vec::new();
        while !path.contains(&here) {
            path.push(here);
            let next =
                needs.get(here).and_then(|found| found.iter().find(|need| missing.contains_key(*need)));
            match next {
                Some(next) => here = next,
                None => break,
            }
        }
        let start = path.iter().position(|id| *id == here).unwrap_or(0);
        let names: Vec<String> = path.iter().skip(start).chain([&here]).map(|id| id.shown()).collect();
        let span = match here {
            Id::Local(name) => self.declared.locals.get(name).map(|l| l.span),
            Id::Data(ty, name) => self.declared.data.get(&(ty.clone(), name.clone())).map(|b| b.header),
        };
        let mut diagnostic = Diagnostic::error(code::CYCLE, "these values refer to each other in a circle")
            .detail(names.join(" → "));
        diagnostic.span = span;
        self.diagnostics.push(diagnostic);
    }

    fn local(&mut self, name: &str, roots: &Roots) -> Val {
        let Some(local) = self.declared.locals.get(name) else { return Val::null() };
        let value = match evaluate(self.world, roots, Position::Anywhere, &local.expression) {
            Ok(value) if value.within_bounds() => value,
            Ok(_) => {
                let span = local.expression.span;
                let summary = format!("the value of local `{name}` is too large or too deep");
                self.diagnostics.push(Diagnostic::error(code::TOO_MUCH_WORK, summary).at(span));
                Val::unknown(Type::Dynamic)
            }
            Err(diagnostic) => {
                // A cycle is reported once, not for each of its names.
                let pending = diagnostic.code == code::UNKNOWN_LOCAL
                    && self.declared.locals.keys().any(|n| diagnostic.summary.contains(&format!("`{n}`")));
                if !pending {
                    self.diagnostics.push(*diagnostic);
                }
                Val::unknown(Type::Dynamic)
            }
        };
        if local.sensitive { value.marked_deep(Marks { sensitive: true, ..Marks::default() }) } else { value }
    }

    fn data(&mut self, ty: &str, name: &str, roots: &Roots) -> Val {
        let Some(block) = self.declared.data.get(&(ty.to_owned(), name.to_owned())) else {
            return Val::null();
        };
        let marks = Marks { origin: Origin::Component, ..Marks::default() };
        let component = ComponentRef::new(Kind::DataSource, ty);
        let value = match self.read_data(&component, name, block, roots) {
            Some(value) if value.within_bounds() => value,
            Some(_) => {
                let summary = format!("the value of data `{ty}.{name}` is too large or too deep");
                self.diagnostics.push(Diagnostic::error(code::TOO_MUCH_WORK, summary).at(block.header));
                Val::unknown(Type::Dynamic)
            }
            None => Val::unknown(
                self.catalogue.output_schema(&component).map_or(Type::Dynamic, |s| output_type(&s)),
            ),
        };
        value.marked_deep(marks)
    }

    /// Decodes the block and reads the data source; `None` if that is not done or fails.
    fn read_data(
        &mut self,
        component: &ComponentRef,
        name: &str,
        block: &Block,
        roots: &Roots,
    ) -> Option<Val> {
        let Some(schema) = self.catalogue.schema(component) else {
            self.diagnostics.push(unknown_component(component, block, self.catalogue));
            return None;
        };
        let context = block.context();
        let mut decoder = Decoder::new(self.world, &schema, &context);
        let mut map = BTreeMap::new();
        decoder.body(&block.body, roots, &[], &mut map);
        let (configuration, found) = decoder.finish(map, Some(block.header));
        let failed = found.iter().any(Diagnostic::is_error);
        self.diagnostics.extend(found);
        if failed {
            return None;
        }
        match self.read?.read(component, name, configuration) {
            Ok(value) => Some(Val::raise(&value)),
            Err(mut diagnostic) => {
                diagnostic.span = diagnostic.span.or(Some(block.header));
                diagnostic.context = diagnostic.context.or(Some(context));
                self.diagnostics.push(diagnostic);
                None
            }
        }
    }
}

/// The type of what a data source gives.
fn output_type(schema: &Schema) -> Type {
    if schema.open || schema.fields.is_empty() {
        return Type::Dynamic;
    }
    object_type(&schema.fields)
}

fn object_type(fields: &BTreeMap<String, Field>) -> Type {
    Type::Object(
        fields.iter().map(|(name, field)| (name.clone(), Attribute::of(field_type(field)))).collect(),
    )
}

fn field_type(field: &Field) -> Type {
    match &field.ty {
        FieldType::Bool => Type::Bool,
        FieldType::Number => Type::Number,
        FieldType::Text => Type::Text,
        FieldType::List(item) => Type::list(field_type(item)),
        FieldType::Map(item) => Type::map(field_type(item)),
        FieldType::Object(fields) => object_type(fields),
        FieldType::Any => Type::Dynamic,
    }
}

/// There is no such component: what there is.
pub(crate) fn unknown_component(
    component: &ComponentRef,
    block: &Block,
    catalogue: &dyn Catalogue,
) -> Diagnostic {
    let names = catalogue.names(component.kind);
    let span = block.labels.first().map_or(block.header, |(_, span)| *span);
    let mut diagnostic = Diagnostic::error(code::UNKNOWN_COMPONENT, format!("there is no {component}"))
        .at(span)
        .within(block.context());
    if !names.is_empty() {
        diagnostic.detail = format!("there are {}", names.join(", "));
    }
    let absent = catalogue.absent_names(component.kind);
    diagnostic.help = Some(match nearest(&component.name, names.iter().chain(&absent)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "if it is of a plugin, add it to required_plugins and run `kiln init`".to_owned(),
    });
    diagnostic
}
