//! Running a template over data.
//!
//! Values borrow the data where they can, so that a template over large data costs steps, not
//! copies. Every node and every kilobyte that a function makes is a step.

use super::parse::{Command, Node, Operand, Pipe, Word};
use super::{Functions, Template, TemplateError, builtin, print};
use serde_json::Value as Json;
use std::borrow::Cow;

/// A value; `None` is Go's "no value" (a missing key).
pub(super) type Value<'d> = Option<Cow<'d, Json>>;

/// The deepest nesting while rendering, templates that call templates included.
const MAX_DEPTH: usize = 200;

/// Bounds of one rendering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Nodes visited, at most.
    pub steps: u64,
    /// Bytes of output and of each intermediate text, at most.
    pub output: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps: 1_000_000, output: 16 << 20 }
    }
}

enum Flow {
    Next,
    Break,
    Continue,
}

struct Renderer<'d, 't> {
    template: &'t Template,
    functions: &'t dyn Functions,
    limits: Limits,
    steps: u64,
    depth: usize,
    out: String,
    variables: Vec<(&'t str, Value<'d>)>,
}

type Outcome<T> = Result<T, TemplateError>;

/// Renders a template.
///
/// # Errors
/// An unknown function, a field of something that has none, a wrong argument, or a bound reached.
pub fn render(
    template: &Template,
    data: &Json,
    functions: &dyn Functions,
    mut limits: Limits,
) -> Result<String, TemplateError> {
    render_within(template, data, functions, &mut limits)
}

/// Renders a template and takes what it cost off `limits`, so that many templates share them.
///
/// # Errors
/// As [`render`].
pub fn render_within(
    template: &Template,
    data: &Json,
    functions: &dyn Functions,
    limits: &mut Limits,
) -> Result<String, TemplateError> {
    if let Some((name, offset)) = template.functions.iter().find(|(name, _)| !functions.has(name)) {
        return Err(TemplateError::new(*offset, format!("function {name:?} not defined")));
    }
    let data = Cow::Borrowed(data);
    let mut renderer = Renderer {
        template,
        functions,
        limits: *limits,
        steps: 0,
        depth: 0,
        out: String::new(),
        variables: vec![("", Some(data.clone()))],
    };
    let done = renderer.list(&template.nodes, &Some(data));
    limits.steps = limits.steps.saturating_sub(renderer.steps);
    limits.output = limits.output.saturating_sub(renderer.out.len());
    done.map(|_| renderer.out)
}

impl<'d, 't> Renderer<'d, 't> {
    fn charge(&mut self, steps: u64, offset: usize) -> Outcome<()> {
        self.steps = self.steps.saturating_add(steps);
        if self.steps > self.limits.steps {
            return Err(TemplateError::new(offset, format!("more than {} steps", self.limits.steps)));
        }
        Ok(())
    }

    fn write(&mut self, text: &str, offset: usize) -> Outcome<()> {
        if self.out.len() + text.len() > self.limits.output {
            return Err(TemplateError::new(
                offset,
                format!("more than {} bytes of output", self.limits.output),
            ));
        }
        self.out.push_str(text);
        Ok(())
    }

