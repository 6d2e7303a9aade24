//! Tokens into a tree. Nesting is bounded here, so the renderer's recursion is bounded too.

use super::lex::{Kind, Token};
use super::{Template, TemplateError, builtin};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// The deepest nesting of blocks and parentheses.
const MAX_DEPTH: usize = 100;

/// One part of a template.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Text(String),
    Action(Pipe),
    If { pipe: Pipe, then: Vec<Node>, otherwise: Vec<Node> },
    Range { pipe: Pipe, then: Vec<Node>, otherwise: Vec<Node> },
    With { pipe: Pipe, then: Vec<Node>, otherwise: Vec<Node> },
    Template { name: String, pipe: Option<Pipe>, offset: usize },
    Break(usize),
    Continue(usize),
}

/// `$x := a | b`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pipe {
    /// The variables on the left; two for `range`.
    pub(super) variables: Vec<String>,
    /// Whether they exist already (`=`).
    pub(super) assign: bool,
    /// At least one.
    pub(super) commands: Vec<Command>,
    /// First byte.
    pub(super) offset: usize,
}

/// `printf "%d" .x`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Command {
    /// At least one.
    pub(super) words: Vec<Word>,
}

/// An operand and its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word {
    pub(super) operand: Operand,
    pub(super) offset: usize,
}

/// Something with a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operand {
    Dot,
    Nil,
    Literal(Json),
    Field(Vec<String>),
    Variable(String, Vec<String>),
    Function(String),
    Pipe(Box<Pipe>),
    Chain(Box<Operand>, Vec<String>),
}

/// How a list of nodes ended.
enum Stop {
    File,
    End,
    Else,
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    defined: BTreeMap<String, Vec<Node>>,
    functions: Vec<(String, usize)>,
    depth: usize,
    ranges: usize,
    offset: usize,
}

/// The tree of `tokens`.
pub(super) fn parse(tokens: Vec<Token>) -> Result<Template, TemplateError> {
    let mut parser = Parser {
        tokens: tokens.into_iter().peekable(),
        defined: BTreeMap::new(),
        functions: Vec::new(),
        depth: 0,
        ranges: 0,
        offset: 0,
    };
    let (nodes, end) = parser.list()?;
    match end {
        Stop::File => Ok(Template { nodes, defined: parser.defined, functions: parser.functions }),
        Stop::End => Err(parser.error("unexpected {{end}}")),
        Stop::Else => Err(parser.error("unexpected {{else}}")),
    }
}

impl Parser {
    fn error(&self, message: impl Into<String>) -> TemplateError {
        TemplateError::new(self.offset, message)
    }

    fn next(&mut self) -> Option<Kind> {
        let token = self.tokens.next()?;
        self.offset = token.offset;
        Some(token.kind)
    }

    fn peek(&mut self) -> Option<&Kind> {
        self.tokens.peek().map(|token| &token.kind)
    }

    fn peek_solid(&mut self) -> Option<&Kind> {
        while self.tokens.next_if(|token| token.kind == Kind::Space).is_some() {}
        self.peek()
    }

    fn next_solid(&mut self) -> Option<Kind> {
        self.peek_solid();
        self.next()
    }

