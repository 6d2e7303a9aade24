//! Files into a [`Template`]: which files, their syntax, their static structure.

use crate::declared::{self, Declared, RequiredPlugin};
use crate::eval::World;
use crate::rest;
use crate::syntax::{self, Body};
use crate::version::{Constraints, Version};
use crate::{Environment, FileKind, PACKER_VERSION};
use kiln_plan::code::template as code;
use kiln_plan::{ComponentRef, Diagnostic, Diagnostics, Kind, SourceMap, Span};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The largest template or variable file, in bytes.
pub(crate) const MAX_FILE: u64 = 16 << 20;
/// The most files of a directory.
const MAX_FILES: usize = 10_000;

/// Where a template comes from.
#[derive(Debug, Clone, Copy)]
pub enum Input<'i> {
    /// A file or directory, as the user wrote it.
    Path(&'i Path),
    /// HCL text that is not in a file (standard input), with the name that messages show.
    Text {
        /// Shown in messages.
        name: &'i str,
        /// The text.
        text: &'i str,
    },
    /// Text of a legacy JSON template that is not in a file, with the name that messages show.
    Legacy {
        /// Shown in messages.
        name: &'i str,
        /// The text.
        text: &'i str,
    },
    /// No template: only the functions, for `console`.
    Nothing,
}

/// An HCL2 template that was read but not evaluated.
#[derive(Debug)]
pub(crate) struct Template {
    pub(crate) declared: Declared,
    pub(crate) sources: SourceMap,
    pub(crate) world: World,
    /// Variable files that are loaded without being named, in order.
    pub(crate) auto_files: Vec<PathBuf>,
    /// Whether all data sources come before all locals.
    pub(crate) sequential: bool,
}

/// Reads an HCL2 template.
///
/// # Errors
/// Everything that is wrong with its files, syntax and static structure, and the texts to show it
/// with. A version of Packer that is not satisfied is reported alone.
pub(crate) fn load(
    input: Input<'_>,
    environment: Arc<dyn Environment>,
) -> Result<Template, (SourceMap, Diagnostics)> {
    let mut sources = SourceMap::default();
    let mut diagnostics = Vec::new();
    let files = match files(input, &*environment) {
        Ok(files) => files,
        Err(diagnostic) => return Err((sources, vec![*diagnostic])),
    };
    let mut bodies: Vec<Body> = Vec::new();
    for (name, text) in files.texts {
        let is_json = name.ends_with(".json");
        let id = sources.add(name, text.as_str());
        let parsed = if is_json { syntax::parse_json_file(&text, id) } else { syntax::parse_file(&text, id) };
        bodies.push(parsed.body);
        diagnostics.extend(parsed.mistakes);
    }
    let unreadable = !files.diagnostics.is_empty() || !diagnostics.is_empty();
    diagnostics.extend(files.diagnostics);
    let world = World { environment, root: files.root, asks_servers: false };
    let declared = declared::read(&bodies, &world, &mut diagnostics);
    if let Some(wrong) = wrong_version(&declared) {
        return Err((sources, vec![wrong]));
    }
    let template = Template { declared, sources, world, auto_files: files.auto, sequential: false };
    if !diagnostics.iter().any(Diagnostic::is_error) {
        return Ok(template);
    }
    let sources = if unreadable { rest::add(template, &mut diagnostics) } else { template.sources };
    Err((sources, diagnostics))
}

fn wrong_version(declared: &Declared) -> Option<Diagnostic> {
    let have = Version::parse(PACKER_VERSION)?;
    let (wanted, span) = declared
        .required_versions
        .iter()
        .find(|(wanted, _)| Constraints::parse(wanted).is_some_and(|wanted| !wanted.accept(&have)))?;
    Some(
        Diagnostic::error(
            code::UNSUPPORTED_VERSION,
            format!("the template requires Packer {wanted}, this is compatible with {PACKER_VERSION}"),
        )
        .at(*span)
        .within("packer"),
    )
}

/// What there is to read.
#[derive(Default)]
struct Files {
    /// Name and text.
    texts: Vec<(String, String)>,
    root: PathBuf,
    auto: Vec<PathBuf>,
    diagnostics: Diagnostics,
}

fn files(input: Input<'_>, environment: &dyn Environment) -> Result<Files, Box<Diagnostic>> {
    let fail = |summary: String| Box::new(Diagnostic::error(code::UNREADABLE, summary));
    let path = match input {
        Input::Nothing => return Ok(Files { root: ".".into(), ..Files::default() }),
        Input::Text { name, text } | Input::Legacy { name, text } => {
            let texts = vec![(name.to_owned(), text.to_owned())];
            return Ok(Files { texts, root: ".".into(), ..Files::default() });
        }
        Input::Path(path) => path,
    };
    let shown = path.to_string_lossy();
    let kind = environment.kind(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => fail(format!("there is nothing at {shown}")),
        _ => fail(format!("cannot read {shown}: {e}")),
    })?;
    if kind == FileKind::Directory {
        return directory(path, environment);
    }
    let mut files =
        Files { root: path.parent().map_or_else(PathBuf::new, Path::to_path_buf), ..Files::default() };
    if files.root.as_os_str().is_empty() {
        files.root = ".".into();
    }
    files.read(path, environment);
    Ok(files)
}