    fn enter(&mut self, offset: usize) -> Outcome<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(TemplateError::new(offset, "exceeded the depth of templates"));
        }
        Ok(())
    }

    fn list(&mut self, nodes: &'t [Node], dot: &Value<'d>) -> Outcome<Flow> {
        let mark = self.variables.len();
        for node in nodes {
            let flow = self.node(node, dot)?;
            if !matches!(flow, Flow::Next) {
                self.variables.truncate(mark);
                return Ok(flow);
            }
        }
        self.variables.truncate(mark);
        Ok(Flow::Next)
    }

    fn node(&mut self, node: &'t Node, dot: &Value<'d>) -> Outcome<Flow> {
        self.charge(1, 0)?;
        match node {
            Node::Text(text) => self.write(text, 0)?,
            Node::Action(pipe) => {
                let value = self.pipe(pipe, dot)?;
                if pipe.variables.is_empty() {
                    let text = print::text(value.as_deref());
                    self.charge(text.len() as u64 / 1024, pipe.offset)?;
                    self.write(&text, pipe.offset)?;
                }
            }
            Node::If { pipe, then, otherwise } => return self.branch(pipe, then, otherwise, dot, false),
            Node::With { pipe, then, otherwise } => return self.branch(pipe, then, otherwise, dot, true),
            Node::Range { pipe, then, otherwise } => return self.range(pipe, then, otherwise, dot),
            Node::Template { name, pipe, offset } => self.call_template(name, pipe.as_ref(), *offset, dot)?,
            Node::Break(_) => return Ok(Flow::Break),
            Node::Continue(_) => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    fn branch(
        &mut self,
        pipe: &'t Pipe,
        then: &'t [Node],
        otherwise: &'t [Node],
        dot: &Value<'d>,
        with: bool,
    ) -> Outcome<Flow> {
        self.enter(pipe.offset)?;
        let mark = self.variables.len();
        let value = self.pipe(pipe, dot)?;
        let flow = match (print::truth(value.as_deref()), with) {
            (true, true) => self.list(then, &value)?,
            (true, false) => self.list(then, dot)?,
            (false, _) => self.list(otherwise, dot)?,
        };
        self.variables.truncate(mark);
        self.depth -= 1;
        Ok(flow)
    }

    fn range(
        &mut self,
        pipe: &'t Pipe,
        then: &'t [Node],
        otherwise: &'t [Node],
        dot: &Value<'d>,
    ) -> Outcome<Flow> {
        self.enter(pipe.offset)?;
        let mark = self.variables.len();
        let value = self.pipe(pipe, dot)?;
        if let (Some(Json::Number(n)), 2) = (value.as_deref(), pipe.variables.len()) {
            let message = format!("can't use {n} to iterate over more than one variable");
            return Err(TemplateError::new(pipe.offset, message));
        }
        let mut empty = true;
        for (key, item) in items(value, pipe.offset)? {
            empty = false;
            self.charge(1, pipe.offset)?;
            self.variables.truncate(mark);
            let item = Some(item);
            match pipe.variables.as_slice() {
                [one] => self.set(one, item.clone(), pipe.assign, pipe.offset)?,
                [first, second] => {
                    self.set(first, Some(Cow::Owned(key)), pipe.assign, pipe.offset)?;
                    self.set(second, item.clone(), pipe.assign, pipe.offset)?;
                }
                _ => {}
            }
            if let Flow::Break = self.list(then, &item)? {
                break;
            }
        }
        self.variables.truncate(mark);
        let flow = if empty { self.list(otherwise, dot)? } else { Flow::Next };
        self.depth -= 1;
        Ok(flow)
    }

    fn call_template(
        &mut self,
        name: &str,
        pipe: Option<&'t Pipe>,
        offset: usize,
        dot: &Value<'d>,
    ) -> Outcome<()> {
        self.enter(offset)?;
        let argument = pipe.map_or(Ok(None), |pipe| self.pipe(pipe, dot))?;
        let template = self.template;
        let body = template
            .defined
            .get(name)
            .ok_or_else(|| TemplateError::new(offset, format!("template {name:?} not defined")))?;
        // A template sees no variables but `$`, its own argument.
        let outer = std::mem::replace(&mut self.variables, vec![("", argument.clone())]);
        self.list(body, &argument)?;
        self.variables = outer;
        self.depth -= 1;
        Ok(())
    }

    fn set(&mut self, name: &'t str, value: Value<'d>, assign: bool, offset: usize) -> Outcome<()> {
        if !assign {
            self.variables.push((name, value));
            return Ok(());
        }
        let slot = self.variables.iter_mut().rev().find(|(known, _)| *known == name);
        slot.ok_or_else(|| TemplateError::new(offset, format!("undefined variable ${name}")))?.1 = value;
        Ok(())
    }

    fn pipe(&mut self, pipe: &'t Pipe, dot: &Value<'d>) -> Outcome<Value<'d>> {
        self.enter(pipe.offset)?;
        let mut last: Option<Value<'d>> = None;
        for command in &pipe.commands {
            last = Some(self.command(command, dot, last)?);
        }
        self.depth -= 1;
        let value = last.unwrap_or(None);
        // `range` gives its variables the items, not the whole.
        if let [name] = pipe.variables.as_slice() {
            self.set(name, value.clone(), pipe.assign, pipe.offset)?;
        }
        Ok(value)
    }

    fn command(
        &mut self,
        command: &'t Command,
        dot: &Value<'d>,
        piped: Option<Value<'d>>,
    ) -> Outcome<Value<'d>> {
        let Some((head, arguments)) = command.words.split_first() else { return Ok(None) };
        self.charge(1, head.offset)?;
        if let Operand::Function(name) = &head.operand {
            return self.function(name, head.offset, arguments, dot, piped);
        }
        if !arguments.is_empty() || piped.is_some() {
            return Err(TemplateError::new(head.offset, "can't give argument to non-function"));
        }
        if head.operand == Operand::Nil {
            return Err(TemplateError::new(head.offset, "nil is not a command"));
        }
        self.word(head, dot)
    }

    fn word(&mut self, word: &'t Word, dot: &Value<'d>) -> Outcome<Value<'d>> {
        self.operand(&word.operand, word.offset, dot)
    }

    fn operand(&mut self, operand: &'t Operand, offset: usize, dot: &Value<'d>) -> Outcome<Value<'d>> {
        match operand {
            Operand::Dot => Ok(dot.clone()),
            Operand::Nil => Ok(None),
            Operand::Literal(value) => Ok(Some(Cow::Owned(value.clone()))),
            Operand::Field(path) => walk(dot.clone(), path, offset),
            Operand::Variable(name, path) => {
                let found = self.variables.iter().rev().find(|(known, _)| known == name);
                let value = found
                    .ok_or_else(|| TemplateError::new(offset, format!("undefined variable \"${name}\"")))?
                    .1
                    .clone();
                walk(value, path, offset)
            }
            Operand::Function(name) => self.function(name, offset, &[], dot, None),
            Operand::Pipe(pipe) => self.pipe(pipe, dot),
            Operand::Chain(inner, path) => {
                let value = self.operand(inner, offset, dot)?;
                walk(value, path, offset)
            }
        }
    }

    fn function(
        &mut self,
        name: &str,
        offset: usize,
        words: &'t [Word],
        dot: &Value<'d>,
        piped: Option<Value<'d>>,
    ) -> Outcome<Value<'d>> {
        if matches!(name, "and" | "or") {
            return self.and_or(name == "or", offset, words, dot, piped);
        }
        let mut values = Vec::with_capacity(words.len() + 1);
        for word in words {
            values.push(self.word(word, dot)?);
        }
        values.extend(piped);
        let wrap = |message: String| TemplateError::new(offset, format!("error calling {name}: {message}"));
        let value = if builtin::is_builtin(name) {
            builtin::call(name, &values, self.limits.output).map_err(wrap)?
        } else {
            let arguments: Vec<Json> =
                values.into_iter().map(|v| v.map_or(Json::Null, Cow::into_owned)).collect();
            Some(Cow::Owned(self.functions.call(name, &arguments).map_err(wrap)?))
        };
        if let Some(Json::String(text)) = value.as_deref() {
            self.charge(text.len() as u64 / 1024, offset)?;
            if text.len() > self.limits.output {
                return Err(wrap(format!("more than {} bytes", self.limits.output)));
            }
        }
        Ok(value)
    }

    /// The first argument that decides, later ones unevaluated.
    fn and_or(
        &mut self,
        stop_at: bool,
        offset: usize,
        words: &'t [Word],
        dot: &Value<'d>,
        piped: Option<Value<'d>>,
    ) -> Outcome<Value<'d>> {
        let mut last = None;
        for word in words {
            let value = self.word(word, dot)?;
            if print::truth(value.as_deref()) == stop_at {
                return Ok(value);
            }
            last = Some(value);
        }
        piped
            .or(last)
            .ok_or_else(|| TemplateError::new(offset, "wrong number of args: want at least 1 got 0"))
    }
}

