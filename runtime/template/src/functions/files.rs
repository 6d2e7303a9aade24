//! Paths, files and environment variables.

use super::Shape::{Entries, Text};
use super::{Call, Failure, Function, Position, Purity, wrong};
use crate::FileKind;
use crate::eval::{Roots, evaluate};
use crate::syntax;
use crate::value::Val;
use crate::value::types::Type;
use base64::Engine as _;
use kiln_plan::{Marks, Origin, SourceMap};
use std::io;
use std::path::{Component, Path, PathBuf};

/// The largest file that a function reads.
const MAX_FILE: u64 = 16 << 20;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("abspath", (1, 1), &[Text], Type::Text, abspath).purity(Purity::Environment),
    Function::new("basename", (1, 1), &[Text], Type::Text, |c| Ok(Val::text(basename(&c.text(0)?)))),
    Function::new("dirname", (1, 1), &[Text], Type::Text, |c| Ok(Val::text(dirname(&c.text(0)?)))),
    Function::new("env", (1, 1), &[Text], Type::Text, env).purity(Purity::Environment),
    Function::new("file", (1, 1), &[Text], Type::Text, file).purity(Purity::Files),
    Function::new("filebase64", (1, 1), &[Text], Type::Text, filebase64).purity(Purity::Files),
    Function::new("fileexists", (1, 1), &[Text], Type::Bool, fileexists).purity(Purity::Files),
    Function::new("fileset", (2, 2), &[Text, Text], Type::Dynamic, fileset).purity(Purity::Files),
    Function::new("pathexpand", (1, 1), &[Text], Type::Text, pathexpand).purity(Purity::Environment),
    Function::new("templatefile", (2, 2), &[Text, Entries], Type::Text, templatefile).purity(Purity::Files),
];

/// Refuses a path that a component made: it may name nothing of the user's.
fn trusted(c: &Call<'_, '_>, at: usize) -> Result<(), Failure> {
    if c.get(at)?.deep_marks().origin == Origin::Component {
        return Err(wrong(at, "a path that comes from a component cannot be opened"));
    }
    Ok(())
}

/// `~` and `~/…` from the user's home.
fn expand(c: &Call<'_, '_>, path: &str) -> Result<PathBuf, Failure> {
    if path != "~" && !path.starts_with("~/") {
        if path.starts_with('~') {
            return Err(wrong(0, "only ~/ can be expanded, not the home of another user"));
        }
        return Ok(path.into());
    }
    let home = c.context.world.environment.home().ok_or_else(|| wrong(0, "there is no home directory"))?;
    Ok(home.join(path.trim_start_matches('~').trim_start_matches('/')))
}

/// A path relative to the template's directory.
fn beside_template(c: &Call<'_, '_>, at: usize) -> Result<PathBuf, Failure> {
    trusted(c, at)?;
    let path = expand(c, &c.text(at)?)?;
    Ok(clean(&c.context.world.root.join(path)))
}

/// `a/../b` as `b`, `.` for nothing; by the text alone, as Go's `filepath.Clean`.
fn clean(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => match out.components().next_back() {
                Some(Component::Normal(_)) => {
                    out.pop();
                }
                Some(Component::RootDir | Component::Prefix(_)) => {}
                _ => out.push(".."),
            },
            other => out.push(other),
        }
    }
    if out.as_os_str().is_empty() { ".".into() } else { out }
}

