//! `kiln fmt`: templates and variable files in the usual layout.
#![expect(clippy::disallowed_methods, reason = "this verb rewrites the files that the user names")]

use crate::args::FmtArgs;
use crate::exit::Exit;
use crate::screen::Screen;
use similar::TextDiff;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The largest file that is formatted, in bytes.
const LIMIT: u64 = 16 << 20;
/// The deepest folder that `-recursive` looks into.
const MAX_DEPTH: usize = 64;

/// What became of the files.
#[derive(Default)]
struct Found {
    changed: bool,
    failed: bool,
}

/// Formats.
pub(crate) fn run(screen: &Screen, args: &FmtArgs) -> Exit {
    let mut found = Found::default();
    for path in &args.paths {
        if path == Path::new("-") {
            standard_input(screen, args, &mut found);
            continue;
        }
        match files(path, args.recursive) {
            Ok(files) => files.iter().for_each(|file| one(screen, args, file, &mut found)),
            Err(problem) => fail(screen, &mut found, &problem),
        }
    }
    match found {
        Found { failed: true, .. } => Exit::Failure,
        Found { changed: true, .. } if args.check => Exit::Unformatted,
        _ => Exit::Success,
    }
}

/// The files to format: one that is named, or those of a folder, sorted.
fn files(path: &Path, recursive: bool) -> Result<Vec<PathBuf>, String> {
    let shown = path.display();
    let found = std::fs::metadata(path).map_err(|e| format!("cannot read {shown}: {e}"))?;
    if !found.is_dir() {
        if is_hcl(path) {
            return Ok(vec![path.to_path_buf()]);
        }
        return Err(format!("{shown} is neither a *.pkr.hcl nor a *.pkrvars.hcl file"));
    }
    let mut files = Vec::new();
    collect(path, recursive, 0, &mut files).map_err(|e| format!("cannot read {shown}: {e}"))?;
    files.sort();
    Ok(files)
}

fn collect(folder: &Path, recursive: bool, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        // `a.pkr.hcl` is shown, not `./a.pkr.hcl`.
        let path = entry.path();
        let path = path.strip_prefix(".").map_or_else(|_| path.clone(), Path::to_path_buf);
        // Links are not followed into folders: they could lead in a circle.
        if entry.file_type()?.is_dir() {
            if recursive && depth < MAX_DEPTH && !ignored(&path) {
                collect(&path, recursive, depth + 1, files)?;
            }
        } else if is_hcl(&path) && !ignored(&path) {
            files.push(path);
        }
    }
    Ok(())
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or("")
}

fn is_hcl(path: &Path) -> bool {
    let name = name(path);
    name.ends_with(".pkr.hcl") || name.ends_with(".pkrvars.hcl")
}

/// Hidden files, and what editors leave.
fn ignored(path: &Path) -> bool {
    let name = name(path);
    name.starts_with('.') || name.ends_with('~') || (name.starts_with('#') && name.ends_with('#'))
}

fn one(screen: &Screen, args: &FmtArgs, path: &Path, found: &mut Found) {
    let shown = path.display().to_string();
    let text = match crate::template_env::open(path).and_then(bounded) {
        Ok(text) => text,
        Err(error) => return fail(screen, found, &format!("cannot read {shown}: {error}")),
    };
    let Some(formatted) = formatted(screen, &shown, &text, found) else { return };
    if formatted == text {
        return;
    }
    found.changed = true;
    screen.say(shown.as_str());
    if args.diff {
        screen.say(diff(&shown, &text, &formatted));
    }
    if args.write
        && !args.check
        && let Err(error) = rewrite(path, &formatted)
    {
        fail(screen, found, &format!("cannot write {shown}: {error}"));
    }
}

fn standard_input(screen: &Screen, args: &FmtArgs, found: &mut Found) {
    let text = match bounded(io::stdin().lock()) {
        Ok(text) => text,
        Err(error) => return fail(screen, found, &format!("cannot read standard input: {error}")),
    };
    let Some(formatted) = formatted(screen, "<stdin>", &text, found) else { return };
    found.changed |= formatted != text;
    if args.diff && formatted != text {
        screen.say(diff("<stdin>", &text, &formatted));
    }
    if !args.check && io::stdout().write_all(formatted.as_bytes()).is_err() {
        found.failed = true;
    }
}

fn formatted(screen: &Screen, name: &str, text: &str, found: &mut Found) -> Option<String> {
    kiln_template::format(name, text)
        .map_err(|(sources, mistakes)| {
            screen.quote(Arc::new(sources));
            screen.diagnostics(&mistakes);
            found.failed = true;
        })
        .ok()
}

fn fail(screen: &Screen, found: &mut Found, text: &str) {
    screen.error(format!("Error: {text}"));
    found.failed = true;
}

fn bounded(from: impl Read) -> io::Result<String> {
    let mut text = String::new();
    from.take(LIMIT + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LIMIT {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(text)
}

fn diff(name: &str, old: &str, new: &str) -> String {
    let diff = TextDiff::from_lines(old, new);
    let header = (format!("old/{name}"), format!("new/{name}"));
    let text = diff.unified_diff().context_radius(3).header(&header.0, &header.1).to_string();
    // The screen ends the last line; an empty line of context before that is part of the patch.
    text.strip_suffix('\n').unwrap_or(&text).to_owned()
}

/// Keeps the file's mode, and the old content until the new one is complete.
fn rewrite(path: &Path, text: &str) -> io::Result<()> {
    let path = path.canonicalize()?;
    let mut part = path.as_os_str().to_owned();
    part.push(format!(".{}.part", std::process::id()));
    let written = std::fs::write(&part, text)
        .and_then(|()| std::fs::set_permissions(&part, std::fs::metadata(&path)?.permissions()))
        .and_then(|()| std::fs::rename(&part, &path));
    if written.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    written
}
