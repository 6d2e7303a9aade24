//! Functions of lists, sets, tuples, maps and objects.

use super::Shape::{Any, Entries, Items, Number, Text};
use super::strings::graphemes;
use super::{Call, Failure, Function, MANY, wrong};
use crate::value::number::Num;
use crate::value::types::Type;
use crate::value::{V, Val, convert, equal};
use kiln_plan::Marks;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most items that `range` and `setproduct` make, as Packer bounds `range`.
const MAX_ITEMS: usize = 1024;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("chunklist", (2, 2), &[Items, Number], Type::Dynamic, chunklist).keep().shallow(),
    Function::new("coalesce", (1, MANY), &[Any], Type::Dynamic, coalesce).keep().nulls().unknowns(),
    Function::new("coalescelist", (1, MANY), &[Items], Type::Dynamic, coalescelist).keep().nulls().unknowns(),
    Function::new("compact", (1, 1), &[Items], Type::Dynamic, compact),
    Function::new("concat", (1, MANY), &[Items], Type::Dynamic, concat).keep().unknowns(),
    Function::new("contains", (2, 2), &[Items, Any], Type::Bool, contains).nulls().shallow(),
    Function::new("distinct", (1, 1), &[Items], Type::Dynamic, distinct).keep(),
    Function::new("element", (2, 2), &[Items, Number], Type::Dynamic, element).keep().shallow(),
    Function::new("flatten", (1, 1), &[Items], Type::Dynamic, flatten).keep().shallow(),
    Function::new("index", (2, 2), &[Items, Any], Type::Number, index).nulls(),
    Function::new("keys", (1, 1), &[Entries], Type::Dynamic, keys).keep().unknowns(),
    Function::new("length", (1, 1), &[Any], Type::Number, length).keep().unknowns(),
    Function::new("lookup", (3, 3), &[Entries, Text, Any], Type::Dynamic, lookup).keep().unknowns(),
    Function::new("merge", (0, MANY), &[Entries], Type::Dynamic, merge).keep().nulls().unknowns(),
    Function::new("range", (1, 3), &[Number], Type::Dynamic, range),
    Function::new("reverse", (1, 1), &[Items], Type::Dynamic, reverse).keep().shallow(),
    Function::new("setintersection", (1, MANY), &[Items], Type::Dynamic, |c| sets(c, |a, b| a && b)).keep(),
    Function::new("setproduct", (2, MANY), &[Items], Type::Dynamic, setproduct).keep().shallow(),
    Function::new("setunion", (1, MANY), &[Items], Type::Dynamic, |c| sets(c, |a, b| a || b)).keep(),
    Function::new("slice", (3, 3), &[Items, Number, Number], Type::Dynamic, slice).keep().shallow(),
    Function::new("sort", (1, 1), &[Items], Type::Dynamic, sort),
    Function::new("values", (1, 1), &[Entries], Type::Dynamic, values).keep().unknowns(),
    Function::new("zipmap", (2, 2), &[Items, Items], Type::Dynamic, zipmap).keep().shallow(),
];

/// Items as a list if all came from lists of one type, else as a tuple.
fn like(models: &[&Val], items: Vec<Val>) -> Val {
    let mut types = Vec::new();
    for model in models {
        match &model.v {
            V::List(ty, _) | V::Set(ty, _) => types.push(ty.clone()),
            _ => return Val::tuple(items),
        }
    }
    match convert::unify(&types) {
        Some(ty) => {
            let items: Result<Vec<Val>, _> = items.iter().map(|item| convert::convert(item, &ty)).collect();
            match items {
                Ok(items) => V::List(ty, Arc::new(items)).into(),
                Err(_) => Val::tuple(Vec::new()),
            }
        }
        None => Val::tuple(items),
    }
}

/// An argument as a list, its items of the one type that all of them have.
fn list(c: &Call<'_, '_>, at: usize) -> Result<(Type, Vec<Val>), Failure> {
    c.items(at)?;
    match convert::convert(c.get(at)?, &Type::list(Type::Dynamic)).map_err(|e| wrong(at, e))?.v {
        V::List(ty, items) => Ok((ty, Arc::unwrap_or_clone(items))),
        _ => Err(wrong(at, "a list is required")),
    }
}

