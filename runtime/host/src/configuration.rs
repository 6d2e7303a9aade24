//! A step's options on the way into a step: defaults, templates, types, secrets.
//!
//! ```text
//! as evaluated ─▶ defaults ─▶ {{ }} rendered (but not `late`) ─▶ types again ─▶ the tree, for the host
//!                                                                              └▶ sealed ─▶ JSON, for the guest
//! ```
//!
//! Main type: [`StepConfiguration`]. Invariant: the guest's JSON has no value that the template
//! marks as sensitive, and the host's tree keeps who made each value.

use crate::bindings::kiln::host::types::ErrorCode;
use crate::build::BuildInner;
use crate::error::{CallResult, fail};
use crate::secrets::Redactor;
use kiln_plan::code::{self, Code};
use kiln_plan::go_template::{self, PackerFunctions};
use kiln_plan::{
    Configuration, Data, Diagnostic, Diagnostics, Field, FieldType, Marks, Misfit, Number, Origin, Problem,
    Schema, Span, Value, pointer_push,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The most bytes that a rendered option may have.
const MAX_RENDERED: usize = 4 << 20;
/// The longest JSON that a guest may hand over as late values.
const MAX_LATE: usize = 1 << 20;

/// The options of one step attempt.
#[derive(Debug)]
pub(crate) struct StepConfiguration {
    /// Rendered, with marks, secrets in clear. Never leaves the host.
    pub(crate) value: Value,
    /// What the guest gets.
    pub(crate) json: String,
    pub(crate) schema: Arc<Schema>,
    /// Options that the user did not write, by pointer.
    defaulted: BTreeSet<String>,
    written: Configuration,
    functions: PackerFunctions,
}

impl StepConfiguration {
    /// Brings the options into the form that the step gets.
    ///
    /// # Errors
    /// Templates that cannot be rendered, values that do not fit.
    pub(crate) fn new(
        build: &BuildInner,
        schema: &Arc<Schema>,
        written: &Configuration,
    ) -> Result<Self, Diagnostics> {
        let mut value = written.value.clone();
        let mut defaulted = BTreeSet::new();
        if let Some(map) = value.as_map() {
            note_defaults(&schema.fields, map, "", &mut defaulted);
        }
        schema.fill_defaults(&mut value);
        let functions = build.functions();
        let mut found = Diagnostics::new();
        let fields = Fields::Named(&schema.fields);
        render(&mut value, fields, "", &functions, &mut |pointer, message| {
            found.push(diagnostic(written, code::host::TEMPLATE, pointer, message));
        });
        found.extend(schema.conform(&mut value).into_iter().map(|misfit| misfit_words(written, &misfit)));
        if !found.is_empty() {
            return Err(found);
        }
        let json = sealed(build, &value).to_string();
        Ok(Self { value, json, schema: schema.clone(), defaulted, written: written.clone(), functions })
    }

    /// The options as an earlier run recorded them, rendered and without secrets. Who made which of
    /// them is not known any more, so none of them designates anything of the user's.
    pub(crate) fn recorded(schema: &Arc<Schema>, json: &str, functions: PackerFunctions) -> Option<Self> {
        let options = serde_json::from_str(json).ok()?;
        let value = Value::from_json(&options, Marks { sensitive: false, origin: Origin::Component });
        let written = Configuration {
            value: value.clone(),
            spans: Default::default(),
            block: None,
            context: String::new(),
        };
        let (json, schema, defaulted) = (json.to_owned(), schema.clone(), BTreeSet::new());
        Some(Self { value, json, schema, defaulted, written, functions })
    }

    /// The options as they may be kept: what is or holds a secret is left out.
    pub(crate) fn without_secrets(&self, redactor: &Redactor) -> String {
        without_secrets(&self.value, redactor).unwrap_or_default().to_string()
    }

    /// Where the value at `pointer` was written.
    pub(crate) fn span(&self, pointer: Option<&str>) -> Option<Span> {
        self.written.span(pointer.unwrap_or(""))
    }

    /// A finding about the value at `pointer`.
    pub(crate) fn diagnostic(&self, code: Code, pointer: &str, message: impl Into<String>) -> Diagnostic {
        diagnostic(&self.written, code, pointer, message)
    }

    /// Whether the user did not write it, so that the component's author did.
    pub(crate) fn is_default(&self, pointer: &str) -> bool {
        self.defaulted.iter().any(|default| {
            pointer
                .strip_prefix(default.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// The text at `pointer` with its late templates rendered over `late`, a JSON object.
    pub(crate) fn render_late(&self, text: &str, late: &str) -> CallResult<String> {
        if !go_template::is_template(text) {
            return Ok(text.to_owned());
        }
        render_text(text, late, &self.functions)
    }
}

/// Renders `text` over `data`, a JSON object.
pub(crate) fn render_text(text: &str, data: &str, functions: &PackerFunctions) -> CallResult<String> {
    if data.len() > MAX_LATE {
        return Err(fail(ErrorCode::Limit, "the values of a template have more than 1 MiB"));
    }
    let data: serde_json::Value = match data.trim() {
        "" => serde_json::json!({}),
        data => serde_json::from_str(data)
            .map_err(|e| fail(ErrorCode::Invalid, format!("the values of a template are not JSON: {e}")))?,
    };
    go_template::render_text(text, &data, functions, limits())
        .map_err(|e| fail(ErrorCode::Invalid, format!("the template `{text}` cannot be rendered: {e}")))
}

fn limits() -> go_template::Limits {
    go_template::Limits { output: MAX_RENDERED, ..Default::default() }
}

fn note_defaults(
    fields: &BTreeMap<String, Field>,
    map: &BTreeMap<String, Value>,
    pointer: &str,
    defaulted: &mut BTreeSet<String>,
) {
    for (name, field) in fields {
        let here = pointer_push(pointer, name);
        match (map.get(name), &field.ty) {
            (None | Some(Value { data: Data::Null, .. }), _) => {
                defaulted.insert(here);
            }
            (Some(Value { data: Data::Map(inner), .. }), FieldType::Object(fields)) => {
                note_defaults(fields, inner, &here, defaulted);
            }
            _ => {}
        }
    }
}

/// What the schema says of the values below.
#[derive(Clone, Copy)]
enum Fields<'a> {
    Named(&'a BTreeMap<String, Field>),
    Each(&'a Field),
    Unknown,
}

impl<'a> Fields<'a> {
    fn of(self, name: &str) -> Option<&'a Field> {
        match self {
            Self::Named(fields) => fields.get(name),
            Self::Each(field) => Some(field),
            Self::Unknown => None,
        }
    }
}

fn below(field: Option<&Field>) -> Fields<'_> {
    match field.map(|field| &field.ty) {
        Some(FieldType::Object(fields)) => Fields::Named(fields),
        Some(FieldType::List(item) | FieldType::Map(item)) => Fields::Each(item),
        _ => Fields::Unknown,
    }
}

/// Renders every text but the late ones, in place.
fn render(
    value: &mut Value,
    fields: Fields<'_>,
    pointer: &str,
    functions: &PackerFunctions,
    wrong: &mut dyn FnMut(&str, String),
) {
    match &mut value.data {
        Data::Map(map) => {
            for (name, item) in map.iter_mut() {
                let field = fields.of(name);
                render_one(item, field, &pointer_push(pointer, name), functions, wrong);
            }
        }
        Data::List(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                render_one(item, fields.of(""), &format!("{pointer}/{index}"), functions, wrong);
            }
        }
        _ => {}
    }
}

fn render_one(
    value: &mut Value,
    field: Option<&Field>,
    pointer: &str,
    functions: &PackerFunctions,
    wrong: &mut dyn FnMut(&str, String),
) {
    if field.is_some_and(|field| field.late) {
        return;
    }
    let Data::Text(text) = &mut value.data else {
        return render(value, below(field), pointer, functions, wrong);
    };
    if !go_template::is_template(text) {
        return;
    }
    let parsed = go_template::parse(text);
    let made = parsed.as_ref().is_ok_and(|template| template.functions().any(|name| name == "build"));
    if made && functions.build.is_empty() {
        // While validating nothing is built yet.
        value.data = Data::Unknown;
        return;
    }
    let rendered = parsed.and_then(|template| {
        let read = template.functions().any(|name| name == "env");
        let text = go_template::render(&template, &serde_json::json!({}), functions, limits())?;
        let origin = if made {
            Origin::Component
        } else if read {
            Origin::Environment
        } else {
            Origin::User
        };
        Ok((text, Marks { sensitive: false, origin }))
    });
    match rendered {
        Ok((rendered, marks)) => {
            *text = rendered;
            value.marks = value.marks.join(marks);
        }
        Err(error) => wrong(pointer, format!("the template in this value cannot be rendered: {error}")),
    }
}

fn without_secrets(value: &Value, redactor: &Redactor) -> Option<serde_json::Value> {
    use serde_json::Value as Json;
    match &value.data {
        _ if value.marks.sensitive => None,
        Data::Text(text) if redactor.finds(text) => None,
        Data::List(items) => Some(items.iter().filter_map(|item| without_secrets(item, redactor)).collect()),
        Data::Map(map) => {
            let kept =
                map.iter().filter_map(|(name, item)| Some((name.clone(), without_secrets(item, redactor)?)));
            Some(Json::Object(kept.collect()))
        }
        _ => Some(value.to_json()),
    }
}

/// The guest's view: sensitive texts sealed.
pub(crate) fn sealed(build: &BuildInner, value: &Value) -> serde_json::Value {
    use serde_json::Value as Json;
    match &value.data {
        Data::Text(text) if value.marks.sensitive && !text.is_empty() => {
            let within = build.vault.seal_within(text);
            // Too many secrets: better no value than one in clear.
            Json::String(if within == *text { build.vault.seal(text).unwrap_or_default() } else { within })
        }
        Data::Number(Number(digits)) if value.marks.sensitive => {
            build.vault.redactor().add(digits);
            value.to_json()
        }
        Data::List(items) => items.iter().map(|item| sealed(build, item)).collect(),
        Data::Map(map) => {
            Json::Object(map.iter().map(|(name, item)| (name.clone(), sealed(build, item))).collect())
        }
        _ => value.to_json(),
    }
}

fn diagnostic(written: &Configuration, code: Code, pointer: &str, message: impl Into<String>) -> Diagnostic {
    let mut found = Diagnostic::error(code, message).within(written.context.clone());
    found.span = written.span(pointer);
    found
}

fn misfit_words(written: &Configuration, misfit: &Misfit) -> Diagnostic {
    let name = misfit.pointer.rsplit('/').next().unwrap_or("");
    let message = match &misfit.problem {
        Problem::UnknownName { name, .. } => format!("no option is named `{name}`"),
        Problem::WrongType { expected, found } => format!("`{name}` must be {expected}, not {found}"),
        Problem::Missing { name } => format!("the option `{name}` must be written"),
        Problem::NotAChoice { choices } => format!("`{name}` must be one of {}", choices.join(", ")),
    };
    let mut found = diagnostic(written, code::host::OPTION, &misfit.pointer, message);
    if let Problem::UnknownName { suggestion: Some(near), .. } = &misfit.problem {
        found = found.help(format!("did you mean `{near}`?"));
    }
    found
}
