//! Templates that are rendered in two goes: what is known now is written into the text, and the
//! rest stays as it is.

use super::TemplateError;
use super::lex::{Kind, Token, lex};
use serde_json::Value as Json;

/// A text as a literal of the language.
pub fn literal(text: &str) -> String {
    if text.contains(['`', '\r']) { Json::from(text).to_string() } else { format!("`{text}`") }
}

/// Puts the value of each call `name "argument"` in its place. An action that is nothing but the
/// call becomes the value itself, so that a template in it is rendered later; in any other place
/// the value becomes a literal.
///
/// # Errors
/// The text is not made of tokens, or the function is called in another way.
pub fn call_to_constant(
    text: &str,
    name: &str,
    value: &mut dyn FnMut(&str) -> String,
) -> Result<String, TemplateError> {
    let tokens = lex(text)?;
    let mut out = String::new();
    let mut done = 0;
    for (at, token) in tokens.iter().enumerate() {
        if token.kind != Kind::Word(name.to_owned()) {
            continue;
        }
        let Some(call) = Call::at(text, &tokens, at) else {
            return Err(TemplateError::new(token.offset, format!("`{name}` takes one name in quotes here")));
        };
        let value = value(call.argument);
        let (start, end) = call.action.unwrap_or(call.command);
        out.push_str(text.get(done..start).unwrap_or(""));
        if call.action.is_some() {
            out.push_str(&value);
        } else {
            out.push_str(&literal(&value));
        }
        done = end;
    }
    out.push_str(text.get(done..).unwrap_or(""));
    Ok(out)
}

/// Makes each action that is nothing but a field (`{{ .Path }}`) text, so that it is still there
/// after the template was rendered.
///
/// # Errors
/// The text is not made of tokens.
pub fn keep_fields(text: &str) -> Result<String, TemplateError> {
    let tokens = lex(text)?;
    let mut out = String::new();
    let mut done = 0;
    for (at, token) in tokens.iter().enumerate() {
        if token.kind != Kind::Left {
            continue;
        }
        let mut inside = tokens.iter().skip(at + 1).filter(|t| t.kind != Kind::Space).peekable();
        let is_field = |token: &&Token| matches!(token.kind, Kind::Field(_));
        if !inside.peek().is_some_and(is_field) {
            continue;
        }
        let close = inside.find(|t| !is_field(t)).filter(|t| t.kind == Kind::Right);
        let Some(close) = close.filter(|close| !trims(text, token, close)) else { continue };
        let end = close.offset + 2;
        out.push_str(text.get(done..token.offset).unwrap_or(""));
        out.push_str(&format!("{{{{{}}}}}", literal(text.get(token.offset..end).unwrap_or(""))));
        done = end;
    }
    out.push_str(text.get(done..).unwrap_or(""));
    Ok(out)
}

/// Whether an action takes away the space around it.
fn trims(text: &str, open: &Token, close: &Token) -> bool {
    let from = |at: usize| text.get(at..).unwrap_or("");
    from(open.offset).starts_with("{{-") || !from(close.offset).starts_with("}}")
}

/// A call with one literal text, a whole command of a pipeline.
struct Call<'t> {
    argument: &'t str,
    /// First byte, and the byte after the last.
    command: (usize, usize),
    /// The same of the action, if there is nothing else in it.
    action: Option<(usize, usize)>,
}

impl<'t> Call<'t> {
    fn at(text: &str, tokens: &'t [Token], at: usize) -> Option<Self> {
        let start = tokens.get(at)?.offset;
        let solid = |token: &&Token| token.kind != Kind::Space;
        let before = tokens.get(..at)?.iter().rev().find(solid)?;
        let begins = match &before.kind {
            Kind::Left | Kind::Sign('(' | '=' | ':') => true,
            Kind::Word(word) => matches!(word.as_str(), "if" | "with" | "range"),
            _ => false,
        };
        let mut rest = tokens.iter().enumerate().skip(at + 1).filter(|(_, token)| solid(token));
        let (place, argument) = rest.next()?;
        let Kind::Literal(Json::String(argument)) = &argument.kind else { return None };
        let (_, after) = rest.next()?;
        let ends = matches!(after.kind, Kind::Right | Kind::Sign('|' | ')'));
        let end = tokens.get(place + 1)?.offset;
        let whole = before.kind == Kind::Left && after.kind == Kind::Right && !trims(text, before, after);
        let action = whole.then_some((before.offset, after.offset + 2));
        (begins && ends).then_some(Self { argument, command: (start, end), action })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn constants(text: &str) -> String {
        let value = |name: &str| match name {
            "path" => "{{ .Path }}".to_owned(),
            "tick" => "a`b".to_owned(),
            name => name.to_uppercase(),
        };
        call_to_constant(text, "user", &mut { value }).unwrap_or_else(|e| format!("error: {e}"))
    }

    #[test]
    fn calls_become_constants() {
        for (text, expected) in [
            ("plain", "plain"),
            ("{{user `a`}} {{ .Path }}", "A {{ .Path }}"),
            ("{{ user \"a\" }}", "A"),
            ("{{user `path`}}!", "{{ .Path }}!"),
            ("x {{- user `a` -}} y", "x {{- `A` -}} y"),
            ("{{user `a` | lower}}", "{{`A` | lower}}"),
            ("{{if user `a`}}y{{end}}", "{{if `A`}}y{{end}}"),
            ("{{if eq (user `a`) `x`}}y{{end}}", "{{if eq (`A`) `x`}}y{{end}}"),
            ("{{upper (user `tick`)}}", "{{upper (\"a`b\")}}"),
            ("{{$x := user `a`}}{{$x}}", "{{$x := `A`}}{{$x}}"),
            ("{{`user`}} user `a`", "{{`user`}} user `a`"),
            ("{{user .Name}}", "error: `user` takes one name in quotes here"),
            ("{{user `a` `b`}}", "error: `user` takes one name in quotes here"),
            ("{{user", "error: unclosed action"),
        ] {
            assert_eq!(constants(text), expected, "{text}");
        }
    }

    #[test]
    fn fields_are_kept() {
        for (text, expected) in [
            ("{{ .Path }} {{x}}", "{{`{{ .Path }}`}} {{x}}"),
            ("{{.A.B}}", "{{`{{.A.B}}`}}"),
            ("{{ .A | upper }}", "{{ .A | upper }}"),
            ("{{if .A}}{{.A}}{{end}}", "{{if .A}}{{`{{.A}}`}}{{end}}"),
            ("{{- .A }}", "{{- .A }}"),
            ("{{}}", "{{}}"),
        ] {
            assert_eq!(keep_fields(text).unwrap(), expected, "{text}");
        }
    }
}