fn chunklist(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let (ty, items) = list(c, 0)?;
    let size = c.size(1)?;
    let whole = |items: &[Val]| V::List(ty.clone(), Arc::new(items.to_vec())).into();
    let chunks = match (size, items.is_empty()) {
        (_, true) => Vec::new(),
        (0, _) => vec![whole(&items)],
        _ => items.chunks(size).map(whole).collect(),
    };
    Ok(V::List(Type::list(ty.clone()), Arc::new(chunks)).into())
}

/// The first that is neither null nor `""`.
fn coalesce(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let ty = convert::unify(&c.arguments.iter().map(Val::ty).collect::<Vec<_>>())
        .ok_or("all arguments must have the same type")?;
    for argument in c.arguments {
        if argument.is_unknown() {
            return Ok(Val::unknown(ty));
        }
        if !argument.is_null() && argument.as_text() != Some("") {
            return convert::convert(argument, &ty).map_err(Failure::from);
        }
    }
    Err("all arguments are null or empty".into())
}

fn coalescelist(c: &Call<'_, '_>) -> Result<Val, Failure> {
    for (at, argument) in c.arguments.iter().enumerate() {
        if argument.is_unknown() {
            return Ok(Val::unknown(Type::Dynamic));
        }
        if let V::Null(Type::List(_) | Type::Tuple(_)) = argument.v {
            continue;
        }
        if !c.items(at)?.is_empty() {
            return Ok(argument.clone());
        }
    }
    Err("all arguments are null or empty".into())
}

fn compact(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let mut kept = Vec::new();
    for (i, item) in c.items(0)?.iter().enumerate() {
        if item.is_null() {
            continue;
        }
        let text = convert::convert(item, &Type::Text)
            .map_err(|_| wrong(0, format!("element {i} must be a string")))?;
        kept.extend(text.as_text().filter(|t| !t.is_empty()).map(str::to_owned));
    }
    Ok(Val::texts(kept))
}

fn concat(c: &Call<'_, '_>) -> Result<Val, Failure> {
    if c.arguments.iter().any(Val::is_unknown) {
        return Ok(Val::unknown(Type::Dynamic));
    }
    let mut items = Vec::new();
    for at in 0..c.len() {
        if matches!(c.get(at)?.v, V::Set(..)) {
            return Err(wrong(at, "a list or tuple is required, not a set"));
        }
        items.extend(c.items(at)?.iter().cloned());
    }
    Ok(like(&c.arguments.iter().collect::<Vec<_>>(), items))
}

/// Whether two values are equal without any conversion: Packer does not find "2" among numbers.
fn same(a: &Val, b: &Val) -> bool {
    equal(a, b) == Some(true)
}

fn contains(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let wanted = c.get(1)?;
    let items = c.items(0)?;
    if items.iter().any(|item| same(item, wanted)) {
        return Ok(Val::bool(true));
    }
    // What is not known yet may be the one.
    let open = items.iter().any(|item| equal(item, wanted).is_none());
    Ok(if open { Val::unknown(Type::Bool) } else { Val::bool(false) })
}

fn distinct(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let mut kept: Vec<Val> = Vec::new();
    let (ty, items) = list(c, 0)?;
    if items.len() > 16 * MAX_ITEMS {
        return Err(wrong(0, "the list is too long"));
    }
    for item in items {
        if !kept.iter().any(|k| equal(k, &item) == Some(true)) {
            kept.push(item);
        }
    }
    Ok(V::List(ty, Arc::new(kept)).into())
}

/// The index wraps around, to both sides.
fn element(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let items = c.items(0)?;
    if matches!(c.get(0)?.v, V::Set(..)) {
        return Err(wrong(0, "a list or tuple is required, the items of a set have no order"));
    }
    let at = c.whole(1)?;
    let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
    if count == 0 {
        return Err(wrong(0, "the list is empty"));
    }
    let at = usize::try_from(at.rem_euclid(count)).unwrap_or(0);
    items.get(at).cloned().ok_or_else(|| "the index is out of range".into())
}

