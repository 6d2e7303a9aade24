//! What the template names is what its step may touch: from a pointer into the options to an opened
//! file, directory or output.
//!
//! Main function: [`find`]. Rules: the schema must say that the option designates, and its
//! conditions must hold; the text is resolved as the user's shell would (working directory, `~`);
//! a text that a component made leads only to what this build made; a text that the component's
//! author wrote (a default) only to a plain relative path; checks are made on what was opened.

mod check;

pub(crate) use check::check;

use crate::bindings::kiln::host::types::ErrorCode;
use crate::build::BuildInner;
use crate::configuration::StepConfiguration;
use crate::error::{CallError, CallResult, fail_at};
use crate::file::File;
use crate::output::{Maker, Output, Policy, Root};
use kiln_plan::grant::{Grants, Request};
use kiln_plan::{
    Data, Designation, Diagnostic, Diagnostics, Direction, Field, FieldType, Origin, Value, pointer_push,
};
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// The most entries of a glob or list.
const MAX_ENTRIES: usize = 100_000;

/// A value that designates something.
pub(crate) struct Designated<'a> {
    pub(crate) pointer: &'a str,
    pub(crate) text: &'a str,
    pub(crate) designation: Designation,
    origin: Origin,
    is_default: bool,
}

impl Designated<'_> {
    /// Whether the user wrote it: no component, and no author of one.
    pub(crate) fn is_user_s(&self) -> bool {
        self.origin != Origin::Component && !self.is_default
    }
}

impl Designated<'_> {
    /// Who made the value.
    pub(crate) fn origin(&self) -> Origin {
        self.origin
    }
}

/// What a designated path turned out to be.
pub(crate) enum Found {
    File(File),
    Directory(cap_std::fs::Dir, PathBuf),
}

/// The value at `pointer`, if it designates something now.
pub(crate) fn find<'a>(configuration: &'a StepConfiguration, pointer: &'a str) -> CallResult<Designated<'a>> {
    let value = configuration.value.at(pointer).ok_or_else(|| {
        fail_at(ErrorCode::NotFound, pointer, format!("the configuration has nothing at `{pointer}`"))
    })?;
    let text = match &value.data {
        Data::Text(text) if !text.is_empty() => text,
        Data::Text(_) | Data::Null => {
            return Err(fail_at(
                ErrorCode::NotFound,
                pointer,
                format!("the option `{}` is empty", name_of(pointer)),
            ));
        }
        _ => {
            return Err(fail_at(
                ErrorCode::Invalid,
                pointer,
                format!("`{}` is not a text", name_of(pointer)),
            ));
        }
    };
    let Some(direction) = direction(configuration, pointer) else {
        return Err(fail_at(
            ErrorCode::Denied,
            pointer,
            format!(
                "the option `{}` designates nothing; its schema needs `x-kiln-designates`",
                name_of(pointer)
            ),
        ));
    };
    if !is_active(configuration, pointer, direction) {
        return Err(fail_at(
            ErrorCode::Denied,
            pointer,
            format!("the option `{}` designates nothing with these options", name_of(pointer)),
        ));
    }
    let is_default = configuration.is_default(pointer);
    let designated = Designated {
        pointer,
        text,
        designation: direction.designation,
        origin: value.marks.origin,
        is_default,
    };
    if is_default {
        check_default(&designated)?;
    }
    Ok(designated)
}

/// The pointers of all that designates at or below `pointer`, in order.
pub(crate) fn pointers_below(configuration: &StepConfiguration, pointer: &str) -> CallResult<Vec<String>> {
    let value = configuration.value.at(pointer).ok_or_else(|| {
        fail_at(ErrorCode::NotFound, pointer, format!("the configuration has nothing at `{pointer}`"))
    })?;
    let mut found = Vec::new();
    texts_below(value, pointer, &mut found);
    if found.len() > MAX_ENTRIES {
        return Err(fail_at(ErrorCode::Limit, pointer, "the list has more than 100,000 entries"));
    }
    Ok(found)
}

fn texts_below(value: &Value, pointer: &str, found: &mut Vec<String>) {
    match &value.data {
        Data::Text(text) if !text.is_empty() => found.push(pointer.to_owned()),
        Data::List(items) => {
            for (index, item) in items.iter().enumerate() {
                texts_below(item, &format!("{pointer}/{index}"), found);
            }
        }
        Data::Map(map) => {
            for (name, item) in map {
                texts_below(item, &pointer_push(pointer, name), found);
            }
        }
        _ => {}
    }
}

