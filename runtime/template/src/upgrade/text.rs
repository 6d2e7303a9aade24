//! Texts with Go templates into HCL templates.
//!
//! An action that is one call becomes an interpolation: `` {{user `x`}} `` is `${var.x}`. Of other
//! actions only `user` is replaced, by a text that HCL fills in before the Go template is rendered:
//! `` {{upper (user `x`)}} `` is `` {{upper (`${var.x}`)}} ``. The rest stays as it is, since HCL2
//! templates render it too.

use super::write::{identifier, is_identifier, quoted};
use kiln_plan::go_template::{Action, Call, Piece, pieces};
use kiln_plan::{Diagnostics, Kind};
use std::collections::{BTreeMap, BTreeSet};

/// Functions that mean the same in an HCL2 template.
const KEPT: [&str; 10] = [
    "build",
    "build_name",
    "build_type",
    "isotime",
    "packer_version",
    "pwd",
    "strftime",
    "template_dir",
    "timestamp",
    "uuid",
];

/// Where a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Variable,
    Source,
    Step,
}

/// A part of an HCL template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    Text(String),
    /// An expression.
    Value(String),
}

/// Translates texts and remembers what the whole template needs for them.
#[derive(Debug, Default)]
pub(super) struct Translator {
    /// Variables that become locals.
    pub(super) locals: BTreeSet<String>,
    /// What variables are called in HCL, where other names are legal; no two of them the same.
    pub(super) names: BTreeMap<String, String>,
    /// Those names, each with the last number that was put behind it.
    taken: BTreeMap<String, usize>,
    /// Variables that texts refer to, declared or not.
    pub(super) used: BTreeSet<String>,
    /// The local that replaces `timestamp`; a variable may have its name already.
    pub(super) timestamp: String,
    pub(super) uses_timestamp: bool,
    /// Name and key of secrets of AWS, in the order of their data sources.
    pub(super) secrets: Vec<(String, Option<String>)>,
    /// What is wrong with options.
    pub(super) found: Diagnostics,
    /// Functions that had to be left since the last look.
    left: BTreeSet<String>,
}

impl Translator {
    /// The functions that had to be left in place since this was asked last.
    pub(super) fn take_left(&mut self) -> BTreeSet<String> {
        std::mem::take(&mut self.left)
    }

    /// Says of what was found since the last call that it is wrong with this component.
    pub(super) fn found_in(&mut self, kind: Kind, ty: &str) {
        for diagnostic in &mut self.found {
            diagnostic.context.get_or_insert_with(|| format!("{kind} \"{ty}\""));
        }
    }

    /// A text as a quoted HCL template.
    pub(super) fn text(&mut self, text: &str, place: Place) -> String {
        let parts: String = self
            .segments(text, place)
            .iter()
            .map(|segment| match segment {
                Segment::Text(text) => quoted(text),
                Segment::Value(expression) => format!("${{{expression}}}"),
            })
            .collect();
        format!("\"{parts}\"")
    }

    /// The parts of a text. What is no Go template is a text as it is.
    pub(super) fn segments(&mut self, text: &str, place: Place) -> Vec<Segment> {
        let Ok(pieces) = pieces(text) else { return vec![Segment::Text(text.to_owned())] };
        let mut segments = Segments::default();
        for piece in &pieces {
            match piece {
                Piece::Text(text) => segments.text(text),
                Piece::Action(action) => self.action(action, place, &mut segments),
            }
        }
        segments.0
    }

    fn action(&mut self, action: &Action<'_>, place: Place, segments: &mut Segments) {
        if let Some(call) = action.only_call()
            && let Some(expression) = self.call(call, place)
        {
            return segments.value(expression);
        }
        action.others.iter().for_each(|(function, _)| self.leave(function));
        segments.text("{{");
        let mut at = 0;
        for call in &action.calls {
            let user = (call.function == "user").then(|| self.call(call, place));
            let Some(expression) = user.flatten() else {
                self.leave(&call.function);
                continue;
            };
            segments.text(action.inside.get(at..call.range.start).unwrap_or(""));
            segments.text("`");
            segments.value(expression);
            segments.text("`");
            at = call.range.end;
        }
        segments.text(action.inside.get(at..).unwrap_or(""));
        segments.text("}}");
    }

    fn leave(&mut self, function: &str) {
        if !KEPT.contains(&function) {
            self.left.insert(function.to_owned());
        }
    }

