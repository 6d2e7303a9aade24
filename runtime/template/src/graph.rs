//! Locals and data sources in the order of their references. Data sources that do not need each
//! other are run at once.

mod order;

use crate::declared::Declared;
use crate::decode::Decoder;
use crate::environment::{Catalogue, DataRequest, ReadData};
use crate::eval::{Roots, World, evaluate};
use crate::functions::Position;
use crate::references;
use crate::syntax::{Block, Step};
use crate::unknown;
use crate::value::Val;
use crate::value::types::{Attribute, Type};
use kiln_plan::code::template as code;
use kiln_plan::{
    ComponentRef, Diagnostic, Diagnostics, Field, FieldType, Kind, Marks, Origin, Schema, Span, Value,
};
use order::{Id, Needs, Order};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) struct Grapher<'g> {
    pub(crate) declared: &'g Declared,
    pub(crate) world: &'g World,
    pub(crate) catalogue: &'g dyn Catalogue,
    pub(crate) read: Option<&'g dyn ReadData>,
    /// Whether data sources come before all locals, as before Packer 1.12.
    pub(crate) sequential: bool,
    pub(crate) diagnostics: &'g mut Diagnostics,
}

/// The values of data sources by type and name.
type DataValues = BTreeMap<String, BTreeMap<String, Val>>;

impl Grapher<'_> {
    /// Evaluates all locals and data sources into `roots`. What fails is unknown, so that what
    /// refers to it is not reported too.
    pub(crate) fn run(&mut self, roots: &mut Roots) {
        roots.set("local", Val::object(BTreeMap::new()));
        roots.set("data", Val::object(BTreeMap::new()));
        let mut values = DataValues::new();
        // Whoever asks for one that is not declared is shown all that are.
        for (ty, name) in self.declared.data.keys() {
            add_data(&mut values, roots, ty, name, Val::unknown(Type::Dynamic));
        }
        let needs = self.needs();
        let mut order = Order::of(&needs);
        loop {
            let wave = order.wave();
            if wave.is_empty() {
                break;
            }
            let mut data = Vec::new();
            for id in &wave {
                match id {
                    Id::Local(name) => {
                        let value = self.local(name, roots);
                        roots.insert("local", name, value);
                    }
                    Id::Data(ty, name) => data.push((ty.as_str(), name.as_str())),
                }
            }
            self.data_wave(&data, roots, &mut values);
            order.done(&wave);
        }
        self.report_cycle(&order.missing, &needs);
        for id in order.missing.into_keys() {
            let unknown = Val::unknown(Type::Dynamic);
            match id {
                Id::Local(name) => roots.insert("local", &name, unknown),
                Id::Data(ty, name) => add_data(&mut values, roots, &ty, &name, unknown),
            }
        }
    }

    /// What each of them refers to.
    fn needs(&self) -> Needs {
        let mut needs = Needs::new();
        for (name, local) in &self.declared.locals {
            let mut found = BTreeSet::new();
            references::visit(&local.expression, &mut |root, steps, _| self.needed(root, steps, &mut found));
            needs.insert(Id::Local(name.clone()), found);
        }
        for ((ty, name), block) in &self.declared.data {
            let mut found = BTreeSet::new();
            references::visit_body(&block.body, &mut |root, steps, _| self.needed(root, steps, &mut found));
            if self.sequential {
                found.retain(|id| matches!(id, Id::Data(..)));
            }
            needs.insert(Id::Data(ty.clone(), name.clone()), found);
        }
        needs
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

    fn report_cycle(&mut self, missing: &BTreeMap<Id, usize>, needs: &Needs) {
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
                self.diagnostics.push(*diagnostic);
                Val::unknown(Type::Dynamic)
            }
        };
        if local.sensitive { value.marked_deep(Marks { sensitive: true, ..Marks::default() }) } else { value }
    }

    /// Data sources that do not need each other.
    fn data_wave(&mut self, wave: &[(&str, &str)], roots: &mut Roots, values: &mut DataValues) {
        let mut known = roots.clone();
        if self.sequential {
            known.refuse("local", "with -use-sequential-evaluation locals come after all data sources");
        }
        let mut requests = Vec::new();
        let mut asked = Vec::new();
        for (ty, name) in wave {
            match self.request(ty, name, &known) {
                Some(request) if self.read.is_some() => {
                    requests.push(request);
                    asked.push((*ty, *name));
                }
                _ => {
                    let value = self.unread(ty);
                    add_data(values, roots, ty, name, value);
                }
            }
        }
        let Some(read) = self.read.filter(|_| !requests.is_empty()) else { return };
        for ((ty, name), outcome) in asked.into_iter().zip(read.read(requests)) {
            let value = self.outcome(ty, name, outcome);
            add_data(values, roots, ty, name, value);
        }
    }

    /// The value of a data source that was not run: unknown, but of the type that it says.
    fn unread(&self, ty: &str) -> Val {
        let component = ComponentRef::new(Kind::DataSource, ty);
        let schema = self.catalogue.output_schema(&component);
        Val::unknown(schema.map_or(Type::Dynamic, |schema| output_type(&schema)))
    }

    fn outcome(&mut self, ty: &str, name: &str, outcome: Result<Value, Box<Diagnostic>>) -> Val {
        let block = self.declared.data.get(&(ty.to_owned(), name.to_owned()));
        let failed = match outcome.map(|value| Val::raise(&value)) {
            Ok(value) if value.within_bounds() => return value,
            Ok(_) => {
                let summary = format!("the value of data `{ty}.{name}` is too large or too deep");
                Diagnostic::error(code::TOO_MUCH_WORK, summary)
            }
            Err(diagnostic) => *diagnostic,
        };
        self.diagnostics.push(Diagnostic {
            span: failed.span.or(block.map(|block| block.header)),
            context: failed.context.clone().or(block.map(Block::context)),
            ..failed
        });
        self.unread(ty)
    }

    /// Decodes the block; `None` if something is wrong with it.
    fn request(&mut self, ty: &str, name: &str, roots: &Roots) -> Option<DataRequest> {
        let block = self.declared.data.get(&(ty.to_owned(), name.to_owned()))?;
        let component = ComponentRef::new(Kind::DataSource, ty);
        let Some(schema) = self.catalogue.schema(&component) else {
            let plugins = &self.declared.plugins;
            self.diagnostics.push(unknown::in_block(&component, block, self.catalogue, plugins));
            return None;
        };
        let context = block.context();
        let mut decoder = Decoder::new(self.world, &schema, &context);
        let mut map = BTreeMap::new();
        decoder.body(&block.body, roots, &[], &mut map);
        let (configuration, found) = decoder.finish(map, Some(block.header));
        let failed = found.iter().any(Diagnostic::is_error);
        self.diagnostics.extend(found);
        (!failed).then(|| DataRequest { component, label: name.to_owned(), configuration })
    }
}

/// Sets `data.TYPE.NAME`.
fn add_data(values: &mut DataValues, roots: &mut Roots, ty: &str, name: &str, value: Val) {
    let marks = Marks { origin: Origin::Component, ..Marks::default() };
    let of_type = values.entry(ty.to_owned()).or_default();
    of_type.insert(name.to_owned(), value.marked_deep(marks));
    roots.insert("data", ty, Val::object(of_type.clone()));
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
