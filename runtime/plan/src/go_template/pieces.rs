//! A template taken apart without being rendered: for those who translate it into something else,
//! and for those who render it in two goes, what is known now and the rest later.

use super::lex::{Kind, Token, lex};
use super::{TemplateError, parse};
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::ops::Range;

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'t> {
    /// Text outside of actions, after trims.
    Text(String),
    /// What is between `{{` and `}}`.
    Action(Action<'t>),
}

/// An action as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action<'t> {
    /// With braces and the marks of trims.
    pub written: &'t str,
    /// Without them.
    pub inside: &'t str,
    /// Whether it is nothing but a field: `.Path`.
    pub is_field: bool,
    /// Calls of functions that are not of the language, if their arguments are all quoted text:
    /// `` user `name` ``, `timestamp`.
    pub calls: Vec<Call>,
    /// Other uses of such functions: the name, and the byte of the text.
    pub others: Vec<(String, usize)>,
    /// First byte of what is written.
    start: usize,
    /// First byte of the inside.
    open: usize,
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
    /// Its first byte in the text.
    pub offset: usize,
}

impl Action<'_> {
    /// The call, if the action is nothing else.
    pub fn only_call(&self) -> Option<&Call> {
        let start = self.inside.len() - self.inside.trim_start().len();
        self.calls.iter().find(|call| call.range == (start..self.inside.trim_end().len()))
    }

    /// Whether it takes away the space around it.
    pub fn trims(&self) -> bool {
        self.written.len() != self.inside.len() + "{{}}".len()
    }

    /// The action with what `each` gives in place of calls; `None` if that is nothing.
    pub fn replace(&self, each: &mut dyn FnMut(&Call) -> Option<String>) -> Option<String> {
        let mut out = String::new();
        let mut done = 0;
        for call in &self.calls {
            let Some(new) = each(call) else { continue };
            let start = call.offset - self.start;
            out.push_str(self.written.get(done..start).unwrap_or(""));
            out.push_str(&new);
            done = start + call.range.len();
        }
        out.push_str(self.written.get(done..).unwrap_or(""));
        (done > 0).then_some(out)
    }
}

/// A text as a literal of the language.
pub fn literal(text: &str) -> String {
    if text.contains(['`', '\r']) { Json::from(text).to_string() } else { format!("`{text}`") }
}

/// The template with what `each` gives in place of actions; all else stays as it is written.
///
/// # Errors
/// The first mistake in the template, with its place, or what `each` says.
pub fn rewrite(
    text: &str,
    each: &mut dyn FnMut(&Action<'_>) -> Result<Option<String>, TemplateError>,
) -> Result<String, TemplateError> {
    let mut out = String::new();
    let mut done = 0;
    for piece in pieces(text)? {
        let Piece::Action(action) = piece else { continue };
        let Some(new) = each(&action)? else { continue };
        out.push_str(text.get(done..action.start).unwrap_or(""));
        out.push_str(&new);
        done = action.start + action.written.len();
    }
    out.push_str(text.get(done..).unwrap_or(""));
    Ok(out)
}

/// The parts of a text; comments are left out.
///
/// # Errors
/// The first mistake in the template, with its place.
pub fn pieces(text: &str) -> Result<Vec<Piece<'_>>, TemplateError> {
    let tokens = lex(text)?;
    let functions = parse::parse(tokens.clone())?.functions;
    let functions: BTreeSet<usize> = functions.into_iter().map(|(_, offset)| offset).collect();
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
                let close = tokens.next().map_or(text.len(), |right| right.offset);
                let mut action = Action::between(text, token.offset, close);
                action.fill(text, &words, &functions);
                pieces.push(Piece::Action(action));
            }
            _ => {}
        }
    }
    Ok(pieces)
}

