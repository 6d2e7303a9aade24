//! The steps of a template as JSON, and the ways in which fixers change their options.

use serde_json::{Map, Value};

/// A builder, a provisioner or a post-processor.
pub(super) type Step = Map<String, Value>;

/// The `type` of a step; empty if it has none.
pub(super) fn kind(step: &Step) -> &str {
    text(step, "type").unwrap_or("")
}

/// An option that is a text.
pub(super) fn text<'s>(step: &'s Step, name: &str) -> Option<&'s str> {
    step.get(name).and_then(Value::as_str)
}

/// Gives an option a new name; an option that has that name already is lost.
pub(super) fn rename(step: &mut Step, old: &str, new: &str) {
    if let Some(value) = step.remove(old) {
        step.insert(new.to_owned(), value);
    }
}

/// Gives an option a new name if its value is `fit`; an option that has that name already stays.
pub(super) fn succeed(step: &mut Step, old: &str, new: &str, fit: fn(&Value) -> bool) {
    if step.contains_key(new) {
        step.remove(old);
    } else if step.get(old).is_some_and(fit) {
        rename(step, old, new);
    }
}

/// Any value, for [`succeed`].
pub(super) fn any(_: &Value) -> bool {
    true
}

/// Changes every builder.
///
/// # Errors
/// The builders are no list of objects, or `change` fails.
pub(super) fn builders(
    template: &mut Value,
    change: impl Fn(&mut Step) -> Result<(), String>,
) -> Result<(), String> {
    for (index, builder) in list(template, "builders")?.iter_mut().enumerate() {
        let Value::Object(step) = builder else {
            return Err(format!("`builders[{index}]` is not an object"));
        };
        change(step)?;
    }
    Ok(())
}

/// Changes every provisioner that is an object.
pub(super) fn provisioners(template: &mut Value, change: fn(&mut Step)) {
    let steps = template.get_mut("provisioners").and_then(Value::as_array_mut);
    steps.into_iter().flatten().filter_map(Value::as_object_mut).for_each(change);
}

/// Changes every post-processor that is an object, alone or in a sequence.
///
/// # Errors
/// They are no list.
pub(super) fn post_processors(template: &mut Value, change: fn(&mut Step)) -> Result<(), String> {
    for entry in list(template, "post-processors")? {
        match entry {
            Value::Object(step) => change(step),
            Value::Array(sequence) => {
                sequence.iter_mut().filter_map(Value::as_object_mut).for_each(change);
            }
            _ => {}
        }
    }
    Ok(())
}

/// A list of the template; empty if it is not there.
fn list<'t>(template: &'t mut Value, name: &str) -> Result<&'t mut [Value], String> {
    match template.get_mut(name) {
        None | Some(Value::Null) => Ok(&mut []),
        Some(Value::Array(steps)) => Ok(steps),
        Some(_) => Err(format!("`{name}` is not a list")),
    }
}
