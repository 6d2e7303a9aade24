//! The values of variables: default, variable files, command line; the last wins. A value is a
//! template that may use other variables, the environment and servers.

use super::document::{Document, Text};
use super::render::{Renderer, budget};
use super::scope::{Place, Run, declare};
use crate::load::read_text;
use crate::syntax::json_read::{self, Content};
use crate::{Mode, Undeclared, VariableInputs};
use kiln_plan::code::template as code;
use kiln_plan::go_template::{Piece, is_template, pieces};
use kiln_plan::{Data, Diagnostic, Diagnostics, Marks, SourceMap, Span, Value};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

/// The values, by name. One that is not known (while a template is only looked at) is unknown.
#[derive(Debug, Default)]
pub(super) struct Variables(BTreeMap<String, Value>);

impl Variables {
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0.iter()
    }

    /// All secret texts.
    pub(super) fn secrets(&self) -> Vec<String> {
        let secret = self.0.values().filter(|value| value.marks.sensitive);
        let mut texts: Vec<String> =
            secret.filter_map(Value::as_text).filter(|text| !text.is_empty()).map(str::to_owned).collect();
        texts.sort();
        texts.dedup();
        texts
    }

    /// Settles the values of all variables of `document`, and of those that only `inputs` names.
    pub(super) fn resolve(
        document: &Document,
        inputs: &VariableInputs,
        mode: Mode,
        run: &Run,
        sources: &mut SourceMap,
        found: &mut Diagnostics,
    ) -> Self {
        let mut given = Given { document, sources, found, values: BTreeMap::new(), undeclared: Vec::new() };
        for path in &inputs.files {
            given.file(path, run);
        }
        for (name, text) in &inputs.assignments {
            given.assignment(name, text);
        }
        if inputs.undeclared != Undeclared::Ignore {
            given.tell_unused();
        }
        let mut waiting = given.values;
        for variable in &document.variables {
            let name = &variable.name;
            match &variable.default {
                _ if waiting.contains_key(&name.text) => {}
                Some(default) => drop(waiting.insert(name.text.clone(), default.clone())),
                None if mode == Mode::Build => found.push(unset(name)),
                None => {}
            }
        }
        let mut settling = Settling { run, sources, found, values: Self::default(), document, mode };
        settling.run(waiting);
        settling.values
    }
}

fn unset(name: &Text) -> Diagnostic {
    Diagnostic::error(code::UNSET_VARIABLE, format!("variable `{}` has no value", name.text))
        .at(name.span)
        .within("variables")
        .help(format!("give it one: -var '{}=…' or a -var-file", name.text))
}

/// What is said where a variable file is no JSON.
const OF_STRINGS: &str = "a variable file of a legacy template is a JSON object of strings";

/// Values that were given, the last of each name.
struct Given<'g> {
    document: &'g Document,
    sources: &'g mut SourceMap,
    found: &'g mut Diagnostics,
    values: BTreeMap<String, Text>,
    /// A warning for each value that no declared variable takes, with the name that it is for.
    undeclared: Vec<(String, Diagnostic)>,
}

impl Given<'_> {
    fn file(&mut self, path: &Path, run: &Run) {
        let shown = path.to_string_lossy().into_owned();
        let text = match read_text(path, &*run.world.environment) {
            Ok(text) => text,
            Err(diagnostic) => return self.found.push(*diagnostic),
        };
        let id = self.sources.add(shown.as_str(), text.as_str());
        let read = json_read::read(&text, id, true);
        self.found.extend(read.mistakes.into_iter().map(|mistake| Diagnostic {
            code: code::BAD_VARIABLE_FILE,
            help: mistake.help.or_else(|| Some(OF_STRINGS.to_owned())),
            ..mistake
        }));
        let Some(item) = read.item else { return };
        let wrong =
            |summary: String, span: Span| Diagnostic::error(code::BAD_VARIABLE_FILE, summary).at(span);
        let Content::Object(entries) = item.content else {
            return self.found.push(wrong(format!("{shown} must be a JSON object of strings"), item.span));
        };
        for (name, span, item) in entries {
            let text = match item.content {
                Content::Text(text) => text,
                Content::Null => String::new(),
                _ => {
                    let summary = format!("the value of `{name}` must be a string");
                    self.found.push(wrong(summary, item.span).help("put it in quotes"));
                    continue;
                }
            };
            self.check(&name, &format!("{shown} sets"), Some(span));
            self.values.insert(name, Text { text, span: item.span });
        }
    }

    fn assignment(&mut self, name: &str, text: &str) {
        let id = self.sources.add(format!("-var {name}"), text);
        self.check(name, "-var sets", None);
        let end = u32::try_from(text.len()).unwrap_or(u32::MAX);
        self.values
            .insert(name.to_owned(), Text { text: text.to_owned(), span: Span { file: id, start: 0, end } });
    }

    fn check(&mut self, name: &str, setter: &str, span: Option<Span>) {
        let mut names = self.document.variables.iter().map(|variable| &variable.name.text);
        if name.starts_with('_') || names.clone().any(|known| known == name) {
            return;
        }
        let summary = format!("{setter} `{name}`, but the template does not declare it");
        let mut diagnostic = Diagnostic::warning(code::UNDECLARED_VARIABLE, summary);
        diagnostic.span = span;
        diagnostic.help = kiln_plan::nearest(name, &mut names).map(|near| format!("did you mean `{near}`?"));
        self.undeclared.push((name.to_owned(), diagnostic));
    }

    /// A variable need not be declared to be used, so only a value that nothing uses is worth a word.
    fn tell_unused(&mut self) {
        if self.undeclared.is_empty() {
            return;
        }
        let mut used = BTreeSet::new();
        let mut note = |text: &str| used.extend(used_in(text));
        self.document.visit_texts(&mut note);
        self.values.values().for_each(|value| note(&value.text));
        let unused = self.undeclared.drain(..).filter(|(name, _)| !used.contains(name));
        self.found.extend(unused.map(|(_, diagnostic)| diagnostic));
    }
}

