//! Making a value fit a schema: Packer's weak typing, unknown names with a suggestion, missing
//! options, defaults.

use super::{Field, FieldType, Schema};
use crate::value::{Data, Number, Value, pointer_push};
use std::collections::BTreeMap;

/// A value that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// JSON pointer to it; of the object for a missing option.
    pub pointer: String,
    /// What is wrong.
    pub problem: Problem,
}

/// How a value does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// No option has this name; the nearest that has one.
    UnknownName {
        /// As written.
        name: String,
        /// Near it.
        suggestion: Option<String>,
    },
    /// It cannot be converted.
    WrongType {
        /// In words.
        expected: String,
        /// In words.
        found: &'static str,
    },
    /// It must be written and is not.
    Missing {
        /// The option.
        name: String,
    },
    /// It is none of the allowed values.
    NotAChoice {
        /// The allowed values.
        choices: Vec<String>,
    },
}

impl Schema {
    /// Converts `value` (a map) to the schema's types as Packer decodes what is not HCL ("4096" to
    /// 4096, "" to 0, true to "1", one item to a list of one), and tells what does not fit.
    pub fn conform(&self, value: &mut Value) -> Vec<Misfit> {
        self.conform_with(Rules { scalar: weak, lift: |_, _| true, merge: |_| true }, value)
    }

    /// The same by HCL's conversions: "4096" to 4096, true to "true"; one item is no list.
    pub fn conform_hcl(&self, value: &mut Value) -> Vec<Misfit> {
        // JSON has no blocks; there a block is an object or a list of them.
        let is_block = |item: &Field, data: &Data| {
            matches!((&item.ty, data), (FieldType::Object(_) | FieldType::Any, Data::Map(_)))
        };
        self.conform_with(Rules { scalar: by_hcl, lift: is_block, merge: |field| field.block }, value)
    }

    fn conform_with(&self, rules: Rules, value: &mut Value) -> Vec<Misfit> {
        let mut conformer = Conformer { rules, misfits: Vec::new() };
        if let Data::Map(map) = &mut value.data {
            conformer.object(&self.fields, self.open, map, "");
        }
        conformer.misfits
    }

    /// Adds the defaults of options that are absent or null, in nested objects too.
    pub fn fill_defaults(&self, value: &mut Value) {
        if let Data::Map(map) = &mut value.data {
            fill(&self.fields, map);
        }
    }

    /// The option that a JSON pointer leads to, through lists, maps and nested objects.
    pub fn field_at(&self, pointer: &str) -> Option<&Field> {
        let mut parts = pointer.split('/').skip(1);
        let mut field = self.fields.get(parts.next()?)?;
        for part in parts {
            field = match &field.ty {
                FieldType::List(item) | FieldType::Map(item) => item,
                FieldType::Object(fields) => fields.get(part)?,
                _ => return None,
            };
        }
        Some(field)
    }
}

fn fill(fields: &BTreeMap<String, Field>, map: &mut BTreeMap<String, Value>) {
    for (name, field) in fields {
        let absent = map.get(name).is_none_or(|v| v.data == Data::Null);
        if absent && let Some(default) = &field.default {
            map.insert(name.clone(), Value::from_json(default, Default::default()));
        }
        if let (FieldType::Object(inner), Some(Value { data: Data::Map(nested), .. })) =
            (&field.ty, map.get_mut(name))
        {
            fill(inner, nested);
        }
    }
}

/// How values are converted.
struct Rules {
    /// A scalar that is not of the type.
    scalar: fn(&FieldType, &Data) -> Option<Data>,
    /// Whether one value is a list of one.
    lift: fn(&Field, &Data) -> bool,
    /// Whether a list of maps is one map of all their entries.
    merge: fn(&Field) -> bool,
}

struct Conformer {
    rules: Rules,
    misfits: Vec<Misfit>,
}

impl Conformer {
    fn misfit(&mut self, pointer: &str, problem: Problem) {
        self.misfits.push(Misfit { pointer: pointer.to_owned(), problem });
    }

