//! What the plugins that a template requires come to: the components that kiln has instead.

use crate::bundled::BUNDLED;
use crate::config_file::Project;
use kiln_plan::ComponentRef;
use kiln_template::RequiredPlugin;

/// What there is for a required plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Has {
    /// Bundled components.
    Bundled(Vec<ComponentRef>),
    /// Components of the project's kiln.toml.
    Project(Vec<ComponentRef>),
    /// Components whose options are known, and no more.
    Absent(Vec<ComponentRef>),
    /// A reference to a registry of components, which cannot be fetched from yet.
    Registry,
    /// Nothing.
    Nothing,
}

impl Has {
    /// What there is for a plugin. Its components are those with its local name, and those whose
    /// names begin with that and a dash: `amazon-ebs`.
    pub(crate) fn of(plugin: &RequiredPlugin, project: &Project) -> Self {
        let own: Vec<ComponentRef> =
            project.components.iter().map(|c| c.component.clone()).filter(|c| plugin.has(&c.name)).collect();
        if !own.is_empty() {
            return Self::Project(own);
        }
        let bundled: Vec<ComponentRef> = BUNDLED
            .iter()
            .filter(|(_, name, _)| plugin.has(name))
            .map(|(kind, name, _)| ComponentRef::new(*kind, *name))
            .collect();
        if !bundled.is_empty() {
            return Self::Bundled(bundled);
        }
        let absent: Vec<ComponentRef> =
            kiln_absent::of_plugin(&plugin.source).map(|absent| absent.component.clone()).collect();
        if !absent.is_empty() {
            return Self::Absent(absent);
        }
        if is_registry(&plugin.source) { Self::Registry } else { Self::Nothing }
    }

    /// Whether `init` has done all it can: what is absent is known well enough to be checked, and
    /// `build` says that it is not there.
    pub(crate) fn is_enough(&self) -> bool {
        matches!(self, Self::Bundled(_) | Self::Project(_) | Self::Absent(_))
    }

    /// In words, after the name of the plugin.
    pub(crate) fn words(&self, source: &str) -> String {
        let list = |components: &[ComponentRef]| {
            components.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        match self {
            Self::Bundled(components) => format!("bundled: {}", list(components)),
            Self::Project(components) => format!("in kiln.toml: {}", list(components)),
            Self::Absent(components) => format!(
                "not there yet, so templates with it can be checked and not built: {}",
                list(components)
            ),
            Self::Registry => registry(source),
            Self::Nothing => "kiln has no components of it; a .wasm file can be added: \
                              kiln plugins install -path FILE NAME"
                .to_owned(),
        }
    }
}

/// What to do about a component in a registry.
pub(crate) fn registry(source: &str) -> String {
    format!(
        "components are not fetched from registries yet; get the .wasm file, then: kiln plugins install -path FILE {source}"
    )
}

/// Whether a source names a registry of components, not a repository of Packer's plugins.
pub(crate) fn is_registry(source: &str) -> bool {
    let host = source.split('/').next().unwrap_or("");
    source.contains('/') && host.contains(['.', ':']) && host != "github.com"
}

#[cfg(test)]
mod tests {
    use super::*;
    use kiln_plan::{FileId, Kind, Span};

    fn plugin(name: &str, source: &str) -> RequiredPlugin {
        let version = ">= 1.0".to_owned();
        RequiredPlugin {
            name: name.into(),
            source: source.into(),
            version,
            span: Span { file: FileId(0), start: 0, end: 0 },
        }
    }

    #[test]
    fn plugins_come_to_components() {
        let project = Project::default();
        let has = |name: &str, source: &str| Has::of(&plugin(name, source), &project);
        let qemu = has("qemu", "github.com/hashicorp/qemu");
        assert_eq!(qemu, Has::Bundled(vec![ComponentRef::new(Kind::Builder, "qemu")]));
        assert!(qemu.is_enough());
        let amazon = has("amazon", "github.com/hashicorp/amazon");
        assert!(matches!(&amazon, Has::Absent(list) if !list.is_empty()) && amazon.is_enough());
        assert_eq!(has("foo", "ghcr.io/acme/kiln-foo"), Has::Registry);
        assert_eq!(has("qem", "github.com/acme/qem"), Has::Nothing);
    }
}
