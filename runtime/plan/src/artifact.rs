//! What a build gave, as reporters show it.

use serde::Serialize;

/// A file of an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArtifactFile {
    /// As the user would write it.
    pub name: String,
    /// In bytes.
    pub size: u64,
}

/// An artifact without its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArtifactSummary {
    /// Which component makes such artifacts.
    pub builder_id: String,
    /// Its identity.
    pub id: String,
    /// One line for the user.
    pub description: String,
    /// Its files.
    pub files: Vec<ArtifactFile>,
}