fn show(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

fn abspath(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let path = c.context.world.environment.working_directory().join(&*c.text(0)?);
    Ok(Val::text(show(&clean(&path))))
}

fn pathexpand(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let path = c.text(0)?;
    Ok(Val::text(if path.starts_with('~') { show(&expand(c, &path)?) } else { path.to_string() }))
}

fn basename(path: &str) -> String {
    if path.is_empty() {
        return ".".to_owned();
    }
    let trimmed = path.trim_end_matches('/');
    trimmed.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("/").to_owned()
}

fn dirname(path: &str) -> String {
    match path.rfind('/') {
        Some(at) => show(&clean(Path::new(path.get(..=at).unwrap_or("/")))),
        None => ".".to_owned(),
    }
}

fn env(c: &Call<'_, '_>) -> Result<Val, Failure> {
    Ok(Val::text(c.context.world.environment.variable(&c.text(0)?).unwrap_or_default()))
}

fn describe(error: &io::Error, path: &Path) -> String {
    let path = show(path);
    match error.kind() {
        io::ErrorKind::NotFound => format!("there is no file at {path}"),
        io::ErrorKind::FileTooLarge => format!("{path} is larger than 16 MiB"),
        _ => format!("cannot read {path}: {error}"),
    }
}

fn read(c: &Call<'_, '_>, path: &Path) -> Result<Vec<u8>, Failure> {
    c.context.world.environment.read(path, MAX_FILE).map_err(|e| wrong(0, describe(&e, path)))
}

fn read_text(c: &Call<'_, '_>) -> Result<(PathBuf, String), Failure> {
    let path = beside_template(c, 0)?;
    let bytes = read(c, &path)?;
    let text =
        String::from_utf8(bytes).map_err(|_| wrong(0, format!("{} is not UTF-8 text", show(&path))))?;
    Ok((path, text))
}

fn file(c: &Call<'_, '_>) -> Result<Val, Failure> {
    Ok(Val::text(read_text(c)?.1))
}

/// Relative to the working directory, not to the template: Packer does so.
fn filebase64(c: &Call<'_, '_>) -> Result<Val, Failure> {
    trusted(c, 0)?;
    let path = c.context.world.environment.working_directory().join(expand(c, &c.text(0)?)?);
    Ok(Val::text(base64::engine::general_purpose::STANDARD.encode(read(c, &path)?)))
}

fn fileexists(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let path = beside_template(c, 0)?;
    match c.context.world.environment.kind(&path) {
        Ok(FileKind::File) => Ok(Val::bool(true)),
        Ok(_) => Err(wrong(0, format!("{} is not a regular file", show(&path)))),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Val::bool(false)),
        Err(e) => Err(wrong(0, describe(&e, &path))),
    }
}

/// The most directory entries that `fileset` looks at.
const MAX_ENTRIES: usize = 100_000;
/// The deepest directory that `fileset` looks into; symbolic link loops end here.
const MAX_LEVELS: usize = 64;

fn fileset(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let root = beside_template(c, 0)?;
    let pattern = c.text(1)?;
    let pattern = super::super::glob::Glob::new(&pattern, true).map_err(|e| wrong(1, e))?;
    let mut found = Vec::new();
    let mut left = MAX_ENTRIES;
    walk(c, &root, "", 0, &mut left, &mut |name| {
        if pattern.matches(name) {
            found.push(Val::text(name));
        }
    })?;
    Ok(Val::set(Type::Text, found))
}

fn walk(
    c: &Call<'_, '_>,
    directory: &Path,
    prefix: &str,
    level: usize,
    left: &mut usize,
    each: &mut dyn FnMut(&str),
) -> Result<(), Failure> {
    let entries = match c.context.world.environment.list(directory) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound && level == 0 => Vec::new(),
        Err(e) => return Err(wrong(0, describe(&e, directory))),
    };
    for (name, kind) in entries {
        *left = left.checked_sub(1).ok_or_else(|| wrong(0, "the directory has too many files"))?;
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
        match kind {
            FileKind::File => each(&path),
            FileKind::Directory if level < MAX_LEVELS => {
                walk(c, &directory.join(&name), &path, level + 1, left, each)?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn templatefile(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let (path, text) = read_text(c)?;
    let variables = c.entries(1)?;
    let shown = show(&path);
    let mut sources = SourceMap::default();
    let id = sources.add(shown.as_str(), text.as_str());
    let place = |diagnostic: &kiln_plan::Diagnostic| {
        let position = diagnostic.span.map_or((1, 1), |span| sources.position(span));
        format!("{shown}:{}:{}: {}", position.0, position.1, diagnostic.summary)
    };
    let template = syntax::parse_template(&text, id).map_err(|e| wrong(0, place(&e)))?;
    let mut roots = Roots::default();
    for (name, value) in variables {
        roots.set(name, value.clone());
    }
    let value = evaluate(c.context.world, &roots, Position::TemplateFile, &template)
        .map_err(|e| wrong(0, place(&e)))?;
    let marks = Marks { origin: Origin::Environment, ..Marks::default() };
    crate::value::convert::convert(&value, &Type::Text)
        .map(|v| v.marked(marks))
        .map_err(|_| wrong(0, format!("{shown} does not give a string")))
}