fn flatten(c: &Call<'_, '_>) -> Result<Val, Failure> {
    /// Whether all that there is to flatten is known.
    fn walk(items: &[Val], marks: Marks, out: &mut Vec<Val>) -> bool {
        items.iter().all(|item| match item.items() {
            Some(inner) => walk(inner, marks.join(item.marks), out),
            None => {
                out.push(item.clone().marked(marks));
                !item.is_unknown() || item.ty().is_primitive()
            }
        })
    }
    let mut out = Vec::new();
    let known = walk(c.items(0)?, Marks::default(), &mut out);
    Ok(if known { Val::tuple(out) } else { Val::unknown(Type::Dynamic) })
}

fn index(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let wanted = c.get(1)?;
    let items = c.items(0)?;
    if items.is_empty() {
        return Err(wrong(0, "the list is empty"));
    }
    let found = items.iter().position(|item| same(item, wanted));
    found.map(Val::number).ok_or_else(|| wrong(1, "the list does not have this item"))
}

fn keys(c: &Call<'_, '_>) -> Result<Val, Failure> {
    if c.get(0)?.is_unknown() {
        return Ok(Val::unknown(Type::list(Type::Text)));
    }
    let names = c.entries(0)?.keys().cloned();
    Ok(match c.get(0)?.v {
        V::Map(..) => Val::texts(names),
        _ => Val::tuple(names.map(Val::text).collect()),
    })
}

fn values(c: &Call<'_, '_>) -> Result<Val, Failure> {
    if c.get(0)?.is_unknown() {
        return Ok(Val::unknown(Type::Dynamic));
    }
    let items: Vec<Val> = c.entries(0)?.values().cloned().collect();
    Ok(match &c.get(0)?.v {
        V::Map(ty, _) => V::List(ty.clone(), Arc::new(items)).into(),
        _ => Val::tuple(items),
    })
}

fn length(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let value = c.get(0)?;
    if value.is_unknown() {
        return Ok(Val::unknown(Type::Number));
    }
    let count = value.items().map(<[Val]>::len).or_else(|| value.entries().map(BTreeMap::len));
    match (count, &value.v) {
        (Some(count), _) => Ok(Val::number(count)),
        // The language counts characters of text too.
        (None, V::Text(text)) => Ok(Val::number(graphemes(text).count())),
        _ => Err(wrong(0, format!("a collection or string is required, not {}", value.describe()))),
    }
}

fn lookup(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let (map, key, default) = (c.get(0)?, c.get(1)?, c.get(2)?);
    if map.is_unknown() || key.is_unknown() {
        return Ok(Val::unknown(Type::Dynamic));
    }
    let key = c.text(1)?;
    match c.entries(0)?.get(&*key) {
        Some(value) => Ok(value.clone()),
        None => match &map.v {
            V::Map(ty, _) => convert::convert(default, ty).map_err(|e| wrong(2, e)),
            _ => Ok(default.clone()),
        },
    }
}

fn merge(c: &Call<'_, '_>) -> Result<Val, Failure> {
    if c.arguments.iter().any(Val::is_unknown) {
        return Ok(Val::unknown(Type::Dynamic));
    }
    let mut merged = BTreeMap::new();
    let mut types = Vec::new();
    let mut all_maps = true;
    for (at, argument) in c.arguments.iter().enumerate() {
        if argument.is_null() {
            continue;
        }
        for (name, value) in c.entries(at)? {
            merged.insert(name.clone(), value.clone().marked(argument.marks));
        }
        match &argument.v {
            V::Map(ty, _) => types.push(ty.clone()),
            _ => all_maps = false,
        }
    }
    match convert::unify(&types) {
        Some(ty) if all_maps && types.iter().all(|t| *t == ty) && !types.is_empty() => {
            Ok(V::Map(ty, Arc::new(merged)).into())
        }
        _ => Ok(Val::object(merged)),
    }
}

fn range(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let zero = Num::from(0i64);
    let (start, end) = match c.len() {
        1 => (zero.clone(), c.number(0)?),
        _ => (c.number(0)?, c.number(1)?),
    };
    let step = match c.len() {
        3 => c.number(2)?,
        _ if end < start => Num::from(-1i64),
        _ => Num::from(1i64),
    };
    if step == zero {
        return Err(wrong(2, "the step must not be zero"));
    }
    if (step > zero && end < start) || (step < zero && end > start) {
        return Err(wrong(2, "the step leads away from the end"));
    }
    let mut items: Vec<Val> = Vec::new();
    let mut here = start;
    while (step > zero && here < end) || (step < zero && here > end) {
        if items.len() >= MAX_ITEMS {
            return Err(format!("more than {MAX_ITEMS} numbers").into());
        }
        items.push(V::Number(here.clone()).into());
        here = here.add(&step).ok_or("the numbers grow too large")?;
    }
    Ok(V::List(Type::Number, Arc::new(items)).into())
}

