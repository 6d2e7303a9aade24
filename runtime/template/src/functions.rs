//! The functions of the language, one file per group.
//!
//! A [`Function`] is a row of a table: name, arity, what it does with unknown values and marks, and
//! whether its result depends on anything but its arguments ([`Purity`], which caching needs).

mod collections;
mod crypto;
mod encoding;
mod files;
mod format;
mod network;
mod numbers;
mod remote;
mod strings;
mod time;
mod yaml;

use crate::eval::{Context, MAX_TEXT, Outcome, error};
use crate::value::number::Num;
use crate::value::types::Type;
use crate::value::{V, Val, convert};
use kiln_plan::code::template as code;
use kiln_plan::{Diagnostic, Marks, Origin, Span, nearest};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where a function is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Position {
    /// In `default` of a variable: only `env`.
    Default,
    /// Anywhere else in a template.
    Anywhere,
    /// In a file rendered by `templatefile`, which cannot render another.
    TemplateFile,
}

/// What the result of a function depends on besides its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purity {
    /// Nothing.
    Pure,
    /// The content of files.
    Files,
    /// The environment: variables, working directory, home.
    Environment,
    /// The time at which the run began.
    RunStart,
    /// The time of the call.
    Clock,
    /// Chance.
    Random,
    /// A server.
    Network,
}

/// What a function does with the marks of its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marking {
    /// The result has the marks of all arguments and of everything in them.
    Join,
    /// The items keep their own marks; the result has those of the containers.
    Keep,
}

/// What an argument must be, as far as that can be said before it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Text,
    Number,
    /// A list, set or tuple.
    Items,
    /// A map or object.
    Entries,
    Any,
}

impl Shape {
    /// What is wanted instead of `value`; nothing if it fits or may turn out to.
    fn misses(self, value: &Val) -> Option<&'static str> {
        let ty = value.ty();
        let (fits, wanted) = match self {
            Self::Any => return None,
            Self::Text => (ty.is_primitive(), "a string"),
            Self::Number => (matches!(ty, Type::Number | Type::Text), "a number"),
            Self::Items => {
                (matches!(ty, Type::List(_) | Type::Set(_) | Type::Tuple(_)), "a list, set or tuple")
            }
            Self::Entries => (matches!(ty, Type::Map(_) | Type::Object(_)), "a map or object"),
        };
        (!fits && ty != Type::Dynamic).then_some(wanted)
    }
}

/// Which unknown arguments make the result unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unknowns {
    /// Those that have anything unknown in them.
    Deep,
    /// Those that are unknown themselves; their items may be.
    Shallow,
    /// None: the function knows what to do.
    Own,
}

/// A row of the table.
struct Function {
    name: &'static str,
    /// The fewest and the most arguments.
    arity: (usize, usize),
    /// What each argument is; the last shape is that of all that follow.
    takes: &'static [Shape],
    /// The type of the result while an argument is unknown.
    result: Type,
    purity: Purity,
    marking: Marking,
    /// Whether null may be given.
    nulls: bool,
    unknowns: Unknowns,
    run: fn(&Call<'_, '_>) -> Result<Val, Failure>,
}

/// Any number of arguments.
const MANY: usize = usize::MAX;

impl Function {
    const fn new(
        name: &'static str,
        arity: (usize, usize),
        takes: &'static [Shape],
        result: Type,
        run: fn(&Call<'_, '_>) -> Result<Val, Failure>,
    ) -> Self {
        Self {
            name,
            arity,
            takes,
            result,
            purity: Purity::Pure,
            marking: Marking::Join,
            nulls: false,
            unknowns: Unknowns::Deep,
            run,
        }
    }

    const fn purity(mut self, purity: Purity) -> Self {
        self.purity = purity;
        self
    }

    const fn keep(mut self) -> Self {
        self.marking = Marking::Keep;
        self
    }

    const fn nulls(mut self) -> Self {
        self.nulls = true;
        self
    }

    /// Items that are unknown are no hindrance.
    const fn shallow(mut self) -> Self {
        self.unknowns = Unknowns::Shallow;
        self
    }

    const fn unknowns(mut self) -> Self {
        self.unknowns = Unknowns::Own;
        self
    }
}