/// The direction of an option; of a list's items the list's own, if they have none.
fn direction<'a>(configuration: &'a StepConfiguration, pointer: &str) -> Option<&'a Direction> {
    let mut at = pointer;
    while !at.is_empty() {
        if let Some(Field { designates: Some(direction), .. }) = configuration.schema.field_at(at) {
            return Some(direction);
        }
        let above = at.rfind('/').and_then(|cut| at.get(..cut))?;
        if !configuration
            .schema
            .field_at(above)
            .is_some_and(|f| matches!(f.ty, FieldType::List(_) | FieldType::Map(_)))
        {
            return None;
        }
        at = above;
    }
    None
}

/// Whether the condition of a direction holds among the options beside it.
fn is_active(configuration: &StepConfiguration, pointer: &str, direction: &Direction) -> bool {
    let Some((name, wanted)) = &direction.when else { return true };
    wanted.contains(&beside(configuration, pointer, name).map_or_else(String::new, scalar))
}

/// Whether an option beside it says that what it names is made later, by an earlier step.
fn is_made_later(configuration: &StepConfiguration, pointer: &str, direction: &Direction) -> bool {
    let Some(name) = &direction.unless else { return false };
    beside(configuration, pointer, name).is_some_and(|value| value.data == Data::Bool(true))
}

/// The option `name` of the nearest object around `pointer`; lists and maps do not count.
fn beside<'a>(configuration: &'a StepConfiguration, pointer: &str, name: &str) -> Option<&'a Value> {
    let mut owner = pointer;
    while let Some(cut) = owner.rfind('/') {
        owner = owner.get(..cut).unwrap_or("");
        let field = configuration.schema.field_at(owner);
        if owner.is_empty() || field.is_some_and(|f| matches!(f.ty, FieldType::Object(_))) {
            break;
        }
    }
    configuration.value.at(&pointer_push(owner, name))
}

fn scalar(value: &Value) -> String {
    match &value.data {
        Data::Text(text) => text.clone(),
        Data::Bool(truth) => truth.to_string(),
        Data::Number(number) => number.0.clone(),
        _ => String::new(),
    }
}

/// What the component's author wrote may only name a plain path below the working directory.
fn check_default(designated: &Designated<'_>) -> CallResult<()> {
    let plain = Path::new(designated.text)
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if plain && !designated.text.starts_with('~') && !designated.text.contains('\\') {
        return Ok(());
    }
    Err(fail_at(
        ErrorCode::Denied,
        designated.pointer,
        format!(
            "the default of `{}` leads out of the working directory; write the option yourself",
            name_of(designated.pointer)
        ),
    ))
}

/// The path that a user's text means: absolute, or from `~`, or from the working directory.
pub(crate) fn resolve(build: &BuildInner, text: &str) -> PathBuf {
    let options = build.options();
    let home = || options.home.clone().unwrap_or_else(|| options.working_dir.clone());
    if text == "~" {
        return home();
    }
    match text.strip_prefix("~/") {
        Some(rest) => home().join(rest),
        None => options.working_dir.join(text),
    }
}

/// Opens the file or directory that was designated.
pub(crate) fn open(build: &BuildInner, grants: &Grants, designated: &Designated<'_>) -> CallResult<Found> {
    match designated.designation {
        Designation::File | Designation::Directory | Designation::FileOrDirectory | Designation::Glob => {}
        Designation::Source if !has_scheme(designated.text) => {}
        other => {
            return Err(fail_at(
                ErrorCode::Denied,
                designated.pointer,
                format!(
                    "what `{}` names ({}) is not handed to components",
                    name_of(designated.pointer),
                    words(other)
                ),
            ));
        }
    }
    let path = resolve(build, designated.text);
    open_path(build, grants, designated, &path)
}

/// Opens a private key or certificate. For the host's own use: its bytes never become a handle.
pub(crate) fn open_key(build: &BuildInner, designated: &Designated<'_>) -> CallResult<Found> {
    if designated.designation != Designation::KeyFile {
        return Err(fail_at(ErrorCode::Denied, designated.pointer, "this option names no key"));
    }
    let path = resolve(build, designated.text);
    open_path(build, &Grants::none(), designated, &path)
}

