//! Conversions between types, and the one type that several values can have, by cty's rules.

use super::number::Num;
use super::types::{Attribute, Type};
use super::{V, Val};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Why a value does not convert, as `PATH: a string is required`.
pub(crate) type Misfit = String;

/// `value` as `ty`. Marks stay.
///
/// # Errors
/// Names the part that does not fit.
pub(crate) fn convert(value: &Val, ty: &Type) -> Result<Val, Misfit> {
    let converted = match (&value.v, ty) {
        (_, Type::Dynamic) => return Ok(value.clone()),
        (V::Null(_), ty) => V::Null(ty.clone()),
        (V::Unknown(from), ty) => match from {
            Type::Dynamic => V::Unknown(ty.clone()),
            from if possible(from, ty) => V::Unknown(ty.clone()),
            from => return Err(required(ty, &from.to_string())),
        },
        (V::Bool(_), Type::Bool) | (V::Number(_), Type::Number) | (V::Text(_), Type::Text) => value.v.clone(),
        (V::Bool(truth), Type::Text) => V::Text(if *truth { "true" } else { "false" }.into()),
        (V::Number(number), Type::Text) => V::Text(number.to_string().into()),
        (V::Text(text), Type::Number) => {
            V::Number(Num::parse(text).ok_or_else(|| "a number is required".to_owned())?)
        }
        (V::Text(text), Type::Bool) => match &**text {
            "true" | "1" => V::Bool(true),
            "false" | "0" => V::Bool(false),
            "True" | "TRUE" | "False" | "FALSE" => {
                return Err(format!("a bool is required; write \"{}\" in lower case", text.to_lowercase()));
            }
            _ => return Err("a bool is required".to_owned()),
        },
        (_, Type::List(item)) => sequence(value, ty, item, false)?,
        (_, Type::Set(item)) => sequence(value, ty, item, true)?,
        (_, Type::Map(item)) => map(value, ty, item)?,
        (_, Type::Tuple(types)) => tuple(value, ty, types)?,
        (_, Type::Object(attributes)) => object(value, ty, attributes)?,
        _ => return Err(required(ty, &value.describe())),
    };
    Ok(Val { v: converted, marks: value.marks })
}

fn required(ty: &Type, found: &str) -> Misfit {
    let article = match ty {
        Type::Object(_) => "an",
        _ => "a",
    };
    format!("{article} {ty} is required, not {found}")
}

