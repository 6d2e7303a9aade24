//! `hcl2_upgrade`: a legacy JSON template as HCL2. Main function: [`upgrade`].
//!
//! ```text
//! legacy template ──▶ variables, sources, steps ──▶ HCL text ──▶ layout
//!                      (Go templates translated, blocks by the components' schemas)
//! ```
//! What the result plans is what the legacy template plans, but for names that HCL needs and for
//! values that it computes elsewhere.

mod options;
mod sources;
mod steps;
mod text;
mod variables;
mod write;

use crate::environment::Catalogue;
use crate::evaluated::dedupe;
use crate::legacy::{self, Document, Text};
use kiln_plan::{ComponentRef, Diagnostic, Diagnostics, Kind, SourceMap};
use std::collections::BTreeSet;
use steps::Steps;
use text::Translator;
use write::{Writer, quoted};

/// Plugins that templates are known to need, each with its source.
const PLUGINS: [(&str, &str); 10] = [
    ("amazon", "github.com/hashicorp/amazon"),
    ("ansible", "github.com/hashicorp/ansible"),
    ("azure", "github.com/hashicorp/azure"),
    ("docker", "github.com/hashicorp/docker"),
    ("googlecompute", "github.com/hashicorp/googlecompute"),
    ("qemu", "github.com/hashicorp/qemu"),
    ("vagrant", "github.com/hashicorp/vagrant"),
    ("virtualbox", "github.com/hashicorp/virtualbox"),
    ("vmware", "github.com/hashicorp/vmware"),
    ("vsphere", "github.com/hashicorp/vsphere"),
];

/// A template that was upgraded.
#[derive(Debug, Clone)]
pub struct Upgraded {
    /// The HCL2 template.
    pub text: String,
    /// Components that nothing is known of; their options were translated by their shape.
    pub unknown: Vec<ComponentRef>,
    /// What is odd in the legacy template.
    pub warnings: Diagnostics,
    /// The text that they point into.
    pub sources: SourceMap,
}

/// Whether the result explains itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Notes(bool);

impl Notes {
    fn write(self, writer: &mut Writer, text: &str) {
        if self.0 {
            writer.comment(text);
        }
    }
}

fn translate(
    legacy: &Document,
    catalogue: &dyn Catalogue,
    notes: Notes,
    translator: &mut Translator,
) -> String {
    let mut variables = Writer::default();
    let mut found = variables::translate(legacy, translator);
    let (sources, builds) = sources::order(&legacy.builders);
    let (mut data, mut blocks) = (Writer::default(), Writer::default());
    sources::write_secrets(&translator.secrets, notes, &mut data);
    for source in &sources {
        source.write_data(catalogue, translator, &mut data);
        blocks.gap();
        source.write(catalogue, translator, &mut blocks);
    }
    let mut build = Writer::default();
    notes.write(&mut build, "A build runs the provisioners on each of its sources.");
    build.open("build", &[]);
    if let Some(description) = &legacy.description {
        build.attribute("description", &format!("\"{}\"", quoted(&description.text)));
    }
    let references: Vec<String> = sources.iter().map(|source| source.reference()).collect();
    build.attribute("sources", &format!("[{}]", references.join(", ")));
    let mut steps = Steps { builds: &builds, catalogue, translator, writer: &mut build };
    legacy.provisioners.iter().for_each(|part| steps.provisioner("provisioner", part));
    legacy.error_cleanup.iter().for_each(|part| steps.provisioner("error-cleanup-provisioner", part));
    legacy.post_processors.iter().for_each(|sequence| steps.sequence(sequence));
    build.close();
    found.declare_used(translator);
    found.write(notes, &mut variables);

    let mut writer = Writer::default();
    notes.write(&mut writer, INTRODUCTION);
    packer_block(legacy, &mut writer);
    let mut locals = Writer::default();
    let timestamp = translator.uses_timestamp.then_some(translator.timestamp.as_str());
    found.write_locals(timestamp, notes, &mut locals);
    if notes.0 && !blocks.out.is_empty() {
        blocks.out.insert_str(0, "# Each builder is a source, which builds refer to by type and name.\n");
    }
    for part in [variables, data, locals, blocks, build].iter().filter(|part| !part.out.is_empty()) {
        writer.gap();
        writer.out.push_str(&part.out);
    }
    writer.out
}

