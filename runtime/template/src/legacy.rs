//! Legacy JSON templates: every string is a Go template, and there is no expression language.
//!
//! ```text
//! text ──read──▶ Document ──evaluate──▶ values of variables ──plan──▶ kiln_plan::Plan
//! ```
//!
//! Nothing of HCL is in here but the words that both languages share: variables' inputs, filters,
//! plans and diagnostics.

mod document;
mod inspect;
mod options;
mod plan;
mod read;
mod render;
mod scope;
mod variables;

pub(crate) use document::{Builder, Document, PostProcessor, Provisioner, Text, Variable};
pub(crate) use options::known;

use crate::eval::World;
use crate::version::Version;
use crate::{Environment, Mode, PACKER_VERSION, VariableInputs};
use kiln_plan::code::template as code;
use kiln_plan::{Diagnostic, Diagnostics, FileId, SourceMap, Span};
use read::read;
use scope::Run;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use variables::Variables;

/// A legacy template that was read but not evaluated.
#[derive(Debug)]
pub(crate) struct Template {
    document: Document,
    sources: SourceMap,
    world: World,
    warnings: Diagnostics,
}

/// A legacy template with the values of its variables.
#[derive(Debug, Clone)]
pub(crate) struct Evaluated {
    document: Arc<Document>,
    sources: Arc<SourceMap>,
    run: Arc<Run>,
    /// The variables have an error, so nothing may be built.
    failed: bool,
}

/// Reads a template of this name; `path` is where it is, if it is a file.
///
/// # Errors
/// Everything that is wrong with its syntax and static structure, and the text to show it with. A
/// version of Packer that is not satisfied is reported alone.
pub(crate) fn load(
    name: &str,
    text: &str,
    path: Option<&Path>,
    environment: Arc<dyn Environment>,
) -> Result<Template, (SourceMap, Diagnostics)> {
    let (sources, document, found) = parse(name, text)?;
    if let Some(wrong) = wrong_version(&document) {
        return Err((sources, vec![wrong]));
    }
    if found.iter().any(Diagnostic::is_error) {
        return Err((sources, found));
    }
    let root = path.and_then(Path::parent).filter(|parent| !parent.as_os_str().is_empty());
    let root = root.map_or_else(|| PathBuf::from("."), Path::to_path_buf);
    Ok(Template {
        document,
        sources,
        world: World { environment, root, asks_servers: false },
        warnings: found,
    })
}

/// The parts of a template, as complete as they can be, with the text to show what is wrong with
/// them. Nothing is said of the version of Packer that it is for.
///
/// # Errors
/// The text is in another language.
pub(crate) fn parse(
    name: &str,
    text: &str,
) -> Result<(SourceMap, Document, Diagnostics), (SourceMap, Diagnostics)> {
    let mut sources = SourceMap::default();
    let id = sources.add(name, text);
    // The reader says what is wrong with a byte order mark.
    if !text.trim_start_matches('\u{feff}').trim_start().starts_with(['{', '[']) {
        let wrong = Diagnostic::error(code::UNSUPPORTED_SYNTAX, format!("{name} is not a template"))
            .at(first_character(text, id))
            .detail(
                "HCL2 templates are named *.pkr.hcl or *.pkr.json, any other file is a legacy JSON template",
            )
            .help("give the file such a name if it is HCL2; for standard input add -config-type=hcl2");
        return Err((sources, vec![wrong]));
    }
    let (document, found) = read(text, id);
    Ok((sources, document, found))
}

fn first_character(text: &str, file: FileId) -> Span {
    let length = text.chars().next().map_or(0, char::len_utf8);
    Span { file, start: 0, end: u32::try_from(length).unwrap_or(0) }
}

fn wrong_version(document: &Document) -> Option<Diagnostic> {
    let wanted = document.min_packer_version.as_ref().filter(|wanted| !wanted.text.is_empty())?;
    let summary = match (Version::parse(&wanted.text), Version::parse(PACKER_VERSION)?) {
        (None, _) => format!("`min_packer_version`: \"{}\" is not a version", wanted.text),
        (Some(least), have) if have.compare(&least).is_lt() => {
            format!(
                "the template requires Packer {} or later, this is compatible with {PACKER_VERSION}",
                wanted.text
            )
        }
        _ => return None,
    };
    Some(Diagnostic::error(code::UNSUPPORTED_VERSION, summary).at(wanted.span))
}

impl Template {
    /// The texts that spans point into.
    pub(crate) fn sources(&self) -> &SourceMap {
        &self.sources
    }

    /// Settles the values of variables. What servers keep is unknown unless they may be asked.
    /// What is wrong is in the diagnostics.
    pub(crate) fn evaluate(
        self,
        inputs: &VariableInputs,
        asks_servers: bool,
        mode: Mode,
    ) -> (Evaluated, Diagnostics) {
        let Self { document, mut sources, mut world, warnings: mut found } = self;
        world.asks_servers = asks_servers;
        let mut run = Run::new(world);
        run.variables = Variables::resolve(&document, inputs, mode, &run, &mut sources, &mut found);
        let failed = found.iter().any(Diagnostic::is_error);
        let evaluated = Evaluated {
            document: Arc::new(document),
            // Diagnostics quote the texts, and a value that is a secret is written in them.
            sources: Arc::new(sources.without(&run.variables.secrets())),
            run: Arc::new(run),
            failed,
        };
        (evaluated, found)
    }
}

impl Evaluated {
    /// The texts that spans point into.
    pub(crate) fn sources(&self) -> &Arc<SourceMap> {
        &self.sources
    }
}