/// Whether an unknown value of `from` may turn out to fit `to`.
fn possible(from: &Type, to: &Type) -> bool {
    match (from, to) {
        (Type::Dynamic, _) | (_, Type::Dynamic) => true,
        (Type::Text, Type::Number | Type::Bool) | (Type::Number | Type::Bool, Type::Text) => true,
        (Type::List(a) | Type::Set(a), Type::List(b) | Type::Set(b)) | (Type::Map(a), Type::Map(b)) => {
            possible(a, b)
        }
        (Type::Tuple(_), Type::List(_) | Type::Set(_)) | (Type::Object(_), Type::Map(_)) => true,
        (Type::Map(_), Type::Object(_)) | (Type::List(_) | Type::Set(_), Type::Tuple(_)) => true,
        (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
    }
}

fn sequence(value: &Val, ty: &Type, item: &Type, set: bool) -> Result<V, Misfit> {
    let items = value.items().ok_or_else(|| required(ty, &value.describe()))?;
    let item = if item.has_dynamic() {
        unify(&items.iter().map(Val::ty).collect::<Vec<_>>())
            .ok_or("all items must have the same type".to_owned())?
    } else {
        item.clone()
    };
    let mut converted = Vec::with_capacity(items.len());
    for (index, value) in items.iter().enumerate() {
        converted.push(convert(value, &item).map_err(|e| format!("element {index}: {e}"))?);
    }
    Ok(if set { Val::set(item, converted).v } else { V::List(item, Arc::new(converted)) })
}

fn map(value: &Val, ty: &Type, item: &Type) -> Result<V, Misfit> {
    let entries = value.entries().ok_or_else(|| required(ty, &value.describe()))?;
    let item = if item.has_dynamic() {
        unify(&entries.values().map(Val::ty).collect::<Vec<_>>())
            .ok_or("all values of a map must have the same type".to_owned())?
    } else {
        item.clone()
    };
    let mut converted = BTreeMap::new();
    for (name, value) in entries {
        converted
            .insert(name.clone(), convert(value, &item).map_err(|e| format!("element \"{name}\": {e}"))?);
    }
    Ok(V::Map(item, Arc::new(converted)))
}

fn tuple(value: &Val, ty: &Type, types: &[Type]) -> Result<V, Misfit> {
    let items = value.items().ok_or_else(|| required(ty, &value.describe()))?;
    if items.len() != types.len() {
        return Err(format!("a tuple of {} items is required, this has {}", types.len(), items.len()));
    }
    let mut converted = Vec::with_capacity(items.len());
    for (index, (value, ty)) in items.iter().zip(types).enumerate() {
        converted.push(convert(value, ty).map_err(|e| format!("element {index}: {e}"))?);
    }
    Ok(V::Tuple(Arc::new(converted)))
}

/// Attributes that the type does not name are dropped, as cty does.
fn object(value: &Val, ty: &Type, attributes: &BTreeMap<String, Attribute>) -> Result<V, Misfit> {
    let entries = value.entries().ok_or_else(|| required(ty, &value.describe()))?;
    let mut converted = BTreeMap::new();
    for (name, attribute) in attributes {
        let given = entries.get(name).filter(|v| !(v.is_null() && attribute.default.is_some()));
        let value = match (given, &attribute.default) {
            (Some(value), _) => {
                convert(value, &attribute.ty).map_err(|e| format!("attribute \"{name}\": {e}"))?
            }
            (None, Some(default)) => (**default).clone(),
            (None, None) if attribute.optional => V::Null(attribute.ty.clone()).into(),
            (None, None) => return Err(format!("attribute \"{name}\" is required")),
        };
        converted.insert(name.clone(), value);
    }
    Ok(V::Object(Arc::new(converted)))
}

/// The type that values of all `types` convert to; none gives `any`.
pub(crate) fn unify(types: &[Type]) -> Option<Type> {
    let mut types = types.iter().filter(|t| **t != Type::Dynamic);
    let Some(first) = types.next() else { return Some(Type::Dynamic) };
    types.try_fold(first.clone(), |a, b| unify_two(&a, b))
}

fn unify_two(a: &Type, b: &Type) -> Option<Type> {
    if a == b {
        return Some(a.clone());
    }
    match (a, b) {
        (Type::Dynamic, other) | (other, Type::Dynamic) => Some(other.clone()),
        (a, b) if a.is_primitive() && b.is_primitive() => {
            // Numbers and truths become text; a number and a truth have nothing in common but that.
            (*a == Type::Text || *b == Type::Text).then_some(Type::Text)
        }
        (Type::List(a), Type::List(b)) => Some(Type::list(unify_two(a, b)?)),
        (Type::Set(a), Type::Set(b)) => Some(Type::Set(Box::new(unify_two(a, b)?))),
        (Type::List(a), Type::Set(b)) | (Type::Set(a), Type::List(b)) => Some(Type::list(unify_two(a, b)?)),
        (Type::Map(a), Type::Map(b)) => Some(Type::map(unify_two(a, b)?)),
        (Type::Tuple(x), Type::Tuple(y)) if x.len() == y.len() => {
            let items: Option<Vec<Type>> = x.iter().zip(y).map(|(a, b)| unify_two(a, b)).collect();
            items.map(Type::Tuple)
        }
        (Type::Tuple(x), Type::Tuple(y)) => {
            let all: Vec<Type> = x.iter().chain(y).cloned().collect();
            Some(Type::list(unify(&all)?))
        }
        (Type::Tuple(items), Type::List(item)) | (Type::List(item), Type::Tuple(items)) => {
            Some(Type::list(unify_two(&unify(items)?, item)?))
        }
        (Type::Tuple(items), Type::Set(item)) | (Type::Set(item), Type::Tuple(items)) => {
            Some(Type::Set(Box::new(unify_two(&unify(items)?, item)?)))
        }
        (Type::Object(x), Type::Object(y)) if x.keys().eq(y.keys()) => {
            let attributes: Option<BTreeMap<_, _>> = x
                .iter()
                .zip(y.values())
                .map(|((name, a), b)| Some((name.clone(), Attribute::of(unify_two(&a.ty, &b.ty)?))))
                .collect();
            attributes.map(Type::Object)
        }
        (Type::Object(x), Type::Object(y)) => {
            let all: Vec<Type> = x.values().chain(y.values()).map(|a| a.ty.clone()).collect();
            Some(Type::map(unify(&all)?))
        }
        (Type::Object(attributes), Type::Map(item)) | (Type::Map(item), Type::Object(attributes)) => {
            let all: Vec<Type> = attributes.values().map(|a| a.ty.clone()).collect();
            Some(Type::map(unify_two(&unify(&all)?, item)?))
        }
        _ => None,
    }
}