/// What is wrong with a call, and with which argument.
struct Failure {
    argument: Option<usize>,
    message: String,
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self { argument: None, message }
    }
}

impl From<&str> for Failure {
    fn from(message: &str) -> Self {
        message.to_owned().into()
    }
}

fn wrong(argument: usize, message: impl Into<String>) -> Failure {
    Failure { argument: Some(argument), message: message.into() }
}

/// One call.
struct Call<'a, 'c> {
    context: &'a Context<'c>,
    arguments: &'a [Val],
}

impl Call<'_, '_> {
    fn len(&self) -> usize {
        self.arguments.len()
    }

    fn get(&self, at: usize) -> Result<&Val, Failure> {
        self.arguments.get(at).ok_or_else(|| "an argument is missing".into())
    }

    fn is_given(&self, at: usize) -> bool {
        at < self.arguments.len()
    }

    fn text(&self, at: usize) -> Result<Arc<str>, Failure> {
        let value = convert::convert(self.get(at)?, &Type::Text).map_err(|e| wrong(at, e))?;
        match value.v {
            V::Text(text) => Ok(text),
            _ => Err(wrong(at, "a string is required")),
        }
    }

    fn number(&self, at: usize) -> Result<Num, Failure> {
        let value = convert::convert(self.get(at)?, &Type::Number).map_err(|e| wrong(at, e))?;
        match value.v {
            V::Number(number) => Ok(number),
            _ => Err(wrong(at, "a number is required")),
        }
    }

    fn whole(&self, at: usize) -> Result<i64, Failure> {
        self.number(at)?.to_i64().ok_or_else(|| wrong(at, "a whole number is required"))
    }

    fn size(&self, at: usize) -> Result<usize, Failure> {
        usize::try_from(self.whole(at)?).map_err(|_| wrong(at, "the number must not be negative"))
    }

    fn items(&self, at: usize) -> Result<&[Val], Failure> {
        let value = self.get(at)?;
        value
            .items()
            .ok_or_else(|| wrong(at, format!("a list, set or tuple is required, not {}", value.describe())))
    }

    fn entries(&self, at: usize) -> Result<&BTreeMap<String, Val>, Failure> {
        let value = self.get(at)?;
        value
            .entries()
            .ok_or_else(|| wrong(at, format!("a map or object is required, not {}", value.describe())))
    }

    fn texts(&self, at: usize) -> Result<Vec<Arc<str>>, Failure> {
        let texts = self.items(at)?.iter().enumerate().map(|(i, item)| {
            convert::convert(item, &Type::Text)
                .ok()
                .and_then(|v| if let V::Text(text) = v.v { Some(text) } else { None })
                .ok_or_else(|| wrong(at, format!("element {i} must be a string")))
        });
        texts.collect()
    }
}

fn groups() -> [&'static [Function]; 11] {
    [
        collections::FUNCTIONS,
        crypto::FUNCTIONS,
        encoding::FUNCTIONS,
        files::FUNCTIONS,
        format::FUNCTIONS,
        network::FUNCTIONS,
        numbers::FUNCTIONS,
        remote::FUNCTIONS,
        strings::FUNCTIONS,
        time::FUNCTIONS,
        yaml::FUNCTIONS,
    ]
}

/// The names of all functions with their purity, sorted; `try`, `can` and `convert` included.
pub fn names() -> BTreeMap<&'static str, Purity> {
    let own = ["try", "can", "convert"].map(|name| (name, Purity::Pure));
    groups().iter().flat_map(|group| group.iter()).map(|f| (f.name, f.purity)).chain(own).collect()
}