impl<'t> Action<'t> {
    /// The action from these braces, or marks of trims, to those.
    fn between(text: &'t str, start: usize, close: usize) -> Self {
        let part = |range: Range<usize>| text.get(range).unwrap_or("");
        // A mark has space behind it, otherwise it is the sign of a number.
        let trims = part(start + 2..close).strip_prefix('-').is_some_and(|rest| rest.trim_start() != rest);
        let open = start + 2 + usize::from(trims);
        let end = close + if part(close..text.len()).starts_with("}}") { 2 } else { " -}}".len() };
        let (written, inside) = (part(start..end), part(open..close));
        Self { written, inside, is_field: false, calls: Vec::new(), others: Vec::new(), start, open }
    }

    fn fill(&mut self, text: &str, words: &[Token], functions: &BTreeSet<usize>) {
        self.is_field = !words.is_empty() && words.iter().all(|word| matches!(word.kind, Kind::Field(_)));
        for (at, word) in words.iter().enumerate() {
            let Kind::Word(function) = &word.kind else { continue };
            if !functions.contains(&word.offset) {
                continue;
            }
            match self.call(text, function, words, at) {
                Some(call) => self.calls.push(call),
                None => self.others.push((function.clone(), word.offset)),
            }
        }
    }

    /// The call whose function is word `at`, if it is a whole command with texts as arguments.
    fn call(&self, text: &str, function: &str, words: &[Token], at: usize) -> Option<Call> {
        let before = at.checked_sub(1).and_then(|before| words.get(before));
        if !begins_command(before.map(|word| &word.kind)) {
            return None;
        }
        let rest = words.get(at + 1..)?;
        let literals = rest.iter().map_while(|word| match &word.kind {
            Kind::Literal(Json::String(text)) => Some(text.clone()),
            _ => None,
        });
        let arguments: Vec<String> = literals.collect();
        let after = rest.get(arguments.len());
        if !matches!(after.map(|word| &word.kind), None | Some(Kind::Sign(')' | '|'))) {
            return None;
        }
        let offset = words.get(at)?.offset;
        let stop = after.map_or(self.open + self.inside.len(), |word| word.offset);
        let written = text.get(offset..stop)?.trim_end().len();
        let start = offset - self.open;
        Some(Call { function: function.to_owned(), arguments, range: start..start + written, offset })
    }
}

/// Whether what follows this token is a command that gets no value from the one before it.
fn begins_command(before: Option<&Kind>) -> bool {
    match before {
        None | Some(Kind::Sign('(' | '=' | ':')) => true,
        Some(Kind::Word(word)) => matches!(word.as_str(), "if" | "with" | "range"),
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
                    let others = action.others.iter().map(|(name, at)| format!("?{name}@{at}"));
                    format!("<{}> {}", action.inside, calls.chain(others).collect::<Vec<_>>().join(" "))
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
            [r#"< upper (user "a b" ) > user["a b"]@user "a b" ?upper@3"#]
        );
        assert_eq!(shown("{{user `x` | upper}}"), [r#"<user `x` | upper> user["x"]@user `x` ?upper@13"#]);
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
        assert_eq!(
            shown("{{ .Vars }} {{ split `a` `-` 0 }}"),
            ["< .Vars > ", " ", "< split `a` `-` 0 > ?split@15"]
        );
        assert_eq!(shown("{{or false user `x`}}{{-1}}"), ["<or false user `x`> ?user@11", "<-1> "]);
        assert!(pieces("{{ user `x` ").is_err() && pieces("{{end}}").is_err());
    }

    #[test]
    fn actions_are_rewritten_and_the_rest_is_not() {
        let new = |text: &str| {
            let mut call = |call: &Call| (call.function == "user").then(|| literal("`"));
            rewrite(text, &mut |action| Ok(if action.is_field { None } else { action.replace(&mut call) }))
        };
        for (text, expected) in [
            ("plain", "plain"),
            ("x  {{- user `a` -}} {{/* y */}} {{.A}}", "x  {{- \"`\" -}} {{/* y */}} {{.A}}"),
            ("{{ upper (user `a`) | eq (user `b` ) }}é", "{{ upper (\"`\") | eq (\"`\" ) }}é"),
            ("{{$x := user `a`}}{{timestamp}}", "{{$x := \"`\"}}{{timestamp}}"),
        ] {
            assert_eq!(new(text).unwrap(), expected, "{text}");
        }
        assert!(new("{{user").is_err());
    }
}