const INTRODUCTION: &str = "Made from a legacy JSON template; read it before you rely on it.\n\
    Blocks may be moved into other files of this folder whose names end in .pkr.hcl.\n\
    What is between {{ and }} is rendered after what is between ${ and }.";

/// What the template needs of Packer.
fn packer_block(legacy: &Document, writer: &mut Writer) {
    let used: BTreeSet<&str> = parts(legacy).map(|(_, ty)| ty.text.as_str()).collect();
    let of = |plugin: &str, ty: &&str| {
        ty.strip_prefix(plugin).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    let plugins: Vec<_> = PLUGINS.iter().filter(|(plugin, _)| used.iter().any(|ty| of(plugin, ty))).collect();
    if legacy.min_packer_version.is_none() && plugins.is_empty() {
        return;
    }
    writer.gap();
    writer.open("packer", &[]);
    if let Some(version) = &legacy.min_packer_version {
        writer.attribute("required_version", &format!("\">= {}\"", quoted(&version.text)));
    }
    if !plugins.is_empty() {
        writer.open("required_plugins", &[]);
        for (plugin, source) in plugins {
            writer.attribute(plugin, &format!("{{\nsource = \"{source}\"\nversion = \"~> 1\"\n}}"));
        }
        writer.close();
    }
    writer.close();
}

/// The types of all components with their kinds.
fn parts(legacy: &Document) -> impl Iterator<Item = (Kind, &Text)> {
    let builders = legacy.builders.iter().map(|one| (Kind::Builder, &one.ty));
    let provisioners = legacy.provisioners.iter().chain(&legacy.error_cleanup);
    let post_processors = legacy.post_processors.iter().flatten();
    builders
        .chain(provisioners.map(|one| (Kind::Provisioner, &one.ty)))
        .chain(post_processors.map(|one| (Kind::PostProcessor, &one.ty)))
}

/// Says which template functions the next block still has.
fn left_comment(left: &BTreeSet<String>, writer: &mut Writer) {
    if left.is_empty() {
        return;
    }
    let names: Vec<&str> = left.iter().map(String::as_str).collect();
    writer.comment(&format!(
        "Left as it was, to be written with functions of HCL2 by hand: {}",
        names.join(", ")
    ));
}

/// Upgrades the text of a legacy template that messages call `name`; the result explains itself if it
/// is to be `annotated`.
///
/// # Errors
/// Everything that is wrong with the template, and the text to show it with.
pub fn upgrade(
    name: &str,
    text: &str,
    catalogue: &dyn Catalogue,
    annotated: bool,
) -> Result<Upgraded, (SourceMap, Diagnostics)> {
    let (sources, legacy, mut found) = legacy::parse(name, text)?;
    if found.iter().any(Diagnostic::is_error) {
        return Err((sources, found));
    }
    let mut translator = Translator::default();
    let text = translate(&legacy, catalogue, Notes(annotated), &mut translator);
    found.append(&mut translator.found);
    dedupe(&mut found);
    if found.iter().any(Diagnostic::is_error) {
        return Err((sources, found));
    }
    let text = crate::layout::format(&text).unwrap_or(text);
    let unknown: BTreeSet<ComponentRef> = parts(&legacy)
        .map(|(kind, ty)| ComponentRef::new(kind, &*ty.text))
        .filter(|component| catalogue.schema(component).is_none())
        .collect();
    Ok(Upgraded { text, unknown: unknown.into_iter().collect(), warnings: found, sources })
}
