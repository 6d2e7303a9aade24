//! The notation of the files in `plugins/`.
//!
//! ```text
//! # a comment
//! plugin github.com/hashicorp/x        the source of the plugin
//!
//! set access                           options that several components share
//!   string user password
//!   block* tag=key_value               repeated blocks, each an object `key_value`
//!
//! object key_value                     what is in a block; `block NAME` alone is `block NAME=NAME`
//!   string key value
//!
//! builder x-iso                        likewise provisioner, post-processor, data
//!   with communicator@1 access         groups of the host, and sets of this file
//!   block proxy=any                    what is in it is not known
//!   gives string id                    what a data source gives
//!   open                               there may be options that are not listed
//! ```
//! Types are those of the template language, and `any`.

use kiln_plan::{Field, FieldType, Schema};
use std::collections::BTreeMap;

/// The deepest that sets include sets and objects hold objects.
const MAX_DEPTH: usize = 8;

/// A line without indentation, and the lines below it.
#[derive(Debug, Clone)]
pub(crate) struct Section {
    /// `builder`.
    pub(crate) word: &'static str,
    /// `amazon-ebs`.
    pub(crate) name: &'static str,
    lines: Vec<&'static str>,
}

/// The sections of a file. Lines that belong to none are left out.
pub(crate) fn sections(text: &'static str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match (line.strip_prefix("  "), sections.last_mut()) {
            (Some(line), Some(section)) => section.lines.push(line),
            (Some(_), None) => {}
            (None, _) => {
                let (word, name) = line.split_once(' ').unwrap_or((line, ""));
                sections.push(Section { word, name, lines: Vec::new() });
            }
        }
    }
    sections
}

/// The options of a component.
///
/// # Errors
/// What in the text is wrong.
pub(crate) fn options(section: &Section, file: &[Section]) -> Result<Schema, String> {
    let mut schema = Schema::default();
    collect(section, file, &mut schema, 0)?;
    Ok(schema)
}

/// What a data source gives; `None` if that is not written.
///
/// # Errors
/// What in the text is wrong.
pub(crate) fn output(section: &Section, file: &[Section]) -> Result<Option<Schema>, String> {
    let mut schema = Schema::default();
    for line in section.lines.iter().filter_map(|line| line.strip_prefix("gives ")) {
        declare(line, file, &mut schema.fields, 0)?;
    }
    Ok(Some(schema).filter(|schema| !schema.fields.is_empty()))
}

/// Adds what the lines of a section say.
fn collect(section: &Section, file: &[Section], schema: &mut Schema, depth: usize) -> Result<(), String> {
    if depth > MAX_DEPTH {
        return Err(format!("`{}` is too deep", section.name));
    }
    for line in &section.lines {
        match line.split_once(' ') {
            None if *line == "open" => schema.open = true,
            Some(("with", names)) => {
                for name in names.split(' ') {
                    include(name, file, schema, depth)?;
                }
            }
            Some(("gives", _)) => {}
            _ => declare(line, file, &mut schema.fields, depth)?,
        }
    }
    Ok(())
}

/// Adds a group of the host (`communicator@1`) or a set of this file.
fn include(name: &str, file: &[Section], schema: &mut Schema, depth: usize) -> Result<(), String> {
    if !name.contains('@') {
        return collect(find("set", name, file)?, file, schema, depth + 1);
    }
    let group = Schema::parse(&format!(r#"{{"x-kiln-include":["{name}"]}}"#)).map_err(|e| e.to_string())?;
    schema.fields.extend(group.fields);
    schema.groups.push(name.to_owned());
    Ok(())
}

fn find<'f>(word: &str, name: &str, file: &'f [Section]) -> Result<&'f Section, String> {
    file.iter()
        .find(|section| section.word == word && section.name == name)
        .ok_or_else(|| format!("there is no {word} `{name}`"))
}

/// Adds the names of a line that begins with their type.
fn declare(
    line: &str,
    file: &[Section],
    fields: &mut BTreeMap<String, Field>,
    depth: usize,
) -> Result<(), String> {
    let (ty, names) = line.split_once(' ').ok_or_else(|| format!("`{line}` is no declaration"))?;
    for name in names.split(' ') {
        let (name, field) = match ty {
            "block" | "block*" => block(name, ty.ends_with('*'), file, depth)?,
            _ => (name, Field::of(plain(ty)?)),
        };
        if fields.insert(name.to_owned(), field).is_some() {
            return Err(format!("`{name}` is declared twice"));
        }
    }
    Ok(())
}

fn block<'n>(
    written: &'n str,
    repeated: bool,
    file: &[Section],
    depth: usize,
) -> Result<(&'n str, Field), String> {
    let (name, object) = written.split_once('=').unwrap_or((written, written));
    let inside = if object == "any" { FieldType::Any } else { content(object, file, depth)? };
    let ty = if repeated { FieldType::List(Box::new(Field::of(inside))) } else { inside };
    Ok((name, Field { block: true, ..Field::of(ty) }))
}

/// What is in a block. An object that is open is one of which nothing is checked.
fn content(object: &str, file: &[Section], depth: usize) -> Result<FieldType, String> {
    let mut inside = Schema::default();
    collect(find("object", object, file)?, file, &mut inside, depth + 1)?;
    Ok(if inside.open { FieldType::Any } else { FieldType::Object(inside.fields) })
}

fn plain(ty: &str) -> Result<FieldType, String> {
    let of = |inner: &str| plain(inner).map(|ty| Box::new(Field::of(ty)));
    Ok(match ty {
        "string" => FieldType::Text,
        "number" => FieldType::Number,
        "bool" => FieldType::Bool,
        "any" => FieldType::Any,
        _ => match ty.strip_suffix(')').and_then(|ty| ty.split_once('(')) {
            Some(("list", inner)) => FieldType::List(of(inner)?),
            Some(("map", inner)) => FieldType::Map(of(inner)?),
            _ => return Err(format!("there is no type `{ty}`")),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &'static str) -> String {
        let file = sections(text);
        let last = file.last().unwrap();
        options(last, &file).unwrap_err()
    }

    #[test]
    fn mistakes_are_told() {
        for (text, problem) in [
            ("builder x\n  strnig a", "there is no type `strnig`"),
            ("builder x\n  string a\n  bool a", "`a` is declared twice"),
            ("builder x\n  with nobody", "there is no set `nobody`"),
            ("builder x\n  with nobody@9", "schema of `x-kiln-include`: no option group `nobody@9`"),
            ("builder x\n  block a", "there is no object `a`"),
            ("builder x\n  string", "`string` is no declaration"),
            ("object a\n  block a\nbuilder x\n  block a", "`a` is too deep"),
        ] {
            assert_eq!(wrong(text), problem, "{text}");
        }
    }

    #[test]
    fn types() {
        let file =
            sections("builder x\n  list(list(string)) a\n  map(string) b\n  block* c=any\n  gives string d");
        let schema = options(&file[0], &file).unwrap();
        let FieldType::List(outer) = &schema.fields["a"].ty else { panic!("not a list") };
        assert!(matches!(outer.ty, FieldType::List(_)));
        assert!(matches!(schema.fields["b"].ty, FieldType::Map(_)));
        assert!(schema.fields["c"].block && !schema.fields.contains_key("d"));
        assert!(output(&file[0], &file).unwrap().unwrap().fields.contains_key("d"));
    }
}