    fn object(
        &mut self,
        fields: &BTreeMap<String, Field>,
        open: bool,
        map: &mut BTreeMap<String, Value>,
        pointer: &str,
    ) {
        for (name, value) in map.iter_mut() {
            let here = pointer_push(pointer, name);
            match fields.get(name) {
                Some(field) => self.field(field, value, &here),
                None if open => {}
                None => {
                    let suggestion = nearest(name, fields.keys());
                    self.misfit(&here, Problem::UnknownName { name: name.clone(), suggestion });
                }
            }
        }
        for (name, field) in fields {
            if field.required && map.get(name).is_none_or(|v| v.data == Data::Null) {
                self.misfit(pointer, Problem::Missing { name: name.clone() });
            }
        }
    }

    fn field(&mut self, field: &Field, value: &mut Value, pointer: &str) {
        if matches!(value.data, Data::Null | Data::Unknown) {
            return;
        }
        value.marks.sensitive |= field.sensitive;
        self.lift(field, value);
        self.merge(field, value);
        match (&field.ty, &mut value.data) {
            (FieldType::Any, _)
            | (FieldType::Bool, Data::Bool(_))
            | (FieldType::Number, Data::Number(_))
            | (FieldType::Text, Data::Text(_)) => {}
            (FieldType::List(item), Data::List(items)) => {
                for (index, value) in items.iter_mut().enumerate() {
                    self.field(item, value, &format!("{pointer}/{index}"));
                }
            }
            (FieldType::Map(item), Data::Map(map)) => {
                for (name, value) in map.iter_mut() {
                    self.field(item, value, &pointer_push(pointer, name));
                }
            }
            (FieldType::Object(fields), Data::Map(map)) => self.object(fields, false, map, pointer),
            (ty, data) => match (self.rules.scalar)(ty, data) {
                Some(converted) => *data = converted,
                None => {
                    let problem = Problem::WrongType { expected: describe(ty), found: found(data) };
                    self.misfit(pointer, problem);
                }
            },
        }
        if !is_choice(field, value) {
            self.misfit(pointer, Problem::NotAChoice { choices: field.choices.clone() });
        }
    }

    /// One item where a list is wanted is a list of one, except a map, which is a mistake.
    fn lift(&self, field: &Field, value: &mut Value) {
        let FieldType::List(item) = &field.ty else { return };
        let liftable = match value.data {
            Data::List(_) => false,
            Data::Map(_) => !matches!(item.ty, FieldType::Text),
            _ => true,
        };
        if liftable && (self.rules.lift)(item, &value.data) {
            let one = value.clone();
            value.data = Data::List(vec![one]);
        }
    }

    fn merge(&self, field: &Field, value: &mut Value) {
        let (FieldType::Map(_) | FieldType::Object(_), Data::List(items)) = (&field.ty, &mut value.data)
        else {
            return;
        };
        if (self.rules.merge)(field) && items.iter().all(|item| matches!(item.data, Data::Map(_))) {
            let maps = std::mem::take(items).into_iter().filter_map(|item| match item.data {
                Data::Map(map) => Some(map),
                _ => None,
            });
            value.data = Data::Map(maps.flatten().collect());
        }
    }
}

/// Whether a text is one of the choices, if there are any.
fn is_choice(field: &Field, value: &Value) -> bool {
    let Some(text) = value.as_text() else { return true };
    field.choices.is_empty()
        || text.is_empty()
        // A Go template is not rendered yet; the host checks again after it is.
        || text.contains("{{")
        || field.choices.iter().any(|choice| choice == text)
}

