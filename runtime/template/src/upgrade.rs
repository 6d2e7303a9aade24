//! `hcl2_upgrade`: a legacy JSON template as HCL2. Main function: [`upgrade`].
//!
//! ```text
//! legacy template ──▶ variables, sources, steps ──▶ HCL text ──▶ layout
//!                      (Go templates translated, blocks by the components' schemas)
//! ```
//! What the result plans is what the legacy template plans, but for names that HCL needs and for
//! values that it computes elsewhere.

mod input;
mod options;
mod sources;
mod steps;
mod text;
mod variables;
mod write;

use crate::environment::Catalogue;
use input::{Legacy, Part};
use kiln_plan::{ComponentRef, Kind};
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upgraded {
    /// The HCL2 template.
    pub text: String,
    /// Components that nothing is known of; their options were translated by their shape.
    pub unknown: Vec<ComponentRef>,
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

fn translate(legacy: &Legacy, catalogue: &dyn Catalogue, notes: Notes) -> String {
    let mut translator = Translator::default();
    let mut variables = Writer::default();
    let mut found = variables::translate(&legacy.variables, &mut translator);
    let (sources, builds) = sources::order(&legacy.builders);
    let (mut data, mut blocks) = (Writer::default(), Writer::default());
    sources::write_secrets(&translator.secrets, notes, &mut data);
    for source in &sources {
        source.write_data(catalogue, &mut translator, &mut data);
        blocks.gap();
        source.write(catalogue, &mut translator, &mut blocks);
    }
    let mut build = Writer::default();
    notes.write(&mut build, "A build runs the provisioners on each of its sources.");
    build.open("build", &[]);
    if let Some(description) = &legacy.description {
        build.attribute("description", &format!("\"{}\"", quoted(description)));
    }
    let references: Vec<String> = sources.iter().map(|source| source.reference()).collect();
    build.attribute("sources", &format!("[{}]", references.join(", ")));
    let mut steps = Steps { builds: &builds, catalogue, translator: &mut translator, writer: &mut build };
    legacy.provisioners.iter().for_each(|part| steps.provisioner("provisioner", part));
    legacy.error_cleanup.iter().for_each(|part| steps.provisioner("error-cleanup-provisioner", part));
    legacy.post_processors.iter().for_each(|sequence| steps.sequence(sequence));
    build.close();
    found.declare_used(&translator.used, &translator.locals);
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
fn packer_block(legacy: &Legacy, writer: &mut Writer) {
    let used: BTreeSet<&str> = parts(legacy).map(|(_, part)| part.ty.as_str()).collect();
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
        writer.attribute("required_version", &format!("\">= {}\"", quoted(version)));
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

/// All components with their kinds.
fn parts(legacy: &Legacy) -> impl Iterator<Item = (Kind, &Part)> {
    let builders = legacy.builders.iter().map(|part| (Kind::Builder, part));
    let provisioners = legacy.provisioners.iter().chain(&legacy.error_cleanup);
    let post_processors = legacy.post_processors.iter().flatten();
    builders
        .chain(provisioners.map(|part| (Kind::Provisioner, part)))
        .chain(post_processors.map(|part| (Kind::PostProcessor, part)))
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

/// The largest legacy template, in bytes.
const MAX: usize = 16 << 20;

/// Upgrades the text of a legacy template; the result explains itself if it is to be `annotated`.
///
/// # Errors
/// What is wrong with the template.
pub fn upgrade(text: &str, catalogue: &dyn Catalogue, annotated: bool) -> Result<Upgraded, String> {
    if text.len() > MAX {
        return Err("the template is larger than 16 MiB".to_owned());
    }
    let json: serde_json::Value =
        serde_json::from_str(text).map_err(|e| format!("this is no legacy JSON template: {e}"))?;
    let legacy = Legacy::of(&json)?;
    let text = translate(&legacy, catalogue, Notes(annotated));
    let text = crate::layout::format(&text).unwrap_or(text);
    let unknown: BTreeSet<ComponentRef> = parts(&legacy)
        .map(|(kind, part)| ComponentRef::new(kind, &*part.ty))
        .filter(|component| catalogue.schema(component).is_none())
        .collect();
    Ok(Upgraded { text, unknown: unknown.into_iter().collect() })
}
