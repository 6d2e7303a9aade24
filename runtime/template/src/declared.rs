//! What a template declares: the static structure, before anything is evaluated.

mod read;

pub(crate) use read::{is_empty_collection, read};

use crate::syntax::{Block, Expr};
use crate::value::types::Type;
use kiln_plan::Span;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Everything that the blocks of a template declare.
#[derive(Debug, Default)]
pub(crate) struct Declared {
    /// Constraints on the version of Packer.
    pub(crate) required_versions: Vec<(String, Span)>,
    pub(crate) plugins: Vec<RequiredPlugin>,
    pub(crate) variables: BTreeMap<String, Variable>,
    pub(crate) locals: BTreeMap<String, Local>,
    /// By type and name.
    pub(crate) data: BTreeMap<(String, String), Block>,
    /// By type and name.
    pub(crate) sources: BTreeMap<(String, String), Block>,
    pub(crate) builds: Vec<Block>,
    /// `hcp_packer_registry` outside of builds.
    pub(crate) registries: Vec<Block>,
}

/// An entry of `required_plugins`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredPlugin {
    /// The local name.
    pub name: String,
    /// `github.com/hashicorp/qemu`, or an OCI reference.
    pub source: String,
    /// The constraint as it was written.
    pub version: String,
    /// Where.
    pub span: Span,
}

impl RequiredPlugin {
    /// Whether a component of this name is of the plugin: it has the plugin's local name, or begins
    /// with that and a dash, as `amazon-ebs`.
    pub fn has(&self, component: &str) -> bool {
        let rest = component.strip_prefix(self.name.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    }
}

/// A `variable`.
#[derive(Debug, Clone)]
pub(crate) struct Variable {
    pub(crate) ty: Option<Type>,
    pub(crate) default: Option<Arc<Expr>>,
    pub(crate) description: String,
    pub(crate) sensitive: bool,
    pub(crate) validations: Vec<Validation>,
    pub(crate) span: Span,
}

/// A `validation` of a variable.
#[derive(Debug, Clone)]
pub(crate) struct Validation {
    pub(crate) condition: Arc<Expr>,
    pub(crate) message: String,
    pub(crate) span: Span,
}

/// A local value.
#[derive(Debug, Clone)]
pub(crate) struct Local {
    pub(crate) expression: Arc<Expr>,
    pub(crate) sensitive: bool,
    pub(crate) span: Span,
}
