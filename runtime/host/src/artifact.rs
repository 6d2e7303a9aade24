//! What a build gave. Main type: [`ArtifactHandle`], which is cheap to share; its files stay where
//! they are.

use crate::bindings::kiln::host::types::ErrorCode;
use crate::error::{CallResult, fail};
use crate::file::File;
use crate::output::{self, Made};
use kiln_plan::{ArtifactFile, ArtifactSummary};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A finished artifact.
#[derive(Debug, Clone)]
pub struct ArtifactHandle(Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) builder_id: String,
    pub(crate) id: String,
    pub(crate) description: String,
    pub(crate) files: Vec<Member>,
    pub(crate) state: BTreeMap<String, String>,
    /// Whether its files are the user's own, which nobody removes.
    pub(crate) adopted: bool,
}

/// A file of an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) path: PathBuf,
}

impl ArtifactHandle {
    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    /// Without its content.
    pub fn summary(&self) -> ArtifactSummary {
        ArtifactSummary {
            builder_id: self.0.builder_id.clone(),
            id: self.0.id.clone(),
            description: self.0.description.clone(),
            files: self.0.files.iter().map(|f| ArtifactFile { name: f.name.clone(), size: f.size }).collect(),
        }
    }

    /// One of its files, opened as it is now. Blocks on disks.
    pub(crate) fn open(&self, name: &str) -> CallResult<File> {
        let member = self
            .0
            .files
            .iter()
            .find(|file| file.name == name)
            .ok_or_else(|| fail(ErrorCode::NotFound, format!("the artifact has no file `{name}`")))?;
        open_plain(&member.path)
            .and_then(|file| File::opened(file, &member.path))
            .map_err(|e| fail(ErrorCode::Failed, format!("cannot open `{name}`: {e}")))
    }

    /// Removes its files, if this build made them, and directories that are empty then.
    pub(crate) fn destroy(&self, made: &Made) -> Vec<String> {
        let mut left = Vec::new();
        if self.0.adopted {
            return left;
        }
        for file in &self.0.files {
            if !made.covers(&file.path) {
                continue;
            }
            match output::remove_any(&file.path) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => left.push(format!("cannot remove `{}`: {error}", file.name)),
            }
            let parents: Vec<&Path> =
                file.path.ancestors().skip(1).take_while(|above| made.has(above)).collect();
            for parent in parents {
                output::remove_marker(parent);
                output::remove_if_empty(parent);
            }
        }
        left
    }
}

#[expect(clippy::disallowed_methods, reason = "opens what a build wrote and recorded")]
fn open_plain(path: &Path) -> std::io::Result<std::fs::File> {
    if path.symlink_metadata()?.is_symlink() {
        return Err(std::io::Error::other("it became a link"));
    }
    std::fs::File::open(path)
}