/// Everything that a glob, or the one path, designates: names relative to the pattern's fixed part.
pub(crate) fn open_all(
    build: &BuildInner,
    grants: &Grants,
    designated: &Designated<'_>,
) -> CallResult<Vec<(String, Found)>> {
    if designated.designation != Designation::Glob || !designated.text.contains(['*', '?', '[']) {
        let name = last_part(designated.text);
        return Ok(vec![(name, open(build, grants, designated)?)]);
    }
    let pattern = resolve(build, designated.text);
    let base = fixed_part(&pattern);
    let bad = |e: &dyn std::fmt::Display| {
        fail_at(ErrorCode::Invalid, designated.pointer, format!("cannot match `{}`: {e}", designated.text))
    };
    let options = glob::MatchOptions { require_literal_separator: true, ..Default::default() };
    let mut found = Vec::new();
    for path in glob::glob_with(&pattern.to_string_lossy(), options).map_err(|e| bad(&e))? {
        let path = path.map_err(|e| bad(&e))?;
        if found.len() >= MAX_ENTRIES {
            return Err(fail_at(
                ErrorCode::Limit,
                designated.pointer,
                "the pattern matches more than 100,000 files",
            ));
        }
        let name = path.strip_prefix(&base).unwrap_or(&path).to_string_lossy().into_owned();
        found.push((name, open_path(build, grants, designated, &path)?));
    }
    Ok(found)
}

fn open_path(
    build: &BuildInner,
    grants: &Grants,
    designated: &Designated<'_>,
    path: &Path,
) -> CallResult<Found> {
    let failed = |e: &std::io::Error| {
        CallError::from(std::io::Error::new(e.kind(), format!("cannot open `{}`: {e}", designated.text)))
            .at(designated.pointer)
    };
    let file = open_unblocked(path).map_err(|e| failed(&e))?;
    if designated.origin == Origin::Component {
        let real = path.canonicalize().map_err(|e| failed(&e))?;
        only_own(build, grants, designated, &real, false)?;
    }
    let wants_file =
        designated.designation == Designation::File || designated.designation == Designation::Source;
    if file.metadata().map_err(|e| failed(&e))?.is_dir() {
        if wants_file {
            return Err(fail_at(
                ErrorCode::Invalid,
                designated.pointer,
                format!("`{}` is a directory", designated.text),
            ));
        }
        return Ok(Found::Directory(cap_std::fs::Dir::from_std_file(file), path.to_path_buf()));
    }
    if designated.designation == Designation::Directory {
        return Err(fail_at(
            ErrorCode::Invalid,
            designated.pointer,
            format!("`{}` is not a directory", designated.text),
        ));
    }
    Ok(Found::File(File::opened(file, path).map_err(|e| failed(&e))?))
}

/// Opens for reading without waiting for the other end of a FIFO.
fn open_unblocked(path: &Path) -> std::io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options
            .custom_flags((rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::CLOEXEC).bits().cast_signed());
    }
    options.open(path)
}

/// A value that a component made designates only what this build made, unless it was granted.
fn only_own(
    build: &BuildInner,
    grants: &Grants,
    designated: &Designated<'_>,
    real: &Path,
    write: bool,
) -> CallResult<()> {
    let scratch = build.scratch_if_made().and_then(|path| path.canonicalize().ok());
    if build.made.covers(real) || scratch.is_some_and(|scratch| real.starts_with(scratch)) {
        return Ok(());
    }
    let text = real.to_string_lossy();
    let request = if write { Request::Write(&text) } else { Request::Read(&text) };
    grants.permit(&request).map_err(|refusal| {
        fail_at(
            ErrorCode::Denied,
            designated.pointer,
            format!(
                "`{}` was named by a component and was not made by this build; {refusal}",
                designated.text
            ),
        )
    })
}

