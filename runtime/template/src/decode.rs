//! A block's body into a step's options, by the component's schema.

use crate::eval::{Context, Roots, World, error, evaluate};
use crate::functions::Position;
use crate::syntax::{Attribute, Block, Body, Expr, Key, Node};
use crate::value::convert::convert;
use crate::value::types::Type;
use crate::value::{V, Val};
use kiln_plan::code::template as code;
use kiln_plan::{
    Configuration, Data, Diagnostic, Diagnostics, Field, FieldType, Marks, Misfit, Problem, Schema, Span,
    Value, nearest, pointer_push,
};
use std::collections::BTreeMap;

/// The most blocks that one `dynamic` makes.
const MAX_DYNAMIC: usize = 10_000;

/// What a body is decoded into and with.
pub(crate) struct Decoder<'d> {
    world: &'d World,
    schema: &'d Schema,
    spans: BTreeMap<String, Span>,
    context: &'d str,
    diagnostics: Diagnostics,
}

/// The options at one level of the schema.
#[derive(Clone, Copy)]
enum Level<'l> {
    Fields(&'l BTreeMap<String, Field>),
    /// Any names, values of one type.
    Each(&'l Field),
    Open,
}

impl<'l> Level<'l> {
    fn field(self, name: &str) -> Option<&'l Field> {
        match self {
            Self::Fields(fields) => fields.get(name),
            Self::Each(field) => Some(field),
            Self::Open => None,
        }
    }
}

impl<'d> Decoder<'d> {
    pub(crate) fn new(world: &'d World, schema: &'d Schema, context: &'d str) -> Self {
        Self { world, schema, spans: BTreeMap::new(), context, diagnostics: Vec::new() }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(match diagnostic.context {
            Some(_) => diagnostic,
            None => diagnostic.within(self.context),
        });
    }

    /// Adds the options of `body` to `map`, except the names in `skip`.
    pub(crate) fn body(
        &mut self,
        body: &Body,
        roots: &Roots,
        skip: &[&str],
        map: &mut BTreeMap<String, Value>,
    ) {
        let schema = self.schema;
        let level =
            if schema.open && schema.fields.is_empty() { Level::Open } else { Level::Fields(&schema.fields) };
        self.level(body, roots, level, "", skip, map);
    }

    fn level(
        &mut self,
        body: &Body,
        roots: &Roots,
        level: Level<'_>,
        pointer: &str,
        skip: &[&str],
        map: &mut BTreeMap<String, Value>,
    ) {
        for attribute in &body.attributes {
            let name = attribute.name.as_str();
            if skip.contains(&name) {
                continue;
            }
            if !body.json && level.field(name).is_some_and(|field| field.block) {
                self.report(unexpected_attribute(attribute));
                // Unknown, so that a required block does not count as missing too.
                map.insert(name.to_owned(), Data::Unknown.into());
                continue;
            }
            self.attribute(attribute, roots, level, pointer, map);
        }
        for block in &body.blocks {
            if block.kind == "dynamic" {
                self.dynamic(block, roots, level, pointer, map);
            } else {
                self.block(&block.kind, block.header, &block.body, roots, level, pointer, map);
            }
        }
    }