/// HCL's conversions between scalars.
fn by_hcl(ty: &FieldType, data: &Data) -> Option<Data> {
    match (ty, data) {
        (FieldType::Text, Data::Number(number)) => Some(Data::Text(number.0.clone())),
        (FieldType::Text, Data::Bool(truth)) => Some(Data::Text(truth.to_string())),
        (FieldType::Number, Data::Text(text)) => {
            text.parse::<f64>().ok().filter(|n| n.is_finite()).map(|_| Data::Number(Number(text.clone())))
        }
        (FieldType::Bool, Data::Text(text)) => match text.as_str() {
            "1" | "true" => Some(Data::Bool(true)),
            "0" | "false" => Some(Data::Bool(false)),
            _ => None,
        },
        _ => None,
    }
}

/// The conversions of Packer's weak decoding.
fn weak(ty: &FieldType, data: &Data) -> Option<Data> {
    match (ty, data) {
        (FieldType::Text, Data::Number(number)) => Some(Data::Text(number.0.clone())),
        (FieldType::Text, Data::Bool(truth)) => Some(Data::Text(if *truth { "1" } else { "0" }.to_owned())),
        (FieldType::Number, Data::Text(text)) if text.trim().is_empty() => {
            Some(Data::Number(Number("0".to_owned())))
        }
        (FieldType::Number, Data::Text(text)) => {
            let text = text.trim();
            text.parse::<f64>().ok().filter(|n| n.is_finite()).map(|_| Data::Number(Number(text.to_owned())))
        }
        (FieldType::Number, Data::Bool(truth)) => Some(Data::Number(Number(u8::from(*truth).to_string()))),
        (FieldType::Bool, Data::Text(text)) => match text.as_str() {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(Data::Bool(true)),
            "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(Data::Bool(false)),
            _ => None,
        },
        (FieldType::Bool, Data::Number(number)) => Some(Data::Bool(number.0 != "0")),
        _ => None,
    }
}

fn describe(ty: &FieldType) -> String {
    match ty {
        FieldType::Bool => "a bool".to_owned(),
        FieldType::Number => "a number".to_owned(),
        FieldType::Text => "a string".to_owned(),
        FieldType::List(item) => format!("a list, each item {}", describe(&item.ty)),
        FieldType::Map(item) => format!("a map, each value {}", describe(&item.ty)),
        FieldType::Object(_) => "an object".to_owned(),
        FieldType::Any => "any value".to_owned(),
    }
}

fn found(data: &Data) -> &'static str {
    match data {
        Data::Null => "null",
        Data::Unknown => "a value not known yet",
        Data::Bool(_) => "a bool",
        Data::Number(_) => "a number",
        Data::Text(text) if text.is_empty() => "the empty string",
        Data::Text(_) => "a string",
        Data::List(_) => "a list",
        Data::Map(_) => "a map",
    }
}

/// The name nearest to `wanted` by edit distance, if it is near enough to be a slip.
pub fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a String>) -> Option<String> {
    let bound = (wanted.chars().count() / 3).max(1);
    names
        .map(|name| (distance(wanted, name), name))
        .filter(|(d, _)| *d <= bound)
        .min()
        .map(|(_, name)| name.clone())
}

