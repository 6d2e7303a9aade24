//! The variables of a legacy template: `variable` blocks, and locals for those that are computed.

use super::text::{Place, Segment, Translator};
use super::write::{Writer, identifier, is_identifier, quoted};
use super::{Notes, left_comment};
use crate::legacy::{Document, Text, Variable};
use std::collections::BTreeSet;

/// A variable without its template.
struct Plain {
    name: String,
    /// An expression; `None` if the user must give a value.
    default: Option<String>,
    sensitive: bool,
}

/// A local.
struct Computed {
    name: String,
    expression: String,
    sensitive: bool,
}

/// What the variables become.
#[derive(Default)]
pub(super) struct Variables {
    plain: Vec<Plain>,
    computed: Vec<Computed>,
    /// Functions that were left in values.
    left: BTreeSet<String>,
}

/// Decides which variables are computed, so that texts can refer to them.
pub(super) fn translate(document: &Document, translator: &mut Translator) -> Variables {
    let mut variables: Vec<&Variable> = document.variables.iter().collect();
    variables.sort_by_key(|variable| &variable.name.text);
    // Those that can keep their names do.
    let (kept, others): (Vec<&str>, Vec<&str>) =
        variables.iter().map(|variable| variable.name.text.as_str()).partition(|name| is_identifier(name));
    kept.into_iter().chain(others).for_each(|name| drop(translator.name(name)));
    let names: BTreeSet<String> = translator.names.values().cloned().collect();
    let secrets: BTreeSet<&str> = document.sensitive.iter().map(|name| name.text.as_str()).collect();
    translator.timestamp = free("timestamp", |name| names.contains(name));
    let computed = variables.iter().filter(|variable| is_computed(variable));
    translator.locals = computed.map(|variable| variable.name.text.clone()).collect();
    let mut found = Variables::default();
    for variable in variables {
        let sensitive = secrets.contains(variable.name.text.as_str());
        found.variable(variable, sensitive, &names, translator);
    }
    found.plain.sort_by(|a, b| a.name.cmp(&b.name));
    found.left = translator.take_left();
    found
}

fn is_computed(variable: &Variable) -> bool {
    let segments = |default: &Text| Translator::default().segments(&default.text, Place::Variable);
    variable.default.as_ref().is_some_and(|default| !segments(default).iter().all(is_constant))
}

/// Whether a default may hold it: of functions only `env`.
fn is_constant(segment: &Segment) -> bool {
    match segment {
        Segment::Text(_) => true,
        Segment::Value(expression) => expression.starts_with("env("),
    }
}

/// The name of the variable that holds what `env("X")` gives.
fn environment(call: &str, names: &BTreeSet<String>) -> String {
    let asked = call.trim_start_matches("env(\"").trim_end_matches("\")");
    free(&identifier(&format!("env_{asked}")), |name| names.contains(name))
}

/// `name`, with a number behind it if it is taken.
pub(super) fn free(name: &str, taken: impl Fn(&str) -> bool) -> String {
    let numbered = (2..).map(|number| format!("{name}_{number}"));
    std::iter::once(name.to_owned()).chain(numbered).find(|name| !taken(name)).unwrap_or_default()
}

impl Variables {
    fn variable(
        &mut self,
        variable: &Variable,
        sensitive: bool,
        names: &BTreeSet<String>,
        translator: &mut Translator,
    ) {
        let name = translator.name(&variable.name.text);
        let text = variable.default.as_ref().map(|default| default.text.as_str());
        if !translator.locals.contains(&variable.name.text) {
            let default = text.map(|text| translator.text(text, Place::Variable));
            return self.plain.push(Plain { name, default, sensitive });
        }
        let mut expression = String::from("\"");
        for segment in translator.segments(text.unwrap_or(""), Place::Variable) {
            match &segment {
                Segment::Text(text) => expression.push_str(&quoted(text)),
                Segment::Value(call) if is_constant(&segment) => {
                    let asked = self.ask(call, sensitive, names);
                    expression.push_str(&format!("${{var.{asked}}}"));
                }
                Segment::Value(value) => expression.push_str(&format!("${{{value}}}")),
            }
        }
        expression.push('"');
        self.computed.push(Computed { name, expression, sensitive });
    }

    /// The variable that asks for what `call` gives: a local cannot ask for an environment variable.
    fn ask(&mut self, call: &str, sensitive: bool, names: &BTreeSet<String>) -> String {
        let name = environment(call, names);
        if !self.plain.iter().any(|plain| plain.name == name) {
            let default = Some(format!("\"${{{call}}}\""));
            self.plain.push(Plain { name: name.clone(), default, sensitive });
        }
        name
    }

    /// Declares what is used and not declared: HCL takes a value only for a declared variable.
    pub(super) fn declare_used(&mut self, translator: &mut Translator) {
        let used: Vec<String> = translator.used.difference(&translator.locals).cloned().collect();
        let declared: BTreeSet<String> = self.plain.iter().map(|plain| plain.name.clone()).collect();
        let used = used.iter().map(|name| translator.name(name)).filter(|name| !declared.contains(name));
        self.plain.extend(used.map(|name| Plain { name, default: None, sensitive: false }));
        self.plain.sort_by(|a, b| a.name.cmp(&b.name));
    }

    /// Writes the `variable` blocks.
    pub(super) fn write(&self, notes: Notes, writer: &mut Writer) {
        if !self.plain.is_empty() {
            writer.gap();
            notes.write(
                writer,
                "Every variable of a legacy template is a text; give it another type if that fits better.",
            );
        }
        for (at, variable) in self.plain.iter().enumerate() {
            if at > 0 {
                writer.gap();
            }
            writer.open("variable", &[&variable.name]);
            writer.attribute("type", "string");
            if let Some(default) = &variable.default {
                writer.attribute("default", default);
            }
            if variable.sensitive {
                writer.attribute("sensitive", "true");
            }
            writer.close();
        }
    }

    /// Writes the locals, and the one for `timestamp` if it is used.
    pub(super) fn write_locals(&self, timestamp: Option<&str>, notes: Notes, writer: &mut Writer) {
        if timestamp.is_some() || !self.computed.is_empty() {
            writer.gap();
            notes.write(
                writer,
                "Variables whose values were computed are locals now, which -var does not set.",
            );
        }
        left_comment(&self.left, writer);
        let shown: Vec<&Computed> = self.computed.iter().filter(|computed| !computed.sensitive).collect();
        if timestamp.is_some() || !shown.is_empty() {
            writer.open("locals", &[]);
            if let Some(name) = timestamp {
                writer.attribute(name, "regex_replace(timestamp(), \"[- TZ:]\", \"\")");
            }
            for computed in shown {
                writer.attribute(&computed.name, &computed.expression);
            }
            writer.close();
        }
        for secret in self.computed.iter().filter(|computed| computed.sensitive) {
            writer.gap();
            writer.open("local", &[&secret.name]);
            writer.attribute("expression", &secret.expression);
            writer.attribute("sensitive", "true");
            writer.close();
        }
    }
}
