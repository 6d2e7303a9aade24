//! A component's configuration schema: which options there are, of what type, and what each
//! designates.
//!
//! The dialect is JSON Schema 2020-12 reduced to `type`, `properties`, `items`,
//! `additionalProperties`, `required`, `enum`, `default`, `description`, `deprecated` and kiln's own keywords
//! (`x-kiln-include`, `x-kiln-block`, `x-kiln-designates`, `x-kiln-late`, `x-kiln-sensitive`);
//! docs/reference/schema.md describes it. A schema comes from a component and is hostile: size,
//! depth and count are bounded, and there are no patterns to run.

mod conform;
mod groups;

pub use conform::{Misfit, Problem, nearest};
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;

/// The longest schema text that is read, in bytes.
const MAX_BYTES: usize = 1 << 20;
/// The most options of one schema, nested ones included.
const MAX_FIELDS: usize = 4096;
/// The deepest nesting of types.
const MAX_DEPTH: usize = 16;

/// Why a schema is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SchemaError {
    /// It is longer than 1 MiB, deeper than 16 levels or has more than 4096 options.
    #[error("schema exceeds the limit of {0}")]
    Limit(&'static str),
    /// It is not JSON.
    #[error("schema is not JSON: {0}")]
    Syntax(String),
    /// A part of it is not of the dialect.
    #[error("schema of `{field}`: {problem}")]
    Dialect {
        /// The option.
        field: String,
        /// What is wrong.
        problem: String,
    },
}

/// What an option designates: the thing its value names may be touched by its step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Designation {
    /// An existing file.
    File,
    /// An existing directory.
    Directory,
    /// Either.
    FileOrDirectory,
    /// All files that a glob matches.
    Glob,
    /// A path or URL to fetch.
    Source,
    /// A checksum; a `file:` form names a path or URL.
    Checksum,
    /// A private key or certificate; its bytes stay in the host.
    KeyFile,
    /// A file or directory that is made.
    Output,
    /// An output that is added to.
    AppendOutput,
    /// An output that replaces what is there.
    ReplaceOutput,
    /// A URL to talk to.
    Url,
    /// A host name or `host:port`.
    Endpoint,
    /// A command for the user's machine.
    Command,
}

impl Designation {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "file" => Self::File,
            "directory" => Self::Directory,
            "file-or-directory" => Self::FileOrDirectory,
            "glob" => Self::Glob,
            "source" => Self::Source,
            "checksum" => Self::Checksum,
            "key-file" => Self::KeyFile,
            "output" => Self::Output,
            "output-append" => Self::AppendOutput,
            "output-replace" => Self::ReplaceOutput,
            "url" => Self::Url,
            "endpoint" => Self::Endpoint,
            "command" => Self::Command,
            _ => return None,
        })
    }

    /// Whether it is one of the three outputs.
    pub fn is_output(self) -> bool {
        matches!(self, Self::Output | Self::AppendOutput | Self::ReplaceOutput)
    }
}

/// When and how an option designates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Direction {
    /// What.
    pub designation: Designation,
    /// Only while another option of the same object has one of these values; a missing option
    /// counts as its default.
    pub when: Option<(String, Vec<String>)>,
    /// Whether what it names must be there before anything starts.
    pub must_exist: bool,
    /// Unless another option of the same object is `true` (`generated` of `file`): then it need not be there yet.
    pub unless: Option<String>,
}

/// The type of an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldType {
    /// Truth.
    Bool,
    /// Number.
    Number,
    /// Text.
    Text,
    /// Items of one type.
    List(Box<Field>),
    /// Values of one type by name.
    Map(Box<Field>),
    /// Named fields.
    Object(BTreeMap<String, Field>),
    /// Whatever is written.
    Any,
}