    fn attribute(
        &mut self,
        attribute: &Attribute,
        roots: &Roots,
        level: Level<'_>,
        pointer: &str,
        map: &mut BTreeMap<String, Value>,
    ) {
        let here = pointer_push(pointer, &attribute.name);
        if map.contains_key(&attribute.name) {
            self.report(
                Diagnostic::error(code::DUPLICATE, format!("`{}` is set twice", attribute.name))
                    .at(attribute.name_span)
                    .detail("a source in a build can only add options that the source itself does not set"),
            );
            return;
        }
        let field = level.field(&attribute.name);
        if let Some(instead) = field.and_then(|f| f.deprecated.as_deref()) {
            self.report(deprecated(&attribute.name, attribute.name_span, instead));
        }
        if field.is_none() && matches!(level, Level::Fields(_)) {
            // The name is what is wrong, not the value.
            self.spans.insert(here.clone(), attribute.name_span);
        } else {
            note_spans(&attribute.value, &here, &mut self.spans);
        }
        match evaluate(self.world, roots, Position::Anywhere, &attribute.value) {
            Ok(value) if !value.within_bounds() => {
                self.report(*error(code::TOO_MUCH_WORK, "this value is too large", attribute.value.span));
            }
            Ok(value) => {
                map.insert(attribute.name.clone(), value.lower());
            }
            Err(diagnostic) => {
                self.report(*diagnostic);
                // Unknown, so that a required option does not count as missing too.
                map.insert(attribute.name.clone(), Data::Unknown.into());
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one call each for written and dynamic blocks")]
    fn block(
        &mut self,
        kind: &str,
        header: Span,
        body: &Body,
        roots: &Roots,
        level: Level<'_>,
        pointer: &str,
        map: &mut BTreeMap<String, Value>,
    ) {
        let field = level.field(kind);
        let inner = match field.map(|f| (f, &f.ty)) {
            Some((Field { block: false, .. }, ty)) if *ty != FieldType::Any => None,
            Some((_, FieldType::List(item))) => level_of(item),
            Some((field, _)) => level_of(field),
            None if self.schema.open || matches!(level, Level::Open) => Some(Level::Open),
            None => None,
        };
        let Some(inner) = inner else {
            self.report(unexpected_block(kind, header, level, field.is_some()));
            return;
        };
        let listed = matches!(field.map(|f| &f.ty), None | Some(FieldType::List(_)));
        let list_pointer = pointer_push(pointer, kind);
        let here = if listed {
            let count = match map.get(kind).map(|v| &v.data) {
                Some(Data::List(items)) => items.len(),
                _ => 0,
            };
            self.spans.entry(list_pointer.clone()).or_insert(header);
            format!("{list_pointer}/{count}")
        } else {
            list_pointer
        };
        self.spans.insert(here.clone(), header);
        let mut entries = BTreeMap::new();
        self.level(body, roots, inner, &here, &[], &mut entries);
        let value = Value::from(Data::Map(entries));
        if !listed {
            if map.insert(kind.to_owned(), value).is_some() {
                self.report(
                    Diagnostic::error(code::DUPLICATE, format!("only one `{kind}` block is allowed"))
                        .at(header),
                );
            }
            return;
        }
        match map.entry(kind.to_owned()).or_insert_with(|| Data::List(Vec::new()).into()) {
            Value { data: Data::List(items), .. } => items.push(value),
            _ => self.report(
                Diagnostic::error(code::DUPLICATE, format!("`{kind}` is an argument and a block")).at(header),
            ),
        }
    }

    fn dynamic(
        &mut self,
        block: &Block,
        roots: &Roots,
        level: Level<'_>,
        pointer: &str,
        map: &mut BTreeMap<String, Value>,
    ) {
        match expand(block, roots, self.world) {
            Ok(Expanded::Unknown) => {
                map.insert(block.label(0).to_owned(), Data::Unknown.into());
            }
            Ok(Expanded::Blocks(blocks)) => {
                for one in blocks {
                    self.block(
                        &one.block.kind,
                        block.header,
                        &one.block.body,
                        &one.roots,
                        level,
                        pointer,
                        map,
                    );
                }
            }
            Err(diagnostic) => self.report(*diagnostic),
        }
    }

    /// Adds the entries of an evaluated object (an `override`), replacing what is there.
    pub(crate) fn merge(
        &mut self,
        expr: &Expr,
        name: &str,
        roots: &Roots,
        map: &mut BTreeMap<String, Value>,
    ) {
        let value = match evaluate(self.world, roots, Position::Anywhere, expr) {
            Ok(value) => value,
            Err(diagnostic) => return self.report(*diagnostic),
        };
        let Some(own) = value.entries().and_then(|entries| entries.get(name)) else { return };
        let Some(entries) = own.entries() else {
            self.report(
                Diagnostic::error(code::WRONG_TYPE, format!("`override.{name}` must be an object"))
                    .at(expr.span),
            );
            return;
        };
        let mut spans = BTreeMap::new();
        note_spans(expr, "", &mut spans);
        let prefix = pointer_push("", name);
        let lowered = entries.iter().map(|(option, value)| (option.clone(), value.lower()));
        let mut own = Value::from(Data::Map(lowered.collect()));
        // Packer decodes an override weakly; what does not fit is found again with the rest.
        self.schema.conform(&mut own);
        let Data::Map(own) = own.data else { return };
        for (option, value) in own {
            let here = pointer_push("", &option);
            self.spans.retain(|pointer, _| pointer != &here && !pointer.starts_with(&format!("{here}/")));
            self.spans.insert(here, expr.span);
            map.insert(option, value);
        }
        for (pointer, span) in spans {
            if let Some(rest) = pointer.strip_prefix(&prefix).filter(|rest| rest.starts_with('/')) {
                self.spans.insert(rest.to_owned(), span);
            }
        }
    }

    /// Checks the options and gives the configuration with what is wrong.
    pub(crate) fn finish(
        self,
        map: BTreeMap<String, Value>,
        block: Option<Span>,
    ) -> (Configuration, Diagnostics) {
        let context = self.context.to_owned();
        let empty = Configuration { value: Data::Null.into(), spans: self.spans, block, context };
        let (configuration, found) = conform(self.schema, Schema::conform_hcl, &|_| None, map, empty);
        let mut diagnostics = self.diagnostics;
        diagnostics.extend(found);
        (configuration, diagnostics)
    }
}

/// Makes evaluated options the value of `configuration`, converted `by` the rules of a language to
/// what their schema wants, and tells what does not fit; `repair` says what to do about an option of
/// an unknown name.
pub(crate) fn conform(
    schema: &Schema,
    by: fn(&Schema, &mut Value) -> Vec<Misfit>,
    repair: &dyn Fn(&str) -> Option<String>,
    mut map: BTreeMap<String, Value>,
    mut configuration: Configuration,
) -> (Configuration, Diagnostics) {
    // Null is how an option is left out.
    map.retain(|_, value| value.data != Data::Null);
    configuration.value = Value { data: Data::Map(map), marks: Marks::default() };
    let misfits = by(schema, &mut configuration.value);
    let context = &configuration.context;
    let mut found = Diagnostics::new();
    for misfit in &misfits {
        let mut diagnostic = describe(misfit, &configuration, schema).within(context.clone());
        if let Problem::UnknownName { name, .. } = &misfit.problem
            && misfit.pointer.rfind('/') == Some(0)
        {
            diagnostic.help = repair(name).or(diagnostic.help);
        }
        found.push(diagnostic);
    }
    (configuration, found)
}

/// What is said about an option that has an old name.
pub(crate) fn deprecated(name: &str, span: Span, instead: &str) -> Diagnostic {
    Diagnostic::warning(code::DEPRECATED_OPTION, format!("`{name}` is deprecated")).at(span).help(instead)
}

fn level_of(field: &Field) -> Option<Level<'_>> {
    match &field.ty {
        FieldType::Object(fields) => Some(Level::Fields(fields)),
        FieldType::Map(each) => Some(Level::Each(each)),
        FieldType::Any => Some(Level::Open),
        _ => None,
    }
}

fn unexpected_attribute(attribute: &Attribute) -> Diagnostic {
    let name = &attribute.name;
    Diagnostic::error(code::UNEXPECTED_ATTRIBUTE, format!("an argument named `{name}` is not expected here"))
        .at(attribute.name_span)
        .help(format!("`{name}` is a block, write {name} {{ … }}"))
}

fn unexpected_block(kind: &str, header: Span, level: Level<'_>, is_attribute: bool) -> Diagnostic {
    let diagnostic =
        Diagnostic::error(code::UNKNOWN_BLOCK, format!("blocks of type `{kind}` are not expected here"))
            .at(header);
    if is_attribute {
        return diagnostic.help(format!("`{kind}` is an argument, write {kind} = …"));
    }
    match level {
        Level::Fields(fields) => match nearest(kind, fields.keys()) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => match crate::expected::elsewhere(kind) {
                Some(help) => diagnostic.help(help),
                None => diagnostic,
            },
        },
        _ => diagnostic,
    }
}

/// Notes where the parts of a value are written.
fn note_spans(expr: &Expr, pointer: &str, spans: &mut BTreeMap<String, Span>) {
    spans.insert(pointer.to_owned(), expr.span);
    match &expr.node {
        Node::Tuple(items) => {
            for (index, item) in items.iter().enumerate() {
                note_spans(item, &format!("{pointer}/{index}"), spans);
            }
        }
        Node::Object(entries) => {
            for (key, value) in entries {
                let name = match key {
                    Key::Name(name) => Some(name.as_str()),
                    Key::Expr(Expr { node: Node::Literal(value), .. }) => value.as_text(),
                    Key::Expr(_) => None,
                };
                if let Some(name) = name {
                    note_spans(value, &pointer_push(pointer, name), spans);
                }
            }
        }
        Node::Parenthesis(inner) => note_spans(inner, pointer, spans),
        _ => {}
    }
}

fn describe(misfit: &Misfit, configuration: &Configuration, schema: &Schema) -> Diagnostic {
    let option = misfit.pointer.trim_start_matches('/').replace('/', ".");
    let mut diagnostic = match &misfit.problem {
        Problem::UnknownName { name, suggestion } => {
            let mut diagnostic =
                Diagnostic::error(code::UNKNOWN_OPTION, format!("`{name}` is not an option here"));
            diagnostic.help = suggestion.as_ref().map(|near| format!("did you mean `{near}`?"));
            diagnostic
        }
        Problem::WrongType { expected, found } => {
            Diagnostic::error(code::WRONG_TYPE, format!("`{option}` must be {expected}, not {found}"))
        }
        Problem::Missing { name } => {
            let what =
                schema.field_at(&pointer_push(&misfit.pointer, name)).map_or("", |f| f.description.as_str());
            Diagnostic::error(code::MISSING_OPTION, format!("the option `{name}` is required")).detail(what)
        }
        Problem::NotAChoice { choices } => {
            Diagnostic::error(code::NOT_A_CHOICE, format!("`{option}` must be one of {}", choices.join(", ")))
        }
    };
    diagnostic.span = configuration.span(&misfit.pointer);
    diagnostic
}

/// A block that a `dynamic` made, with its iterator.
pub(crate) struct Made {
    pub(crate) block: Block,
    pub(crate) roots: Roots,
}

/// What a `dynamic` gives.
pub(crate) enum Expanded {
    Blocks(Vec<Made>),
    /// `for_each` is not known yet.
    Unknown,
}

/// Expands one `dynamic` block.
///
/// # Errors
/// The first thing that is wrong with it.
pub(crate) fn expand(block: &Block, roots: &Roots, world: &World) -> Result<Expanded, Box<Diagnostic>> {
    let need = |name: &str| error(code::BAD_DYNAMIC, format!("`dynamic` needs {name}"), block.header);
    let kind = match block.labels.as_slice() {
        [(kind, _)] => kind,
        _ => return Err(need("one label, the kind of the blocks")),
    };
    let for_each = block.body.attribute("for_each").ok_or_else(|| need("`for_each`"))?;
    let content = block.body.blocks("content").next().ok_or_else(|| need("a `content` block"))?;
    let iterator = match block.body.attribute("iterator").map(|a| &a.value.node) {
        None => kind.clone(),
        Some(Node::Name(name)) => name.clone(),
        Some(_) => return Err(need("a plain name as `iterator`")),
    };
    let collection = evaluate(world, roots, Position::Anywhere, &for_each.value)?;
    if collection.is_unknown() {
        return Ok(Expanded::Unknown);
    }
    let pairs = Context::pairs(&collection, for_each.value.span)?;
    if pairs.len() > MAX_DYNAMIC {
        return Err(error(code::TOO_MUCH_WORK, "`for_each` has too many items", for_each.value.span));
    }
    let mut blocks = Vec::with_capacity(pairs.len());
    for (key, value) in pairs {
        let mut roots = roots.clone();
        let item = [("key".to_owned(), key), ("value".to_owned(), value)].into();
        roots.set(&iterator, Val::object(item).marked(collection.marks));
        let labels = match block.body.attribute("labels") {
            None => Vec::new(),
            Some(labels) => {
                let value = evaluate(world, &roots, Position::Anywhere, &labels.value)?;
                let texts = convert(&value, &Type::list(Type::Text))
                    .map_err(|e| error(code::BAD_DYNAMIC, format!("`labels`: {e}"), labels.value.span))?;
                let texts = texts.items().unwrap_or_default().to_vec();
                texts.iter().filter_map(|t| t.as_text().map(|t| (t.to_owned(), labels.value.span))).collect()
            }
        };
        let one = Block { kind: kind.clone(), labels, body: content.body.clone(), header: block.header };
        blocks.push(Made { block: one, roots });
    }
    Ok(Expanded::Blocks(blocks))
}

/// The blocks of a body with every `dynamic` expanded; unknown ones give nothing.
pub(crate) fn expanded(
    body: &Body,
    roots: &Roots,
    world: &World,
    diagnostics: &mut Diagnostics,
) -> Vec<Made> {
    let mut all = Vec::new();
    for block in &body.blocks {
        if block.kind != "dynamic" {
            all.push(Made { block: block.clone(), roots: roots.clone() });
            continue;
        }
        match expand(block, roots, world) {
            Ok(Expanded::Blocks(blocks)) => all.extend(blocks),
            Ok(Expanded::Unknown) => {}
            Err(diagnostic) => diagnostics.push(*diagnostic),
        }
    }
    all
}

/// An evaluated attribute of type `ty`; `None` if it is absent, null or unknown.
///
/// # Errors
/// It cannot be evaluated or converted.
pub(crate) fn option(
    body: &Body,
    name: &str,
    ty: &Type,
    roots: &Roots,
    world: &World,
) -> Result<Option<(Val, Span)>, Box<Diagnostic>> {
    let Some(attribute) = body.attribute(name) else { return Ok(None) };
    let span = attribute.value.span;
    let value = evaluate(world, roots, Position::Anywhere, &attribute.value)?;
    let value = convert(&value, ty).map_err(|e| error(code::WRONG_TYPE, format!("`{name}`: {e}"), span))?;
    Ok(match value.v {
        V::Null(_) | V::Unknown(_) => None,
        _ => Some((value, span)),
    })
}
