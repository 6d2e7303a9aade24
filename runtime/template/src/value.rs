//! Values of the template language: cty's types with kiln's marks on every node.
//!
//! [`Val`] is cheap to clone (containers and text are shared). A node's marks speak for the node
//! itself; reading an item of a container joins the marks of both.

pub(crate) mod convert;
pub(crate) mod number;
pub(crate) mod types;

use kiln_plan::{Data, Marks, Number, Value};
use number::Num;
use std::collections::BTreeMap;
use std::sync::Arc;
use types::Type;
use unicode_normalization::UnicodeNormalization as _;

/// The deepest value that a variable, local or data source may have.
const MAX_DEPTH: usize = 128;
/// The most nodes (and 64-byte pieces of text) of such a value, shared parts counted each time.
const MAX_WEIGHT: usize = 1 << 20;

/// A value and its marks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Val {
    pub(crate) v: V,
    pub(crate) marks: Marks,
}

/// The content of a [`Val`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum V {
    Null(Type),
    Unknown(Type),
    Bool(bool),
    Number(Num),
    Text(Arc<str>),
    List(Type, Arc<Vec<Val>>),
    /// Sorted, without duplicates.
    Set(Type, Arc<Vec<Val>>),
    Map(Type, Arc<BTreeMap<String, Val>>),
    Tuple(Arc<Vec<Val>>),
    Object(Arc<BTreeMap<String, Val>>),
}

impl From<V> for Val {
    fn from(v: V) -> Self {
        Self { v, marks: Marks::default() }
    }
}

impl Val {
    /// Text, its characters composed as cty does (NFC): texts that look the same are the same.
    pub(crate) fn text(text: impl Into<Arc<str>>) -> Self {
        let text: Arc<str> = text.into();
        let composed = text.is_ascii() || unicode_normalization::is_nfc(&text);
        V::Text(if composed { text } else { text.nfc().collect::<String>().into() }).into()
    }

    pub(crate) fn bool(truth: bool) -> Self {
        V::Bool(truth).into()
    }

    pub(crate) fn number(number: impl Into<Num>) -> Self {
        V::Number(number.into()).into()
    }

    pub(crate) fn null() -> Self {
        V::Null(Type::Dynamic).into()
    }

    pub(crate) fn unknown(ty: Type) -> Self {
        V::Unknown(ty).into()
    }

    pub(crate) fn tuple(items: Vec<Val>) -> Self {
        V::Tuple(Arc::new(items)).into()
    }

    pub(crate) fn object(entries: BTreeMap<String, Val>) -> Self {
        V::Object(Arc::new(entries)).into()
    }

    /// A list of texts.
    pub(crate) fn texts(items: impl IntoIterator<Item = String>) -> Self {
        V::List(Type::Text, Arc::new(items.into_iter().map(Val::text).collect())).into()
    }

    /// A set of `items`, which are of type `item`.
    pub(crate) fn set(item: Type, mut items: Vec<Val>) -> Self {
        items.sort_by(order);
        items.dedup_by(|a, b| a.v == b.v);
        V::Set(item, Arc::new(items)).into()
    }