/// One option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its type.
    pub ty: FieldType,
    /// Whether it must be written.
    pub required: bool,
    /// Its value when it is not written.
    pub default: Option<Json>,
    /// A sentence for the reference.
    pub description: String,
    /// The only values allowed; empty for any.
    pub choices: Vec<String>,
    /// Whether it is written as a block (`name { … }`); with a list type, as repeated blocks.
    pub block: bool,
    /// Whether its Go template is left for the component to render.
    pub late: bool,
    /// Whether its value is a secret however it was written.
    pub sensitive: bool,
    /// What it designates.
    pub designates: Option<Direction>,
    /// What to write instead, if it is an old name.
    pub deprecated: Option<String>,
}

impl Field {
    /// An option of which nothing is known but its type.
    pub fn of(ty: FieldType) -> Self {
        Self {
            ty,
            required: false,
            default: None,
            description: String::new(),
            choices: Vec::new(),
            block: false,
            late: false,
            sensitive: false,
            designates: None,
            deprecated: None,
        }
    }
}

/// The options of a component.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schema {
    /// By name, groups of the host included.
    pub fields: BTreeMap<String, Field>,
    /// The host's option groups that it includes: `communicator@1`.
    pub groups: Vec<String>,
    /// Whether any option may be written (schemas of components that are not there yet).
    pub open: bool,
}

impl Schema {
    /// Reads the text that `describe` gave.
    ///
    /// # Errors
    /// [`SchemaError`] says which option is wrong or which bound is exceeded.
    pub fn parse(text: &str) -> Result<Self, SchemaError> {
        if text.len() > MAX_BYTES {
            return Err(SchemaError::Limit("1 MiB"));
        }
        let json: Json = serde_json::from_str(text).map_err(|e| SchemaError::Syntax(e.to_string()))?;
        let object = json.as_object().ok_or_else(|| dialect("", "must be an object"))?;
        let mut reader = Reader { count: 0 };
        let mut schema = Self {
            fields: reader.properties(object, "", 0)?,
            groups: Vec::new(),
            open: object.get("additionalProperties").is_some_and(|v| v == true),
        };
        for name in strings(object.get("x-kiln-include")) {
            let group = groups::text(&name)
                .ok_or_else(|| dialect("x-kiln-include", &format!("no option group `{name}`")))?;
            let json: Json = serde_json::from_str(group).map_err(|e| SchemaError::Syntax(e.to_string()))?;
            let object = json.as_object().ok_or_else(|| dialect(&name, "must be an object"))?;
            for (field, mut spec) in reader.properties(object, "", 0)? {
                // The component's own word on an option (its default, say) refines the group's.
                if let Some(own) = schema.fields.get(&field) {
                    spec.default = own.default.clone().or(spec.default);
                    spec.required |= own.required;
                }
                schema.fields.insert(field, spec);
            }
            schema.groups.push(name);
        }
        Ok(schema)
    }

    /// The names of the host's option groups, for the reference.
    pub fn group_names() -> impl Iterator<Item = &'static str> {
        groups::ALL.iter().map(|(name, _)| *name)
    }
}

/// Counts options while reading, so that a schema cannot be a bomb.
struct Reader {
    count: usize,
}

impl Reader {
    fn properties(
        &mut self,
        object: &Map<String, Json>,
        path: &str,
        depth: usize,
    ) -> Result<BTreeMap<String, Field>, SchemaError> {
        let required = strings(object.get("required"));
        let mut fields = BTreeMap::new();
        let Some(properties) = object.get("properties") else { return Ok(fields) };
        let properties =
            properties.as_object().ok_or_else(|| dialect(path, "`properties` must be an object"))?;
        for (name, spec) in properties {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let mut field = self.field(spec, &path, depth + 1)?;
            field.required = required.contains(name);
            fields.insert(name.clone(), field);
        }
        Ok(fields)
    }