/// The variables that a text names. What is no template is told of where it is rendered.
fn used_in(text: &str) -> Vec<String> {
    if !is_template(text) {
        return Vec::new();
    }
    let actions = pieces(text).unwrap_or_default().into_iter().filter_map(|piece| match piece {
        Piece::Action(action) => Some(action.calls),
        Piece::Text(_) => None,
    });
    let calls = actions.flatten().filter(|call| call.function == "user");
    calls.flat_map(|call| call.arguments).collect()
}

/// Values on their way from templates to texts: each is rendered once all that it uses are there.
struct Settling<'s> {
    run: &'s Run,
    sources: &'s SourceMap,
    found: &'s mut Diagnostics,
    values: Variables,
    document: &'s Document,
    mode: Mode,
}

impl Settling<'_> {
    fn run(&mut self, mut waiting: BTreeMap<String, Text>) {
        let mut limits = budget();
        let mut blocked = Blocked::new();
        let mut woken_by: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut queue: VecDeque<String> = waiting.keys().cloned().collect();
        while let Some(name) = queue.pop_front() {
            let Some(text) = waiting.get(&name) else { continue };
            let scope = self.run.scope(Place::Variable).with(&self.values);
            let mut renderer = Renderer { scope: &scope, limits: &mut limits, sources: self.sources };
            let value = match renderer.variable(&text.text, text.span) {
                Ok((_, seen)) if !seen.missing.is_empty() => {
                    for other in &seen.missing {
                        woken_by.entry(other.clone()).or_default().push(name.clone());
                    }
                    blocked.insert(name, seen.missing);
                    continue;
                }
                Ok((value, _)) => value,
                Err(diagnostic) => {
                    if self.mode == Mode::Build {
                        self.found.push(diagnostic.within(format!("variable \"{name}\"")));
                    }
                    Data::Unknown.into()
                }
            };
            self.settle(&name, value);
            waiting.remove(&name);
            blocked.remove(&name);
            queue.extend(woken_by.remove(&name).into_iter().flatten());
        }
        for (name, text) in waiting {
            if self.mode == Mode::Build {
                self.blocked(&name, &text, &blocked);
            }
            self.settle(&name, Data::Unknown.into());
        }
        let unset = self.document.variables.iter().filter(|v| self.values.get(&v.name.text).is_none());
        for name in unset.map(|v| v.name.text.clone()).collect::<Vec<_>>() {
            self.settle(&name, Data::Unknown.into());
        }
    }

    fn settle(&mut self, name: &str, mut value: Value) {
        let sensitive = self.document.sensitive.iter().any(|secret| secret.text == name);
        value.marks = value.marks.join(Marks { sensitive, ..Marks::default() });
        self.values.0.insert(name.to_owned(), value);
    }

    /// Why a variable has no value: it needs one that is nowhere, or itself. If it needs one that
    /// has no value for another reason, that is reported there.
    fn blocked(&mut self, name: &str, text: &Text, blocked: &Blocked) {
        let names: Vec<String> = self.document.variables.iter().map(|v| v.name.text.clone()).collect();
        for other in blocked.get(name).into_iter().flatten() {
            let diagnostic = if !names.contains(other) && !blocked.contains_key(other) {
                let summary = format!("variable `{other}` is not declared and has no value");
                Diagnostic::error(code::UNKNOWN_VARIABLE, summary).help(declare(other, &names))
            } else if leads_to(blocked, other, name) {
                let summary = format!("the value of `{name}` needs `{other}`, and that needs `{name}`");
                Diagnostic::error(code::CYCLE, summary)
                    .help("variables cannot refer to each other in a circle")
            } else {
                continue;
            };
            self.found.push(diagnostic.at(text.span).within(format!("variable \"{name}\"")));
        }
    }
}

/// What each variable without a value waits for.
type Blocked = BTreeMap<String, BTreeSet<String>>;

/// Whether `from` is `to` or waits for it, through others.
fn leads_to(blocked: &Blocked, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(here) = open.pop() {
        if here == to {
            return true;
        }
        if seen.insert(here) {
            open.extend(blocked.get(here).into_iter().flatten().map(String::as_str));
        }
    }
    false
}