    /// The expression that a call becomes.
    fn call(&mut self, call: &Call, place: Place) -> Option<String> {
        let arguments: Vec<&str> = call.arguments.iter().map(String::as_str).collect();
        let written = |function: &str| {
            let list: Vec<String> = arguments.iter().map(|text| format!("\"{}\"", quoted(text))).collect();
            Some(format!("{function}({})", list.join(", ")))
        };
        match (call.function.as_str(), arguments.as_slice()) {
            ("user", [name]) => Some(self.reference(name)),
            ("build", [key]) if place == Place::Step && is_identifier(key) => Some(format!("build.{key}")),
            ("template_dir", []) => Some("path.root".to_owned()),
            ("pwd", []) => Some("path.cwd".to_owned()),
            ("packer_version", []) => Some("packer.version".to_owned()),
            ("uuid", []) => Some("uuidv4()".to_owned()),
            ("timestamp", []) => {
                self.uses_timestamp = true;
                Some(format!("local.{}", self.timestamp))
            }
            ("isotime", []) => Some("legacy_isotime(\"2006-01-02T15:04:05Z07:00\")".to_owned()),
            ("isotime", [_]) => written("legacy_isotime"),
            ("strftime", [_]) => written("legacy_strftime"),
            ("env", [_]) if place == Place::Variable => written("env"),
            ("vault", [_, _]) | ("consul_key", [_]) if place == Place::Variable => written(&call.function),
            ("aws_secretsmanager", [name]) if place == Place::Variable => Some(self.secret(name, None)),
            ("aws_secretsmanager", [name, key]) if place == Place::Variable => {
                Some(self.secret(name, Some(*key)))
            }
            _ => None,
        }
    }

    /// `var.x`, or `local.x` if that is what it became.
    fn reference(&mut self, variable: &str) -> String {
        self.used.insert(variable.to_owned());
        let root = if self.locals.contains(variable) { "local" } else { "var" };
        format!("{root}.{}", self.name(variable))
    }

    /// What a variable is called in HCL.
    pub(super) fn name(&mut self, variable: &str) -> String {
        if let Some(name) = self.names.get(variable) {
            return name.clone();
        }
        let wanted = identifier(variable);
        let mut number = self.taken.get(&wanted).copied().unwrap_or(1);
        let mut name = wanted.clone();
        while self.taken.contains_key(&name) {
            number += 1;
            name = format!("{wanted}_{number}");
        }
        self.taken.insert(wanted, number);
        self.taken.entry(name.clone()).or_insert(1);
        self.names.insert(variable.to_owned(), name.clone());
        name
    }

    fn secret(&mut self, name: &str, key: Option<&str>) -> String {
        let secret = (name.to_owned(), key.map(str::to_owned));
        let at = self.secrets.iter().position(|known| *known == secret).unwrap_or_else(|| {
            self.secrets.push(secret);
            self.secrets.len() - 1
        });
        format!("data.amazon-secretsmanager.autogenerated_{}.value", at + 1)
    }
}

/// Parts of which no two texts are neighbours.
#[derive(Default)]
struct Segments(Vec<Segment>);

impl Segments {
    fn text(&mut self, text: &str) {
        match self.0.last_mut() {
            Some(Segment::Text(last)) => last.push_str(text),
            _ if text.is_empty() => {}
            _ => self.0.push(Segment::Text(text.to_owned())),
        }
    }

    fn value(&mut self, expression: String) {
        self.0.push(Segment::Value(expression));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upgraded(text: &str) -> String {
        let mut translator = Translator { timestamp: "timestamp".into(), ..Translator::default() };
        translator.locals.insert("l".into());
        let text = translator.text(text, Place::Step);
        let left: Vec<String> = translator.take_left().into_iter().collect();
        if left.is_empty() { text } else { format!("{text} left {}", left.join(",")) }
    }

    #[test]
    fn actions_become_interpolations() {
        for (go, hcl) in [
            ("plain", r#""plain""#),
            ("a-{{user `x`}}-{{ user \"l\" }}", r#""a-${var.x}-${local.l}""#),
            ("{{build `ID`}} {{build `a b`}}", r#""${build.ID} {{build `a b`}}""#),
            ("{{template_dir}}/{{pwd}}", r#""${path.root}/${path.cwd}""#),
            ("{{timestamp}}{{isotime `2006`}}", r#""${local.timestamp}${legacy_isotime("2006")}""#),
            ("{{ .Vars }} {{.Path}} {{build_name}}", r#""{{ .Vars }} {{.Path}} {{build_name}}""#),
            ("${x} %{y} \"q\" \\ \n", r#""$${x} %%{y} \"q\" \\ \n""#),
            ("{{ upper (user `x`) }}", r#""{{ upper (`${var.x}`) }}" left upper"#),
            ("{{if user `x`}}a{{else}}b{{end}}", r#""{{if `${var.x}`}}a{{else}}b{{end}}""#),
            ("{{ user (printf `x`) }}", r#""{{ user (printf `x`) }}" left user"#),
            ("{{ broken", r#""{{ broken""#),
            ("a {{- user `x` -}} b", r#""a${var.x}b""#),
        ] {
            assert_eq!(upgraded(go), hcl, "{go}");
        }
    }

    #[test]
    fn secrets_are_numbered_once() {
        let mut translator = Translator::default();
        let mut text = |text: &str| translator.text(text, Place::Variable);
        assert_eq!(
            text("{{aws_secretsmanager `a` `k`}}"),
            r#""${data.amazon-secretsmanager.autogenerated_1.value}""#
        );
        assert_eq!(
            text("{{aws_secretsmanager `b`}}"),
            r#""${data.amazon-secretsmanager.autogenerated_2.value}""#
        );
        assert_eq!(
            text("{{aws_secretsmanager `a` `k`}}"),
            r#""${data.amazon-secretsmanager.autogenerated_1.value}""#
        );
    }
}
