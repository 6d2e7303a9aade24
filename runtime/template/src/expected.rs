//! What to say of a block or attribute that is not expected at its place: a name that is near, the
//! place where it belongs, what Packer has instead.

use crate::syntax::{Attribute, Block};
use kiln_plan::code::template as code;
use kiln_plan::{Diagnostic, nearest};

/// Blocks of a `build`.
const OF_BUILD: [&str; 4] = ["provisioner", "error-cleanup-provisioner", "post-processor", "post-processors"];
/// Blocks of a file.
const OF_FILE: [&str; 8] = ["packer", "variable", "variables", "local", "locals", "data", "source", "build"];

/// What Packer has in the place of what other tools, or its own older format, have.
fn instead(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "resource" => "an image is made by a `source` block and a `build` block that names it",
        "provider" | "backend" => "what a provider is told are options of a `source` block",
        "terraform" => "required versions stand in a `packer` block, plugins in its `required_plugins`",
        "required_providers" => "plugins stand in `required_plugins` of the `packer` block",
        "module" => "all *.pkr.hcl files of one directory are one template; there are no modules",
        "output" => "the post-processor `manifest` writes down what was built",
        "connection" => "how to connect are options of the source: ssh_host, ssh_username, …",
        "builder" | "builders" => {
            "a builder is written source \"TYPE\" \"NAME\" { … } and named in a `build` block"
        }
        "provisioners" => "each provisioner is a block of its own: provisioner \"TYPE\" { … }",
        _ => return None,
    })
}

/// Where a block of this kind belongs, or what Packer has in its place.
pub(crate) fn elsewhere(kind: &str) -> Option<String> {
    if let Some(instead) = instead(kind) {
        return Some(instead.to_owned());
    }
    if OF_BUILD.contains(&kind) {
        return Some(format!("`{kind}` blocks stand in a `build` block"));
    }
    OF_FILE
        .contains(&kind)
        .then(|| format!("`{kind}` blocks stand at the top of a template, in no other block"))
}

/// A block that is not one of `known`, which are expected.
pub(crate) fn block(block: &Block, known: &[&str]) -> Diagnostic {
    let kind = block.kind.as_str();
    let names: Vec<String> = known.iter().map(|name| (*name).to_owned()).collect();
    let help = if instead(kind).is_some() || OF_BUILD.contains(&kind) {
        elsewhere(kind)
    } else if let Some(near) = nearest(kind, names.iter()) {
        Some(format!("did you mean `{near}`?"))
    } else if OF_FILE.contains(&kind) {
        elsewhere(kind)
    } else if names.is_empty() {
        Some("there are no blocks here; a value is written name = value".to_owned())
    } else {
        Some(format!("expected are {}", names.join(", ")))
    };
    let summary = format!("blocks of type `{kind}` are not expected here");
    let mut diagnostic = Diagnostic::error(code::UNKNOWN_BLOCK, summary).at(block.header);
    diagnostic.help = help;
    diagnostic
}

/// An attribute that is not one of `known`, which are expected.
pub(crate) fn attribute(attribute: &Attribute, known: &[&str]) -> Diagnostic {
    let name = attribute.name.as_str();
    let names: Vec<String> = known.iter().map(|name| (*name).to_owned()).collect();
    let near = nearest(name, names.iter());
    let help = match near {
        Some(near) => Some(format!("did you mean `{near}`?")),
        None if OF_BUILD.contains(&name) || OF_FILE.contains(&name) || name == "validation" => {
            Some(format!("`{name}` is a block: write {name} {{ … }} without `=`, its labels in quotes"))
        }
        None if names.is_empty() => None,
        None => Some(format!("expected are {}", names.join(", "))),
    };
    let summary = format!("an argument named `{name}` is not expected here");
    let mut diagnostic = Diagnostic::error(code::UNEXPECTED_ATTRIBUTE, summary).at(attribute.name_span);
    diagnostic.help = help;
    diagnostic
}
