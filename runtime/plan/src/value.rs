//! Values as steps get them: JSON's shapes with two marks on every node.
//!
//! The template language has richer types (sets, tuples, typed nulls); `kiln-template` keeps those
//! to itself and lowers to this type when a step is configured.

use std::collections::BTreeMap;

/// Who made a value. Joined through expressions: the least trusted part wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Origin {
    /// Written by the user: in the template, a variable file or on the command line.
    #[default]
    User,
    /// Read from the environment or a file that the user named.
    Environment,
    /// Made by a component. Never designates anything outside this build's outputs.
    Component,
}

/// What is known of a value besides itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Marks {
    /// Not to be shown.
    pub sensitive: bool,
    /// Who made it.
    pub origin: Origin,
}

impl Marks {
    /// Marks of something made of both.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        Self { sensitive: self.sensitive || other.sensitive, origin: self.origin.max(other.origin) }
    }
}

/// A number as decimal text, as long as the template had it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Number(pub String);

impl Number {
    /// As JSON: an integer if it is one that fits, else a float.
    pub fn to_json(&self) -> serde_json::Value {
        if let Ok(whole) = self.0.parse::<i64>() {
            return whole.into();
        }
        if let Ok(whole) = self.0.parse::<u64>() {
            return whole.into();
        }
        self.0.parse::<f64>().map_or(serde_json::Value::Null, Into::into)
    }
}

/// The content of a [`Value`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// No value.
    Null,
    /// Not known before a step runs.
    Unknown,
    /// A truth value.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text.
    Text(String),
    /// In order.
    List(Vec<Value>),
    /// By name, sorted.
    Map(BTreeMap<String, Value>),
}

/// A value and its marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// Its content.
    pub data: Data,
    /// Its marks.
    pub marks: Marks,
}

impl From<Data> for Value {
    fn from(data: Data) -> Self {
        Self { data, marks: Marks::default() }
    }
}

impl Value {
    /// Plain text by the user.
    pub fn text(text: impl Into<String>) -> Self {
        Data::Text(text.into()).into()
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match &self.data {
            Data::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The map, if it is one.
    pub fn as_map(&self) -> Option<&BTreeMap<String, Value>> {
        match &self.data {
            Data::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The value at a JSON pointer.
    pub fn at(&self, pointer: &str) -> Option<&Value> {
        let mut here = self;
        for part in pointer.split('/').skip(1) {
            let name = part.replace("~1", "/").replace("~0", "~");
            here = match &here.data {
                Data::Map(map) => map.get(&name)?,
                Data::List(list) => list.get(name.parse::<usize>().ok()?)?,
                _ => return None,
            };
        }
        Some(here)
    }

    /// From JSON, every node marked alike.
    pub fn from_json(json: &serde_json::Value, marks: Marks) -> Self {
        use serde_json::Value as Json;
        let data = match json {
            Json::Null => Data::Null,
            Json::Bool(truth) => Data::Bool(*truth),
            Json::Number(number) => Data::Number(Number(number.to_string())),
            Json::String(text) => Data::Text(text.clone()),
            Json::Array(items) => Data::List(items.iter().map(|item| Self::from_json(item, marks)).collect()),
            Json::Object(map) if map.len() == 1 && map.get("$kiln").is_some_and(|v| v == "unknown") => {
                Data::Unknown
            }
            Json::Object(map) => Data::Map(
                map.iter().map(|(name, item)| (name.clone(), Self::from_json(item, marks))).collect(),
            ),
        };
        Self { data, marks }
    }

    /// As JSON, marks dropped; unknown is `{"$kiln":"unknown"}`.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.data {
            Data::Null => Json::Null,
            Data::Unknown => serde_json::json!({"$kiln": "unknown"}),
            Data::Bool(truth) => Json::Bool(*truth),
            Data::Number(number) => number.to_json(),
            Data::Text(text) => Json::String(text.clone()),
            Data::List(items) => items.iter().map(Self::to_json).collect(),
            Data::Map(map) => map.iter().map(|(name, item)| (name.clone(), item.to_json())).collect(),
        }
    }
}

/// Appends one part to a JSON pointer.
pub fn pointer_push(pointer: &str, part: &str) -> String {
    format!("{pointer}/{}", part.replace('~', "~0").replace('/', "~1"))
}