fn reverse(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let items = c.items(0)?.iter().rev().cloned().collect();
    Ok(like(&[c.get(0)?], items))
}

fn as_set(c: &Call<'_, '_>, at: usize) -> Result<Val, Failure> {
    c.items(at)?;
    convert::convert(c.get(at)?, &Type::Set(Box::new(Type::Dynamic))).map_err(|e| wrong(at, e))
}

fn sets(c: &Call<'_, '_>, keep: fn(bool, bool) -> bool) -> Result<Val, Failure> {
    let mut result = as_set(c, 0)?;
    for at in 1..c.len() {
        let other = as_set(c, at)?;
        let ty = convert::unify(&[result.ty(), other.ty()])
            .ok_or_else(|| wrong(at, "the sets have different types"))?;
        let a = convert::convert(&result, &ty).map_err(|e| wrong(0, e))?;
        let b = convert::convert(&other, &ty).map_err(|e| wrong(at, e))?;
        let (x, y) = (a.items().unwrap_or_default(), b.items().unwrap_or_default());
        if x.len().saturating_mul(y.len()) > MAX_ITEMS * MAX_ITEMS {
            return Err(wrong(at, "the sets are too large"));
        }
        let has = |items: &[Val], item: &Val| items.iter().any(|i| equal(i, item) == Some(true));
        let kept = x.iter().chain(y).filter(|item| keep(has(x, item), has(y, item))).cloned().collect();
        let Type::Set(item) = ty else { return Err(wrong(at, "a set is required")) };
        result = Val::set(*item, kept);
    }
    Ok(result)
}

fn setproduct(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let mut rows: Vec<Vec<Val>> = vec![Vec::new()];
    for at in 0..c.len() {
        let items = c.items(at)?;
        if rows.len().saturating_mul(items.len()) > 64 * MAX_ITEMS {
            return Err("the product is too large".into());
        }
        rows = rows
            .iter()
            .flat_map(|row| items.iter().map(move |item| row.iter().cloned().chain([item.clone()]).collect()))
            .collect();
    }
    let rows: Vec<Val> = rows.into_iter().map(Val::tuple).collect();
    let all_sets = c.arguments.iter().all(|a| matches!(a.v, V::Set(..)));
    let ty = rows.first().map_or(Type::Dynamic, Val::ty);
    Ok(if all_sets { Val::set(ty, rows) } else { V::List(ty, Arc::new(rows)).into() })
}

fn slice(c: &Call<'_, '_>) -> Result<Val, Failure> {
    if let V::Set(..) = c.get(0)?.v {
        return Err(wrong(0, "a set has no order; convert it to a list"));
    }
    let (items, from, to) = (c.items(0)?, c.size(1)?, c.size(2)?);
    let part = items.get(from..to).ok_or_else(|| {
        let at = if to > items.len() { 2 } else { 1 };
        wrong(at, format!("the list has {} items", items.len()))
    })?;
    Ok(like(&[c.get(0)?], part.to_vec()))
}

fn sort(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let mut texts = c.texts(0)?;
    texts.sort();
    Ok(Val::texts(texts.iter().map(|t| t.to_string())))
}

fn zipmap(c: &Call<'_, '_>) -> Result<Val, Failure> {
    if !c.get(0)?.wholly_known() {
        return Ok(Val::unknown(Type::Dynamic));
    }
    let (names, items) = (c.texts(0)?, c.items(1)?);
    if names.len() != items.len() {
        return Err(format!("there are {} keys and {} values", names.len(), items.len()).into());
    }
    let entries = names.iter().map(|n| n.to_string()).zip(items.iter().cloned()).collect();
    Ok(match &c.get(1)?.v {
        V::List(ty, _) => V::Map(ty.clone(), Arc::new(entries)).into(),
        _ => Val::object(entries),
    })
}