    #[must_use]
    pub(crate) fn marked(mut self, marks: Marks) -> Self {
        self.marks = self.marks.join(marks);
        self
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self.v, V::Null(_))
    }

    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self.v, V::Unknown(_))
    }

    /// Whether it and all inside it are known.
    pub(crate) fn wholly_known(&self) -> bool {
        match &self.v {
            V::Unknown(_) => false,
            V::List(_, items) | V::Set(_, items) | V::Tuple(items) => items.iter().all(Val::wholly_known),
            V::Map(_, entries) | V::Object(entries) => entries.values().all(Val::wholly_known),
            _ => true,
        }
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.v {
            V::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a list, set or tuple.
    pub(crate) fn items(&self) -> Option<&[Val]> {
        match &self.v {
            V::List(_, items) | V::Set(_, items) | V::Tuple(items) => Some(items),
            _ => None,
        }
    }

    /// The entries of a map or object.
    pub(crate) fn entries(&self) -> Option<&BTreeMap<String, Val>> {
        match &self.v {
            V::Map(_, entries) | V::Object(entries) => Some(entries),
            _ => None,
        }
    }

    /// The marks of it and of all inside it.
    pub(crate) fn deep_marks(&self) -> Marks {
        let inside = |marks: Marks, item: &Val| marks.join(item.deep_marks());
        match &self.v {
            V::List(_, items) | V::Set(_, items) | V::Tuple(items) => items.iter().fold(self.marks, inside),
            V::Map(_, entries) | V::Object(entries) => entries.values().fold(self.marks, inside),
            _ => self.marks,
        }
    }

    /// The same with `marks` on every node.
    #[must_use]
    pub(crate) fn marked_deep(&self, marks: Marks) -> Self {
        let each = |items: &Arc<Vec<Val>>| Arc::new(items.iter().map(|v| v.marked_deep(marks)).collect());
        let every = |entries: &Arc<BTreeMap<String, Val>>| {
            Arc::new(entries.iter().map(|(k, v)| (k.clone(), v.marked_deep(marks))).collect())
        };
        let v = match &self.v {
            V::List(ty, items) => V::List(ty.clone(), each(items)),
            V::Set(ty, items) => V::Set(ty.clone(), each(items)),
            V::Tuple(items) => V::Tuple(each(items)),
            V::Map(ty, entries) => V::Map(ty.clone(), every(entries)),
            V::Object(entries) => V::Object(every(entries)),
            v => v.clone(),
        };
        Self { v, marks: self.marks.join(marks) }
    }

    /// Its type.
    pub(crate) fn ty(&self) -> Type {
        match &self.v {
            V::Null(ty) | V::Unknown(ty) => ty.clone(),
            V::Bool(_) => Type::Bool,
            V::Number(_) => Type::Number,
            V::Text(_) => Type::Text,
            V::List(ty, _) => Type::List(Box::new(ty.clone())),
            V::Set(ty, _) => Type::Set(Box::new(ty.clone())),
            V::Map(ty, _) => Type::Map(Box::new(ty.clone())),
            V::Tuple(items) => Type::Tuple(items.iter().map(Val::ty).collect()),
            V::Object(entries) => {
                Type::Object(entries.iter().map(|(k, v)| (k.clone(), types::Attribute::of(v.ty()))).collect())
            }
        }
    }

    /// In words, for messages: `list of string`.
    pub(crate) fn describe(&self) -> String {
        match &self.v {
            V::Null(_) => "null".to_owned(),
            V::Unknown(Type::Dynamic) => "a value not known yet".to_owned(),
            _ => self.ty().to_string(),
        }
    }

    /// Whether it is small enough to keep: not too deep, not too heavy.
    pub(crate) fn within_bounds(&self) -> bool {
        let mut left = MAX_WEIGHT;
        weigh(self, MAX_DEPTH, &mut left)
    }

    /// As steps get it: sets and tuples become lists, marks go down to every node.
    pub(crate) fn lower(&self) -> Value {
        self.lower_with(Marks::default())
    }

    fn lower_with(&self, outer: Marks) -> Value {
        let marks = self.marks.join(outer);
        let data = match &self.v {
            V::Null(_) => Data::Null,
            V::Unknown(_) => Data::Unknown,
            V::Bool(truth) => Data::Bool(*truth),
            V::Number(number) => Data::Number(Number(number.to_string())),
            V::Text(text) => Data::Text(text.to_string()),
            V::List(_, items) | V::Set(_, items) | V::Tuple(items) => {
                Data::List(items.iter().map(|item| item.lower_with(marks)).collect())
            }
            V::Map(_, entries) | V::Object(entries) => {
                Data::Map(entries.iter().map(|(k, v)| (k.clone(), v.lower_with(marks))).collect())
            }
        };
        Value { data, marks }
    }

    /// From a value of the plan (a data source's, say): lists become tuples, maps objects.
    pub(crate) fn raise(value: &Value) -> Self {
        let v = match &value.data {
            Data::Null => V::Null(Type::Dynamic),
            Data::Unknown => V::Unknown(Type::Dynamic),
            Data::Bool(truth) => V::Bool(*truth),
            Data::Number(number) => Num::parse(&number.0).map_or(V::Null(Type::Number), V::Number),
            Data::Text(text) => Self::text(text.as_str()).v,
            Data::List(items) => V::Tuple(Arc::new(items.iter().map(Val::raise).collect())),
            Data::Map(map) => {
                V::Object(Arc::new(map.iter().map(|(k, v)| (k.clone(), Val::raise(v))).collect()))
            }
        };
        Self { v, marks: value.marks }
    }

    /// All texts in it that are marked sensitive, numbers as they are written.
    pub(crate) fn secrets(&self, outer: bool, found: &mut Vec<String>) {
        let sensitive = outer || self.marks.sensitive;
        match &self.v {
            V::Text(text) if sensitive && !text.is_empty() => found.push(text.to_string()),
            V::Number(number) if sensitive => found.push(number.to_string()),
            V::List(_, items) | V::Set(_, items) | V::Tuple(items) => {
                items.iter().for_each(|item| item.secrets(sensitive, found));
            }
            V::Map(_, entries) | V::Object(entries) => {
                entries.values().for_each(|item| item.secrets(sensitive, found));
            }
            _ => {}
        }
    }
}

fn weigh(value: &Val, depth: usize, left: &mut usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let own = 1 + value.as_text().map_or(0, |text| text.len() / 64);
    match left.checked_sub(own) {
        Some(rest) => *left = rest,
        None => return false,
    }
    match &value.v {
        V::List(_, items) | V::Set(_, items) | V::Tuple(items) => {
            items.iter().all(|item| weigh(item, depth, left))
        }
        V::Map(_, entries) | V::Object(entries) => entries.values().all(|item| weigh(item, depth, left)),
        _ => true,
    }
}

/// The order of sets: numbers by size, text by bytes, others by kind and content.
pub(crate) fn order(a: &Val, b: &Val) -> std::cmp::Ordering {
    fn rank(v: &V) -> u8 {
        match v {
            V::Null(_) => 9,
            V::Unknown(_) => 8,
            V::Bool(_) => 0,
            V::Number(_) => 1,
            V::Text(_) => 2,
            V::List(..) | V::Set(..) | V::Tuple(_) => 3,
            V::Map(..) | V::Object(_) => 4,
        }
    }
    match (&a.v, &b.v) {
        (V::Bool(a), V::Bool(b)) => a.cmp(b),
        (V::Number(a), V::Number(b)) => a.cmp(b),
        (V::Text(a), V::Text(b)) => a.cmp(b),
        _ => rank(&a.v).cmp(&rank(&b.v)).then_with(|| {
            if let (Some(a), Some(b)) = (a.items(), b.items()) {
                let differing = a.iter().zip(b).map(|(a, b)| order(a, b)).find(|o| o.is_ne());
                return differing.unwrap_or_else(|| a.len().cmp(&b.len()));
            }
            if let (Some(a), Some(b)) = (a.entries(), b.entries()) {
                let differing = a
                    .iter()
                    .zip(b)
                    .map(|(a, b)| a.0.cmp(b.0).then_with(|| order(a.1, b.1)))
                    .find(|o| o.is_ne());
                return differing.unwrap_or_else(|| a.len().cmp(&b.len()));
            }
            std::cmp::Ordering::Equal
        }),
    }
}

/// Whether two values are equal whatever their marks are; `None` if that is not known yet.
pub(crate) fn equal(a: &Val, b: &Val) -> Option<bool> {
    let all = |mut pairs: Box<dyn Iterator<Item = Option<bool>> + '_>| -> Option<bool> {
        let mut known = true;
        for pair in &mut pairs {
            match pair {
                Some(false) => return Some(false),
                Some(true) => {}
                None => known = false,
            }
        }
        known.then_some(true)
    };
    match (&a.v, &b.v) {
        (V::Unknown(_), _) | (_, V::Unknown(_)) => None,
        (V::Null(_), V::Null(_)) => Some(true),
        (V::Bool(a), V::Bool(b)) => Some(a == b),
        (V::Number(a), V::Number(b)) => Some(a == b),
        (V::Text(a), V::Text(b)) => Some(a == b),
        (V::Tuple(x), V::Tuple(y)) | (V::List(_, x), V::List(_, y)) | (V::Set(_, x), V::Set(_, y)) => {
            if x.len() != y.len() {
                return Some(false);
            }
            all(Box::new(x.iter().zip(y.iter()).map(|(a, b)| equal(a, b))))
        }
        (V::Object(x), V::Object(y)) | (V::Map(_, x), V::Map(_, y)) => {
            if x.len() != y.len() || x.keys().ne(y.keys()) {
                return Some(false);
            }
            all(Box::new(x.values().zip(y.values()).map(|(a, b)| equal(a, b))))
        }
        _ => Some(false),
    }
}