/// Follows field names.
fn walk<'d>(value: Value<'d>, path: &[String], offset: usize) -> Outcome<Value<'d>> {
    let mut here = value;
    for name in path {
        here = match here {
            Some(Cow::Borrowed(Json::Object(map))) => map.get(name).map(Cow::Borrowed),
            Some(Cow::Owned(Json::Object(mut map))) => map.remove(name).map(Cow::Owned),
            // What is missing has nothing in it.
            None => None,
            Some(other) => {
                let kind = print::type_name(&other);
                return Err(TemplateError::new(
                    offset,
                    format!("can't evaluate field {name} in type {kind}"),
                ));
            }
        };
    }
    Ok(here)
}

/// What `range` visits: keys and items.
type Items<'d> = Box<dyn Iterator<Item = (Json, Cow<'d, Json>)> + 'd>;

fn items<'d>(value: Value<'d>, offset: usize) -> Outcome<Items<'d>> {
    Ok(match value {
        None => Box::new(std::iter::empty()),
        Some(Cow::Borrowed(Json::Array(items))) => {
            Box::new(items.iter().enumerate().map(|(i, item)| (i.into(), Cow::Borrowed(item))))
        }
        Some(Cow::Borrowed(Json::Object(map))) => {
            // Go visits keys in order; a JSON map may be in the order of the text.
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_unstable_by_key(|(name, _)| *name);
            Box::new(entries.into_iter().map(|(name, item)| (name.as_str().into(), Cow::Borrowed(item))))
        }
        Some(other) => match other.into_owned() {
            Json::Null => Box::new(std::iter::empty()),
            Json::Array(items) => {
                Box::new(items.into_iter().enumerate().map(|(i, item)| (i.into(), Cow::Owned(item))))
            }
            Json::Object(map) => {
                let mut entries: Vec<_> = map.into_iter().collect();
                entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
                Box::new(entries.into_iter().map(|(name, item)| (name.into(), Cow::Owned(item))))
            }
            Json::Number(n) if n.is_i64() => {
                Box::new((0..n.as_i64().unwrap_or(0)).map(|i| (i.into(), Cow::Owned(i.into()))))
            }
            other => {
                let kind = print::type_name(&other);
                return Err(TemplateError::new(offset, format!("range can't iterate over a {kind}")));
            }
        },
    })
}
