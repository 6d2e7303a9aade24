//! One string of a template: rendered now, or made ready to be rendered later.

use super::scope::{Scope, Seen};
use kiln_plan::code::template as code;
use kiln_plan::go_template::{
    Action, Call, Limits, TemplateError, is_template, literal, parse, render_within, rewrite,
};
use kiln_plan::{Data, Diagnostic, SourceMap, Span, Value};
use serde_json::json;

/// What all strings of one evaluation may cost together.
pub(super) fn budget() -> Limits {
    Limits { steps: 10_000_000, output: 128 << 20 }
}

/// The most that one string may become.
const MAX_TEXT: usize = 4 << 20;
/// The most steps of one string.
const MAX_STEPS: u64 = 1_000_000;

/// Renders strings within one scope, and counts what it costs.
pub(super) struct Renderer<'r, 's> {
    pub(super) scope: &'r Scope<'s>,
    pub(super) limits: &'r mut Limits,
    pub(super) sources: &'r SourceMap,
}

type Outcome<T> = Result<T, Box<Diagnostic>>;

impl Renderer<'_, '_> {
    /// The text that a template gives now; unknown if it needs what the build will make.
    pub(super) fn text(&mut self, text: &str, span: Span) -> Outcome<(Value, Seen)> {
        if !is_template(text) {
            return Ok((Value::text(text), Seen::default()));
        }
        let template = parse(text).map_err(|e| self.wrong(&e, text, span))?;
        if self.scope.is_early() && template.functions().any(|name| name == "build") {
            return Ok((Data::Unknown.into(), Seen::default()));
        }
        self.scope.take_seen();
        let most =
            Limits { steps: self.limits.steps.min(MAX_STEPS), output: self.limits.output.min(MAX_TEXT) };
        let mut left = most;
        let rendered = render_within(&template, &json!({}), self.scope, &mut left);
        self.limits.steps -= most.steps - left.steps;
        self.limits.output -= most.output - left.output;
        let seen = self.scope.take_seen();
        let rendered = rendered.map_err(|e| self.wrong(&e, text, span))?;
        Ok(known(rendered, seen))
    }

    /// The value of a variable: fields in it are for the option that uses it.
    pub(super) fn variable(&mut self, text: &str, span: Span) -> Outcome<(Value, Seen)> {
        let kept = rewrite(text, &mut |action| Ok(kept(action))).map_err(|e| self.wrong(&e, text, span))?;
        self.text(&kept, span)
    }

    /// The text that the component renders when it knows the fields in it.
    pub(super) fn late(&mut self, text: &str, span: Span) -> Outcome<(Value, Seen)> {
        if !is_template(text) {
            return Ok((Value::text(text), Seen::default()));
        }
        self.scope.take_seen();
        let ready = rewrite(text, &mut |action| settled(action, &mut |name| self.scope.user(name)));
        let seen = self.scope.take_seen();
        let ready = ready.map_err(|e| self.wrong(&e, text, span))?;
        if ready.len() > MAX_TEXT.min(self.limits.output) {
            return Err(self.wrong(
                &TemplateError { offset: 0, message: "it becomes too long".into() },
                text,
                span,
            ));
        }
        self.limits.output -= ready.len();
        Ok(known(ready, seen))
    }

    fn wrong(&self, error: &TemplateError, text: &str, span: Span) -> Box<Diagnostic> {
        let used_up = self.limits.steps == 0 || self.limits.output == 0;
        let summary = if used_up {
            "the templates in this file take too much work".to_owned()
        } else {
            format!("the template in this string cannot be rendered: {}", error.message)
        };
        let code = if used_up { code::TOO_MUCH_WORK } else { code::BAD_GO_TEMPLATE };
        let mut diagnostic =
            Diagnostic::error(code, summary).at(inside(self.sources, span, text, error.offset));
        diagnostic.help = help(&error.message);
        Box::new(diagnostic)
    }
}

/// An action that is nothing but a field as text that renders to itself, so that it is still there
/// when the template was rendered.
fn kept(action: &Action<'_>) -> Option<String> {
    let is_kept = action.is_field && !action.trims();
    is_kept.then(|| format!("{{{{{}}}}}", literal(action.written)))
}