    fn deeper(&mut self) -> Result<(), TemplateError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(self.error("nested more than 100 deep")) } else { Ok(()) }
    }

    /// Nodes up to the end of the text, `{{end}}` or `{{else`.
    fn list(&mut self) -> Result<(Vec<Node>, Stop), TemplateError> {
        let mut nodes = Vec::new();
        loop {
            match self.next() {
                None => return Ok((nodes, Stop::File)),
                Some(Kind::Text(text)) => nodes.push(Node::Text(text)),
                Some(Kind::Left) => {
                    let keyword = match self.peek_solid() {
                        Some(Kind::Word(word)) => word.clone(),
                        _ => String::new(),
                    };
                    match keyword.as_str() {
                        "end" => {
                            self.next();
                            self.right("end")?;
                            return Ok((nodes, Stop::End));
                        }
                        "else" => {
                            self.next();
                            return Ok((nodes, Stop::Else));
                        }
                        _ => nodes.extend(self.action(&keyword)?),
                    }
                }
                Some(_) => return Err(self.error("unexpected token outside of an action")),
            }
        }
    }

    fn right(&mut self, after: &str) -> Result<(), TemplateError> {
        match self.next_solid() {
            Some(Kind::Right) => Ok(()),
            _ => Err(self.error(format!("unexpected text in {after}"))),
        }
    }

    fn action(&mut self, keyword: &str) -> Result<Option<Node>, TemplateError> {
        if matches!(keyword, "if" | "range" | "with" | "define" | "block" | "template" | "break" | "continue")
        {
            self.next();
        }
        let offset = self.offset;
        Ok(Some(match keyword {
            "if" | "with" | "range" => self.control(keyword)?,
            "define" if self.depth > 0 => return Err(self.error("unexpected <define> in command")),
            "define" => {
                let name = self.literal_name("define")?;
                self.right("define")?;
                let body = self.body()?;
                let empty = |nodes: &Vec<Node>| {
                    nodes.iter().all(|node| matches!(node, Node::Text(text) if text.trim().is_empty()))
                };
                match self.defined.get(&name) {
                    Some(known) if !empty(known) && !empty(&body) => {
                        return Err(self.error(format!("multiple definition of template {name:?}")));
                    }
                    Some(known) if !empty(known) => {}
                    _ => drop(self.defined.insert(name, body)),
                }
                return Ok(None);
            }
            "block" => {
                let name = self.literal_name("block")?;
                let pipe = Some(self.pipe_to_right("block")?);
                let body = self.body()?;
                self.defined.entry(name.clone()).or_insert(body);
                Node::Template { name, pipe, offset }
            }
            "template" => {
                let name = self.literal_name("template")?;
                let pipe = if self.peek_solid() == Some(&Kind::Right) {
                    self.next();
                    None
                } else {
                    Some(self.pipe_to_right("template")?)
                };
                Node::Template { name, pipe, offset }
            }
            "break" | "continue" => {
                if self.ranges == 0 {
                    return Err(self.error(format!("{{{{{keyword}}}}} outside {{{{range}}}}")));
                }
                self.right(keyword)?;
                if keyword == "break" { Node::Break(offset) } else { Node::Continue(offset) }
            }
            _ => Node::Action(self.pipe_to_right("command")?),
        }))
    }

    fn literal_name(&mut self, what: &str) -> Result<String, TemplateError> {
        match self.next_solid() {
            Some(Kind::Literal(Json::String(name))) => Ok(name),
            _ => Err(self.error(format!("{what} needs a quoted name"))),
        }
    }

    fn body(&mut self) -> Result<Vec<Node>, TemplateError> {
        self.deeper()?;
        let (nodes, end) = self.list()?;
        self.depth -= 1;
        match end {
            Stop::End => Ok(nodes),
            Stop::File => Err(self.error("unexpected end of the template, {{end}} is missing")),
            Stop::Else => Err(self.error("unexpected {{else}}")),
        }
    }

    fn control(&mut self, keyword: &str) -> Result<Node, TemplateError> {
        self.deeper()?;
        let pipe = self.pipe_to_right(keyword)?;
        self.ranges += usize::from(keyword == "range");
        let (then, end) = self.list()?;
        self.ranges -= usize::from(keyword == "range");
        let otherwise = match end {
            Stop::End => Vec::new(),
            Stop::File => return Err(self.error("unexpected end of the template, {{end}} is missing")),
            Stop::Else => self.otherwise(keyword)?,
        };
        self.depth -= 1;
        Ok(match keyword {
            "if" => Node::If { pipe, then, otherwise },
            "with" => Node::With { pipe, then, otherwise },
            _ => Node::Range { pipe, then, otherwise },
        })
    }

    /// What follows `{{else`: `}}` and a body, or `if …` and `with …`, which share its `{{end}}`.
    fn otherwise(&mut self, keyword: &str) -> Result<Vec<Node>, TemplateError> {
        match self.next_solid() {
            Some(Kind::Right) => self.body(),
            Some(Kind::Word(word)) if word == keyword && keyword != "range" => {
                Ok(vec![self.control(keyword)?])
            }
            _ => Err(self.error("unexpected text in else")),
        }
    }

    fn pipe_to_right(&mut self, what: &str) -> Result<Pipe, TemplateError> {
        let pipe = self.pipe(what)?;
        match self.next_solid() {
            Some(Kind::Right) => Ok(pipe),
            _ => Err(self.error(format!("unexpected text in {what}"))),
        }
    }

    fn pipe(&mut self, what: &str) -> Result<Pipe, TemplateError> {
        self.deeper()?;
        self.peek_solid();
        let offset = self.tokens.peek().map_or(self.offset, |token| token.offset);
        let (variables, assign, first) = self.declaration(what)?;
        let mut commands = vec![self.command(first, what)?];
        while self.peek_solid() == Some(&Kind::Sign('|')) {
            self.next();
            commands.push(self.command(None, what)?);
        }
        let first_of_later = commands.iter().skip(1).filter_map(|command| command.words.first());
        for word in first_of_later {
            if matches!(word.operand, Operand::Literal(_) | Operand::Dot | Operand::Nil) {
                return Err(TemplateError::new(word.offset, "non executable command in pipeline"));
            }
        }
        self.depth -= 1;
        Ok(Pipe { variables, assign, commands, offset })
    }

    /// `$x :=`, `$x =` or, in `range`, `$i, $x :=`; else the first word, if one was read.
    fn declaration(&mut self, what: &str) -> Result<(Vec<String>, bool, Option<Word>), TemplateError> {
        let Some(Kind::Variable(name)) = self.peek_solid().cloned() else {
            return Ok((Vec::new(), false, None));
        };
        let word = self.word()?;
        let plain =
            word.as_ref().is_some_and(|w| matches!(&w.operand, Operand::Variable(_, p) if p.is_empty()));
        match self.peek_solid() {
            Some(Kind::Sign(sign @ (':' | '='))) if plain => {
                let assign = *sign == '=';
                self.next();
                Ok((vec![name], assign, None))
            }
            Some(Kind::Sign(',')) if plain && what == "range" => {
                self.next();
                let Some(Kind::Variable(second)) = self.next_solid() else {
                    return Err(self.error("range can only initialize variables"));
                };
                match self.next_solid() {
                    Some(Kind::Sign(sign @ (':' | '='))) => Ok((vec![name, second], sign == '=', None)),
                    _ => Err(self.error("range needs := after its variables")),
                }
            }
            _ => Ok((Vec::new(), false, word)),
        }
    }

    fn command(&mut self, first: Option<Word>, what: &str) -> Result<Command, TemplateError> {
        let mut words: Vec<Word> = first.into_iter().collect();
        while let Some(word) = self.word()? {
            words.push(word);
        }
        if words.is_empty() {
            return Err(self.error(format!("missing value for {what}")));
        }
        Ok(Command { words })
    }

    /// The next operand with the fields behind it.
    fn word(&mut self) -> Result<Option<Word>, TemplateError> {
        let starts =
            !matches!(self.peek_solid(), None | Some(Kind::Right | Kind::Sign('|' | ')' | ',' | ':' | '=')));
        if !starts {
            return Ok(None);
        }
        let kind = self.next();
        let offset = self.offset;
        let operand = match kind {
            Some(Kind::Dot) => Operand::Dot,
            Some(Kind::Field(name)) => {
                let mut path = vec![name];
                path.extend(self.path());
                Operand::Field(path)
            }
            Some(Kind::Variable(name)) => Operand::Variable(name, self.path()),
            Some(Kind::Literal(value)) => Operand::Literal(value),
            Some(Kind::Word(word)) => self.name(word, offset)?,
            Some(Kind::Sign('(')) => {
                let pipe = self.pipe("parenthesized pipeline")?;
                if self.next_solid() != Some(Kind::Sign(')')) {
                    return Err(self.error("unclosed left paren"));
                }
                Operand::Pipe(Box::new(pipe))
            }
            _ => return Err(self.error("unexpected token in operand")),
        };
        Ok(Some(Word { operand: self.chained(operand)?, offset }))
    }

    fn chained(&mut self, operand: Operand) -> Result<Operand, TemplateError> {
        let path = self.path();
        if path.is_empty() {
            return Ok(operand);
        }
        match operand {
            Operand::Literal(_) | Operand::Nil | Operand::Dot => {
                Err(self.error("unexpected field after a constant"))
            }
            _ => Ok(Operand::Chain(Box::new(operand), path)),
        }
    }

    fn path(&mut self) -> Vec<String> {
        let mut path = Vec::new();
        while let Some(token) = self.tokens.next_if(|token| matches!(token.kind, Kind::Field(_))) {
            if let Kind::Field(name) = token.kind {
                path.push(name);
            }
        }
        path
    }

    fn name(&mut self, word: String, offset: usize) -> Result<Operand, TemplateError> {
        Ok(match word.as_str() {
            "true" => Operand::Literal(true.into()),
            "false" => Operand::Literal(false.into()),
            "nil" => Operand::Nil,
            "if" | "else" | "end" | "range" | "with" | "define" | "block" | "template" | "break"
            | "continue" => {
                return Err(self.error(format!("unexpected <{word}> in command")));
            }
            _ => {
                if !builtin::is_builtin(&word) {
                    self.functions.push((word.clone(), offset));
                }
                Operand::Function(word)
            }
        })
    }
}