    fn field(&mut self, spec: &Json, path: &str, depth: usize) -> Result<Field, SchemaError> {
        self.count += 1;
        if self.count > MAX_FIELDS {
            return Err(SchemaError::Limit("4096 options"));
        }
        if depth > MAX_DEPTH {
            return Err(SchemaError::Limit("16 levels"));
        }
        let object = spec.as_object().ok_or_else(|| dialect(path, "must be an object"))?;
        Ok(Field {
            ty: self.field_type(object, path, depth)?,
            required: false,
            default: object.get("default").cloned(),
            description: object.get("description").and_then(Json::as_str).unwrap_or("").to_owned(),
            choices: strings(object.get("enum")),
            block: flag(object, "x-kiln-block"),
            late: flag(object, "x-kiln-late"),
            sensitive: flag(object, "x-kiln-sensitive"),
            designates: object.get("x-kiln-designates").map(|v| direction(v, path)).transpose()?,
            deprecated: object.get("deprecated").and_then(Json::as_str).map(str::to_owned),
        })
    }

    fn field_type(
        &mut self,
        object: &Map<String, Json>,
        path: &str,
        depth: usize,
    ) -> Result<FieldType, SchemaError> {
        let Some(name) = object.get("type") else { return Ok(FieldType::Any) };
        Ok(match name.as_str().unwrap_or("") {
            "boolean" => FieldType::Bool,
            "number" | "integer" => FieldType::Number,
            "string" => FieldType::Text,
            "array" => {
                let items = object.get("items").ok_or_else(|| dialect(path, "an array needs `items`"))?;
                FieldType::List(Box::new(self.field(items, path, depth + 1)?))
            }
            "object" if object.contains_key("properties") => {
                FieldType::Object(self.properties(object, path, depth)?)
            }
            "object" => match object.get("additionalProperties") {
                Some(values @ Json::Object(_)) => {
                    FieldType::Map(Box::new(self.field(values, path, depth + 1)?))
                }
                _ => FieldType::Any,
            },
            other => return Err(dialect(path, &format!("unknown type `{other}`"))),
        })
    }
}

fn direction(spec: &Json, path: &str) -> Result<Direction, SchemaError> {
    let name = spec.as_str().or_else(|| spec.get("what").and_then(Json::as_str)).unwrap_or("");
    let designation =
        Designation::parse(name).ok_or_else(|| dialect(path, &format!("cannot designate `{name}`")))?;
    let when = spec.get("when").and_then(Json::as_object).and_then(|when| {
        let (field, values) = when.iter().next()?;
        Some((
            field.clone(),
            values.as_str().map_or_else(|| strings(Some(values)), |one| vec![one.to_owned()]),
        ))
    });
    Ok(Direction {
        designation,
        when,
        must_exist: spec.get("must-exist").and_then(Json::as_bool).unwrap_or(!designation.is_output()),
        unless: spec.get("unless").and_then(Json::as_str).map(str::to_owned),
    })
}

fn strings(list: Option<&Json>) -> Vec<String> {
    list.and_then(Json::as_array)
        .map(|items| items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect())
        .unwrap_or_default()
}

fn flag(object: &Map<String, Json>, name: &str) -> bool {
    object.get(name).and_then(Json::as_bool).unwrap_or(false)
}

fn dialect(field: &str, problem: &str) -> SchemaError {
    SchemaError::Dialect { field: field.to_owned(), problem: problem.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_parses() {
        for name in Schema::group_names() {
            let text = format!(r#"{{"x-kiln-include":["{name}"]}}"#);
            let schema = Schema::parse(&text).unwrap();
            assert!(!schema.fields.is_empty(), "{name}");
        }
    }

    #[test]
    fn bombs_are_refused() {
        let mut deep = String::from(r#"{"type":"string"}"#);
        for _ in 0..40 {
            deep = format!(r#"{{"type":"array","items":{deep}}}"#);
        }
        let text = format!(r#"{{"properties":{{"a":{deep}}}}}"#);
        assert_eq!(Schema::parse(&text), Err(SchemaError::Limit("16 levels")));
        assert_eq!(Schema::parse(&" ".repeat(MAX_BYTES + 1)), Err(SchemaError::Limit("1 MiB")));
    }

    #[test]
    fn unknown_words_are_refused() {
        assert!(Schema::parse(r#"{"x-kiln-include":["nothing@9"]}"#).is_err());
        assert!(
            Schema::parse(r#"{"properties":{"a":{"type":"string","x-kiln-designates":"moon"}}}"#).is_err()
        );
    }
}