fn directory(path: &Path, environment: &dyn Environment) -> Result<Files, Box<Diagnostic>> {
    let shown = path.to_string_lossy();
    let fail = |summary: String| Box::new(Diagnostic::error(code::UNREADABLE, summary));
    let mut names: Vec<String> = environment
        .list(path)
        .map_err(|e| fail(format!("cannot read the directory {shown}: {e}")))?
        .into_iter()
        .filter(|(_, kind)| *kind == FileKind::File)
        .map(|(name, _)| name)
        .collect();
    names.sort();
    let of = |suffix: &str| names.iter().filter(|name| name.ends_with(suffix)).collect::<Vec<_>>();
    let mut files = Files { root: path.to_path_buf(), ..Files::default() };
    let templates: Vec<&String> = of(".pkr.hcl").into_iter().chain(of(".pkr.json")).collect();
    if templates.len() > MAX_FILES {
        return Err(fail(format!("{shown} has more than {MAX_FILES} templates")));
    }
    if templates.is_empty() {
        return Err(fail(format!("could not find any config file in {shown}"))
            .detail_boxed("a directory is read for its *.pkr.hcl and *.pkr.json files"));
    }
    for name in templates {
        files.read(&path.join(name), environment);
    }
    // JSON files come later, so they win.
    for name in of(".auto.pkrvars.hcl").into_iter().chain(of(".auto.pkrvars.json")) {
        files.auto.push(path.join(name));
    }
    Ok(files)
}

impl Files {
    fn read(&mut self, path: &Path, environment: &dyn Environment) {
        match read_text(path, environment) {
            Ok(text) => self.texts.push((path.to_string_lossy().into_owned(), text)),
            Err(diagnostic) => self.diagnostics.push(*diagnostic),
        }
    }
}

/// A template or variable file as text.
///
/// # Errors
/// It cannot be read, is too large or is not UTF-8.
pub(crate) fn read_text(path: &Path, environment: &dyn Environment) -> Result<String, Box<Diagnostic>> {
    let shown = path.to_string_lossy();
    let fail = |summary: String| Box::new(Diagnostic::error(code::UNREADABLE, summary));
    let bytes = environment.read(path, MAX_FILE).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => fail(format!("there is no file at {shown}")),
        std::io::ErrorKind::FileTooLarge => fail(format!("{shown} is larger than 16 MiB")),
        _ => fail(format!("cannot read {shown}: {e}")),
    })?;
    String::from_utf8(bytes).map_err(|_| fail(format!("{shown} is not UTF-8 text")))
}

/// Adding detail to a boxed diagnostic.
trait BoxedDetail {
    fn detail_boxed(self, detail: &str) -> Self;
}

impl BoxedDetail for Box<Diagnostic> {
    fn detail_boxed(mut self, detail: &str) -> Self {
        self.detail = detail.to_owned();
        self
    }
}

impl Template {
    /// The plugins that the template requires, in the order of the text.
    pub(crate) fn required_plugins(&self) -> &[RequiredPlugin] {
        &self.declared.plugins
    }

    /// The data sources that it reads, each with its place.
    pub(crate) fn data_sources(&self) -> impl Iterator<Item = (ComponentRef, Span)> {
        self.declared
            .data
            .values()
            .map(|block| (ComponentRef::new(Kind::DataSource, block.label(0)), block.header))
    }

    /// The same, to be evaluated in the order of Packer before 1.12: all data sources, which cannot
    /// refer to locals then, before all locals.
    #[must_use]
    pub(crate) fn sequential(mut self, sequential: bool) -> Self {
        self.sequential = sequential;
        self
    }

    /// The texts that spans point into.
    pub(crate) fn sources(&self) -> &SourceMap {
        &self.sources
    }
}

/// A template or variable file in canonical layout, as `packer fmt` writes it.
///
/// # Errors
/// The text is not HCL: its syntax errors, and the map that their spans point into.
pub fn format(name: &str, text: &str) -> Result<String, (SourceMap, Diagnostics)> {
    let mut sources = SourceMap::default();
    let id = sources.add(name, text);
    let mistakes = syntax::parse_file(text, id).mistakes;
    if !mistakes.is_empty() {
        return Err((sources, mistakes));
    }
    crate::layout::format(text).ok_or_else(|| {
        let diagnostic = Diagnostic::error(code::SYNTAX, "the text cannot be split into tokens");
        (sources, vec![diagnostic])
    })
}