/// A function that may be called.
pub(crate) struct Found(&'static Function);

/// Finds a function that may be called in `position`.
///
/// # Errors
/// There is none, or not here.
pub(crate) fn find(name: &str, position: Position) -> Result<Found, Box<Diagnostic>> {
    let function = groups().iter().flat_map(|group| group.iter()).find(|f| f.name == name);
    let refuse = |reason: &str| {
        let summary = format!("`{name}` cannot be called here");
        Err(Box::new(Diagnostic::error(code::FUNCTION_NOT_HERE, summary).detail(reason)))
    };
    match (function, position) {
        (Some(function), Position::Default) if function.name == "env" => Ok(Found(function)),
        (_, Position::Default) => refuse("the default of a variable may call `env` only"),
        (Some(function), _) if function.name == "env" => {
            refuse("`env` may be called in the default of a variable only")
        }
        (Some(function), Position::TemplateFile) if function.name == "templatefile" => {
            refuse("a template file cannot render another one")
        }
        (Some(function), _) => Ok(Found(function)),
        (None, _) => {
            let names: Vec<String> = names().keys().map(|name| (*name).to_owned()).collect();
            let mut diagnostic =
                Diagnostic::error(code::UNKNOWN_FUNCTION, format!("there is no function `{name}`"));
            diagnostic.help = instead(name)
                .map(str::to_owned)
                .or_else(|| nearest(name, names.iter()).map(|near| format!("did you mean `{near}`?")));
            Err(Box::new(diagnostic))
        }
    }
}

/// What to write instead of Terraform's functions that Packer never had.
fn instead(name: &str) -> Option<&'static str> {
    Some(match name {
        "tostring" => "write convert(x, string)",
        "tonumber" => "write convert(x, number)",
        "tobool" => "write convert(x, bool)",
        "tolist" => "write convert(x, list(any))",
        "toset" => "write convert(x, set(any))",
        "tomap" => "write convert(x, map(any))",
        "filesha256" => "write sha256(file(path))",
        "filemd5" => "write md5(file(path))",
        _ => return None,
    })
}

/// Calls a function with evaluated arguments.
///
/// # Errors
/// What is wrong, at the argument it is wrong with.
pub(crate) fn call(
    function: Found,
    context: &Context<'_>,
    arguments: Vec<Val>,
    spans: &[Span],
    span: Span,
) -> Outcome {
    let function = function.0;
    let (least, most) = function.arity;
    if arguments.len() < least || arguments.len() > most {
        let takes = match (least, most) {
            (least, MANY) => format!("at least {least}"),
            (least, most) if least == most => least.to_string(),
            (least, most) => format!("{least} to {most}"),
        };
        let plural = if takes == "1" { "" } else { "s" };
        return Err(error(
            code::FUNCTION,
            format!("`{}` takes {takes} argument{plural}, not {}", function.name, arguments.len()),
            span,
        ));
    }
    let fail = |failure: Failure| {
        let at = failure.argument.and_then(|at| spans.get(at)).copied().unwrap_or(span);
        error(code::FUNCTION, format!("`{}`: {}", function.name, failure.message), at)
    };
    let mut marks = Marks::default();
    for (at, argument) in arguments.iter().enumerate() {
        marks = marks.join(match function.marking {
            Marking::Join => argument.deep_marks(),
            Marking::Keep => argument.marks,
        });
        if argument.is_null() && !function.nulls {
            return Err(fail(wrong(at, "the argument must not be null")));
        }
    }
    if arguments.iter().any(|argument| !argument.wholly_known()) {
        for (at, argument) in arguments.iter().enumerate() {
            let shape = function.takes.get(at).or(function.takes.last()).copied().unwrap_or(Shape::Any);
            if let Some(wanted) = shape.misses(argument) {
                let message = format!("{wanted} is required, not {}", argument.ty());
                return Err(fail(wrong(at, message)));
            }
        }
    }
    let unknown = match function.unknowns {
        Unknowns::Deep => arguments.iter().any(|argument| !argument.wholly_known()),
        Unknowns::Shallow => arguments.iter().any(Val::is_unknown),
        Unknowns::Own => false,
    };
    if unknown {
        return Ok(Val::unknown(function.result.clone()).marked(marks));
    }
    if matches!(function.purity, Purity::Files | Purity::Environment) {
        marks.origin = marks.origin.max(Origin::Environment);
    }
    let value = (function.run)(&Call { context, arguments: &arguments }).map_err(fail)?;
    if let Some(text) = value.as_text() {
        if text.len() > MAX_TEXT {
            return Err(fail("the result is longer than 16 MiB".into()));
        }
        // Making text is work too.
        context.charge(text.len() as u64 / 64, span)?;
    }
    if !value.within_bounds() {
        return Err(fail("the result is too large".into()));
    }
    Ok(value.marked(marks))
}