/// The place that an output option designates, its late template rendered.
pub(crate) fn output(
    build: &std::sync::Arc<BuildInner>,
    grants: &Grants,
    designated: &Designated<'_>,
    text: &str,
    maker: Maker,
) -> CallResult<Output> {
    let policy = match designated.designation {
        Designation::Output => Policy::Create,
        Designation::AppendOutput => Policy::Append,
        Designation::ReplaceOutput => Policy::Replace,
        other => {
            return Err(fail_at(
                ErrorCode::Denied,
                designated.pointer,
                format!("`{}` designates {}, not an output", name_of(designated.pointer), words(other)),
            ));
        }
    };
    let bad = |why: &str| {
        fail_at(ErrorCode::Invalid, designated.pointer, format!("the output `{}` {why}", text.escape_debug()))
    };
    if text.is_empty() || text.len() > 4096 || text.contains('\0') {
        return Err(bad("is not a path"));
    }
    if build.vault.has_sealed(text) || build.vault.redactor().finds(text) {
        return Err(bad("has a secret in its name"));
    }
    // Rendered late values are the guest's: they may choose a name, but no way up.
    if text != designated.text && !may_become(designated.text, text) {
        return Err(bad("gets `..` or `/` out of a late value"));
    }
    let path = lexical(&resolve(build, text.trim_end_matches('/')));
    if path.file_name().is_none() {
        return Err(bad("names no file"));
    }
    if designated.origin == Origin::Component {
        let real = real_parent(&path).ok_or_else(|| bad("is in no directory"))?;
        only_own(build, grants, designated, &real, true)?;
    }
    Ok(Output::new(Root {
        path,
        display: text.to_owned(),
        policy,
        force: build.force(),
        maker,
        made: build.made.clone(),
        run_id: build.run_id(),
        journal: build.journal.clone(),
    }))
}

/// Whether rendering `template` may give `text`: no more parts than were written, and no `..` that
/// was not written.
fn may_become(template: &str, text: &str) -> bool {
    // Templates may have slashes of their own between the braces.
    let mut outside = String::new();
    let mut rest = template;
    while let Some(at) = rest.find("{{") {
        outside.push_str(rest.get(..at).unwrap_or(""));
        outside.push('x');
        let inner = rest.get(at..).unwrap_or("");
        rest = inner.find("}}").and_then(|end| inner.get(end + 2..)).unwrap_or("");
    }
    outside.push_str(rest);
    let ups = |text: &str| text.split(['/', '\\']).filter(|part| *part == "..").count();
    let parts = |text: &str| text.matches(['/', '\\']).count();
    parts(text) <= parts(&outside)
        && ups(text) <= ups(&outside)
        && text.starts_with('/') == outside.starts_with('/')
}

/// The real path of the nearest directory that exists, with the rest after it.
fn real_parent(path: &Path) -> Option<PathBuf> {
    path.ancestors().skip(1).find_map(|above| {
        let real = above.canonicalize().ok()?;
        Some(real.join(path.strip_prefix(above).ok()?))
    })
}

/// Without `.` and `..`, by the text alone.
fn lexical(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

/// The texts of the user's own that designate this.
pub(crate) fn named(configuration: &StepConfiguration, wanted: Designation) -> Vec<String> {
    let mut texts = Vec::new();
    texts_below(&configuration.value, "", &mut texts);
    let designates = |pointer: &&String| {
        find(configuration, pointer).is_ok_and(|d| d.designation == wanted && d.is_user_s())
    };
    texts
        .iter()
        .filter(designates)
        .filter_map(|p| configuration.value.at(p)?.as_text().map(str::to_owned))
        .collect()
}

/// Whether a source is a URL, not a path. One letter is a drive of Windows.
pub(crate) fn has_scheme(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, _)| {
        scheme.len() > 1
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | ':'))
    })
}

fn fixed_part(pattern: &Path) -> PathBuf {
    pattern
        .components()
        .take_while(|part| !part.as_os_str().to_string_lossy().contains(['*', '?', '[']))
        .collect()
}

fn last_part(text: &str) -> String {
    Path::new(text).file_name().map_or_else(|| text.to_owned(), |name| name.to_string_lossy().into_owned())
}

fn name_of(pointer: &str) -> &str {
    pointer.strip_prefix('/').unwrap_or(pointer)
}

fn words(designation: Designation) -> &'static str {
    match designation {
        Designation::File => "a file",
        Designation::Directory => "a directory",
        Designation::FileOrDirectory => "a file or directory",
        Designation::Glob => "files",
        Designation::Source => "a source",
        Designation::Checksum => "a checksum",
        Designation::KeyFile => "a key",
        Designation::Output | Designation::AppendOutput | Designation::ReplaceOutput => "an output",
        Designation::Url => "a URL",
        Designation::Endpoint => "an endpoint",
        Designation::Command => "a command",
    }
}
