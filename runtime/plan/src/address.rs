//! Names: what kind a component is and how a template refers to it.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The four kinds of component, told by the interface that a component exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Makes a machine and an artifact.
    Builder,
    /// Changes a running machine.
    Provisioner,
    /// Does something with an artifact.
    PostProcessor,
    /// Gives values to a template.
    DataSource,
}

impl Kind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [Self; 4] = [Self::Builder, Self::Provisioner, Self::PostProcessor, Self::DataSource];

    /// As it is written in messages: `post-processor`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Builder => "builder",
            Self::Provisioner => "provisioner",
            Self::PostProcessor => "post-processor",
            Self::DataSource => "data source",
        }
    }

    /// The folder of bundled components of this kind: `post-processors`.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Builder => "builders",
            Self::Provisioner => "provisioners",
            Self::PostProcessor => "post-processors",
            Self::DataSource => "data-sources",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A component as a template names it: kind and type (`builder qemu`, `provisioner shell`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ComponentRef {
    /// Its kind.
    pub kind: Kind,
    /// Its type, as written in the template.
    pub name: String,
}

impl ComponentRef {
    /// `kind` and `name` together.
    pub fn new(kind: Kind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }
}

impl fmt::Display for ComponentRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.kind, self.name)
    }
}
