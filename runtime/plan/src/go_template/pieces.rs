//! A template taken apart without being rendered, for those who translate it into something else.

use super::lex::{Kind, Token, lex};
use super::{TemplateError, parse};
use serde_json::Value as Json;
use std::ops::Range;

/// Words that are no functions.
const KEYWORDS: [&str; 14] = [
    "if", "else", "end", "range", "with", "define", "block", "template", "break", "continue", "true",
    "false", "nil", "call",
];

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text outside of actions, after trims.
    Text(String),
    /// What is between `{{` and `}}`.
    Action(Action),
}

/// An action as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// Without braces and the marks of trims.
    pub inside: String,
    /// Calls in it whose arguments are all quoted text: `` user `name` ``, `timestamp`.
    pub calls: Vec<Call>,
}

/// A call of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its name.
    pub function: String,
    /// The texts.
    pub arguments: Vec<String>,
    /// Bytes of the action's inside.
    pub range: Range<usize>,
}

impl Action {
    /// The call, if the action is nothing else.
    pub fn only_call(&self) -> Option<&Call> {
        let start = self.inside.len() - self.inside.trim_start().len();
        self.calls.iter().find(|call| call.range == (start..self.inside.trim_end().len()))
    }
}

/// The parts of a text; comments are left out.
///
/// # Errors
/// The first mistake in the template, with its place.
pub fn pieces(text: &str) -> Result<Vec<Piece>, TemplateError> {
    let tokens = lex(text)?;
    parse::parse(tokens.clone())?;
    let mut pieces = Vec::new();
    let mut tokens = tokens.into_iter().filter(|token| token.kind != Kind::Space).peekable();
    while let Some(token) = tokens.next() {
        match token.kind {
            Kind::Text(text) => pieces.push(Piece::Text(text)),
            Kind::Left => {
                let mut words = Vec::new();
                while let Some(word) = tokens.next_if(|token| token.kind != Kind::Right) {
                    words.push(word);
                }
                let end = tokens.next().map_or(text.len(), |right| right.offset);
                let open = token.offset + 2;
                let trims = text.get(open..).is_some_and(|rest| rest.starts_with('-'));
                pieces.push(Piece::Action(action(text, &words, open + usize::from(trims)..end)));
            }
            _ => {}
        }
    }
    Ok(pieces)
}

/// The action of `words` at these bytes of the text.
fn action(text: &str, words: &[Token], range: Range<usize>) -> Action {
    let start = range.start;
    let inside = text.get(range).unwrap_or("");
    let mut calls = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let Kind::Word(function) = &word.kind else { continue };
        let before = at.checked_sub(1).and_then(|before| words.get(before)).map(|word| &word.kind);
        if KEYWORDS.contains(&function.as_str()) || !begins_command(before) {
            continue;
        }
        let rest = words.get(at + 1..).unwrap_or(&[]);
        let literals = rest.iter().map_while(|word| match &word.kind {
            Kind::Literal(Json::String(text)) => Some(text.clone()),
            _ => None,
        });
        let arguments: Vec<String> = literals.collect();
        let after = rest.get(arguments.len());
        // The value of the command before would be one more argument.
        let constant = matches!(after.map(|word| &word.kind), None | Some(Kind::Sign(')' | '|')))
            && before != Some(&Kind::Sign('|'));
        if constant {
            let stop = after.map_or(start + inside.len(), |word| word.offset);
            let written = text.get(word.offset..stop).unwrap_or("").trim_end().len();
            let from = word.offset - start;
            calls.push(Call { function: function.clone(), arguments, range: from..from + written });
        }
    }
    Action { inside: inside.to_owned(), calls }
}

/// Whether what follows this token is the first word of a command.
fn begins_command(before: Option<&Kind>) -> bool {
    match before {
        None | Some(Kind::Sign('(' | '|' | '=' | ':')) => true,
        Some(Kind::Word(word)) => KEYWORDS.contains(&word.as_str()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        pieces(text)
            .unwrap()
            .into_iter()
            .map(|piece| match piece {
                Piece::Text(text) => text,
                Piece::Action(action) => {
                    let calls = action.calls.iter().map(|call| {
                        let alone = if action.only_call() == Some(call) { "!" } else { "" };
                        format!(
                            "{alone}{}{:?}@{}",
                            call.function,
                            call.arguments,
                            &action.inside[call.range.clone()]
                        )
                    });
                    format!("<{}> {}", action.inside, calls.collect::<Vec<_>>().join(" "))
                }
            })
            .collect()
    }

    #[test]
    fn texts_and_calls() {
        assert_eq!(
            shown("a {{- user `x` -}} b{{timestamp}}{{/* no */}}c"),
            ["a", r#"< user `x`> !user["x"]@user `x`"#, "b", "<timestamp> !timestamp[]@timestamp", "c"]
        );
        assert_eq!(
            shown("{{ upper (user \"a b\" ) }}"),
            [r#"< upper (user "a b" ) > user["a b"]@user "a b""#]
        );
        assert_eq!(shown("{{user `x` | upper}}"), [r#"<user `x` | upper> user["x"]@user `x`"#]);
        assert_eq!(
            shown("{{if eq (user `x`) `y`}}1{{else if user `z`}}2{{end}}"),
            [
                r#"<if eq (user `x`) `y`> user["x"]@user `x`"#,
                "1",
                r#"<else if user `z`> user["z"]@user `z`"#,
                "2",
                "<end> "
            ]
        );
        assert_eq!(shown("{{ .Vars }} {{ split `a` `-` 0 }}"), ["< .Vars > ", " ", "< split `a` `-` 0 > "]);
        assert!(pieces("{{ user `x` ").is_err() && pieces("{{end}}").is_err());
    }
}