/// Edit distance in which swapping two neighbours is one edit.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let mut last = None;
    for (i, ca) in a.chars().enumerate() {
        let mut left = i + 1;
        let mut next = vec![left];
        for (j, (((diagonal, above), cb), from)) in row
            .iter()
            .zip(row.iter().skip(1))
            .zip(&b)
            .zip(std::iter::once(None).chain(b.iter().map(Some)))
            .enumerate()
        {
            left = (above + 1).min(left + 1).min(diagonal + usize::from(ca != *cb));
            let swapped = last == Some(*cb) && from == Some(&ca);
            if let Some(two_back) = before.get(j.wrapping_sub(1)).filter(|_| swapped) {
                left = left.min(two_back + 1);
            }
            next.push(left);
        }
        before = row;
        row = next;
        last = Some(ca);
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn conform(schema: &serde_json::Value, value: serde_json::Value) -> (serde_json::Value, Vec<Misfit>) {
        let schema = Schema::parse(&schema.to_string()).unwrap();
        let mut value = Value::from_json(&value, Default::default());
        let misfits = schema.conform(&mut value);
        (value.to_json(), misfits)
    }

    #[test]
    fn scalars_convert_weakly() {
        let schema = json!({"properties": {"n": {"type": "number"}, "b": {"type": "boolean"}, "s": {"type": "string"},
            "l": {"type": "array", "items": {"type": "string"}}}});
        let (value, misfits) = conform(&schema, json!({"n": "4096", "b": "true", "s": 5, "l": "one"}));
        assert_eq!((value, misfits), (json!({"n": 4096, "b": true, "s": "5", "l": ["one"]}), vec![]));
        let (_, misfits) = conform(&schema, json!({"n": "many", "b": "maybe", "l": {"a": 1}}));
        assert_eq!(misfits.len(), 3, "{misfits:?}");
    }

    #[test]
    fn hcl_is_stricter() {
        let schema = json!({"properties": {"n": {"type": "number"}, "b": {"type": "boolean"}, "s": {"type": "string"},
            "l": {"type": "array", "items": {"type": "string"}}}});
        let schema = Schema::parse(&schema.to_string()).unwrap();
        let conform = |value: serde_json::Value| {
            let mut value = Value::from_json(&value, Default::default());
            let misfits = schema.conform_hcl(&mut value).len();
            (value.to_json(), misfits)
        };
        let (value, misfits) = conform(json!({"n": "4096", "b": "1", "s": true, "l": [5]}));
        assert_eq!((value, misfits), (json!({"n": 4096, "b": true, "s": "true", "l": ["5"]}), 0));
        assert_eq!(conform(json!({"n": "", "b": "T", "l": "one"})).1, 3);
        assert_eq!(conform(json!({"n": true, "b": 1, "s": []})).1, 3);
    }

    #[test]
    fn maps_of_a_list_are_one() {
        let schema = json!({"properties": {"m": {"type": "object", "additionalProperties": {"type": "string"}},
            "o": {"type": "object", "x-kiln-block": true, "properties": {"n": {"type": "number"}}}}});
        let maps = json!({"m": [{"a": 1}, {"b": "x", "a": 2}], "o": [{"n": "7"}]});
        let (value, misfits) = conform(&schema, maps.clone());
        assert_eq!((value, misfits), (json!({"m": {"a": "2", "b": "x"}, "o": {"n": 7}}), vec![]));
        assert_eq!(conform(&schema, json!({"m": [], "o": []})).0, json!({"m": {}, "o": {}}));
        assert_eq!(conform(&schema, json!({"m": [1]})).1.len(), 1);
        // In HCL only blocks, which JSON writes so.
        let mut value = Value::from_json(&maps, Default::default());
        let misfits = Schema::parse(&schema.to_string()).unwrap().conform_hcl(&mut value);
        assert_eq!(misfits.iter().map(|m| m.pointer.as_str()).collect::<Vec<_>>(), ["/m"]);
    }

    #[test]
    fn unknown_names_suggest() {
        let (_, misfits) =
            conform(&json!({"properties": {"inline": {"type": "string"}}}), json!({"inlnie": "x"}));
        assert_eq!(
            misfits,
            [Misfit {
                pointer: "/inlnie".into(),
                problem: Problem::UnknownName { name: "inlnie".into(), suggestion: Some("inline".into()) }
            }]
        );
    }

    #[test]
    fn distances() {
        for (a, b, expected) in [
            ("qmeu", "qemu", 1),
            ("inlnie", "inline", 1),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("ab", "ba", 1),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
            assert_eq!(distance(b, a), expected, "{b} {a}");
        }
    }

    #[test]
    fn missing_and_choices() {
        let schema = json!({"required": ["a"], "properties": {"a": {"type": "string"}, "c": {"type": "string", "enum": ["x", "y"]}}});
        let (_, misfits) = conform(&schema, json!({"c": "z"}));
        assert!(matches!(misfits[0].problem, Problem::NotAChoice { .. }));
        assert!(matches!(misfits[1].problem, Problem::Missing { .. }));
    }
}