/// An action with the values of variables in it. One that is nothing but `` user `name` `` becomes
/// the value itself, so that a template in that is rendered later; otherwise a value is a literal.
fn settled(
    action: &Action<'_>,
    user: &mut dyn FnMut(&str) -> String,
) -> Result<Option<String>, TemplateError> {
    let is_user = |call: &Call| call.function == "user";
    let wrong = action.calls.iter().filter(|call| is_user(call) && call.arguments.len() != 1);
    let others = action.others.iter().filter(|(name, _)| name == "user");
    if let Some(offset) = wrong.map(|call| call.offset).chain(others.map(|(_, offset)| *offset)).min() {
        return Err(TemplateError { offset, message: "`user` takes one name in quotes here".to_owned() });
    }
    let mut value = |call: &Call| user(call.arguments.first().map_or("", String::as_str));
    Ok(match action.only_call() {
        Some(call) if is_user(call) && !action.trims() => Some(value(call)),
        _ => action.replace(&mut |call| is_user(call).then(|| literal(&value(call)))),
    })
}

/// The value of a text, unless it was made of something that is not known.
fn known(text: String, seen: Seen) -> (Value, Seen) {
    let data = if seen.unknown { Data::Unknown } else { Data::Text(text) };
    (Value { data, marks: seen.marks }, seen)
}

fn help(message: &str) -> Option<String> {
    let name = message.strip_prefix("function \"")?.split('"').next()?;
    let names = kiln_plan::go_template::PackerFunctions::names();
    let near = kiln_plan::nearest(name, names.iter())?;
    Some(format!("did you mean `{near}`?"))
}

/// The place of byte `offset` of a string that is written at `span`, up to the end of the action.
fn inside(sources: &SourceMap, span: Span, text: &str, offset: usize) -> Span {
    let file = sources.text(span.file);
    let (start, end) = (span.start as usize, span.end as usize);
    let raw = file.get(start..end).unwrap_or("");
    let unchanged = serde_json::from_str::<String>(raw).is_ok_and(|written| written == text);
    let Some(at) = unchanged.then(|| raw_offset(raw, offset)).flatten() else { return span };
    let rest = raw.get(at..).unwrap_or("");
    let first = rest.chars().next().map_or(0, char::len_utf8);
    let end = rest.find("}}").or_else(|| rest.find('"')).unwrap_or(first);
    let length = rest.get(..end).unwrap_or("").trim_end().len().max(first);
    let place = |n: usize| u32::try_from(n).unwrap_or(span.end);
    Span { start: place(start + at), end: place(start + at + length), ..span }
}

/// Where byte `offset` of the text is in its JSON literal.
fn raw_offset(raw: &str, offset: usize) -> Option<usize> {
    let mut decoded = 0;
    let mut chars = raw.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if decoded >= offset {
            return Some(at);
        }
        if c != '\\' {
            decoded += c.len_utf8();
            continue;
        }
        match chars.next()?.1 {
            'u' => {
                let code = u32::from_str_radix(raw.get(at + 2..at + 6)?, 16).ok()?;
                // Two halves of a pair are four bytes.
                decoded += char::from_u32(code).map_or(2, char::len_utf8);
                chars.nth(3)?;
            }
            _ => decoded += 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_values(text: &str) -> String {
        let mut value = |name: &str| match name {
            "path" => "{{ .Path }}".to_owned(),
            "tick" => "a`b".to_owned(),
            name => name.to_uppercase(),
        };
        rewrite(text, &mut |action| settled(action, &mut value)).unwrap_or_else(|e| format!("error: {e}"))
    }

    #[test]
    fn values_are_settled() {
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
            ("{{`a` | user}}", "error: `user` takes one name in quotes here"),
            ("{{user", "error: unclosed action"),
        ] {
            assert_eq!(with_values(text), expected, "{text}");
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
        ] {
            assert_eq!(rewrite(text, &mut |action| Ok(kept(action))).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn places_in_literals() {
        for (raw, offset, expected) in [
            (r#""abc""#, 1, Some(2)),
            (r#""a\nb""#, 2, Some(4)),
            (r#""\u00e9b""#, 2, Some(7)),
            (r#""é{""#, 2, Some(3)),
        ] {
            assert_eq!(raw_offset(raw, offset), expected, "{raw}");
        }
    }
}
