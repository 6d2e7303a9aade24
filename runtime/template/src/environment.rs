//! What the language needs of the world, given by the caller: `kiln-cli` with the real one, a
//! sandboxed or recorded one elsewhere. This crate touches nothing by itself.

use kiln_plan::{ComponentRef, Configuration, Diagnostic, Kind, Schema, Value};
use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A device, socket or the like.
    Other,
}

/// Files, environment variables, clock and chance.
pub trait Environment: Debug + Send + Sync {
    /// The whole content of a file of at most `limit` bytes.
    ///
    /// # Errors
    /// As the system says; [`io::ErrorKind::FileTooLarge`] above the limit.
    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>>;

    /// The names in a directory and what they are, links followed, in any order.
    ///
    /// # Errors
    /// As the system says.
    fn list(&self, directory: &Path) -> io::Result<Vec<(String, FileKind)>>;

    /// What is at a path, links followed.
    ///
    /// # Errors
    /// As the system says; [`io::ErrorKind::NotFound`] if there is nothing.
    fn kind(&self, path: &Path) -> io::Result<FileKind>;

    /// An environment variable; `None` if it is not set.
    fn variable(&self, name: &str) -> Option<String>;

    /// The working directory, absolute.
    fn working_directory(&self) -> PathBuf;

    /// The user's home directory.
    fn home(&self) -> Option<PathBuf>;

    /// The time now.
    fn now(&self) -> SystemTime;

    /// When the run began.
    fn started(&self) -> SystemTime;

    /// Fills `bytes` with random ones, fit for secrets.
    fn random(&self, bytes: &mut [u8]);
}

/// Which components there are and what they take.
pub trait Catalogue {
    /// The options of a component; `None` if there is none of this kind and name.
    fn schema(&self, component: &ComponentRef) -> Option<Arc<Schema>>;

    /// What a data source gives; `None` if it does not say.
    fn output_schema(&self, component: &ComponentRef) -> Option<Arc<Schema>>;

    /// The names of all components of a kind that can be run, for suggestions.
    fn names(&self, kind: Kind) -> Vec<String>;

    /// The names of those that have a schema but cannot be run yet, for suggestions.
    fn absent_names(&self, _kind: Kind) -> Vec<String> {
        Vec::new()
    }
}

/// Runs data sources.
#[expect(clippy::result_large_err, reason = "data sources are few, and a diagnostic is what they fail with")]
pub trait ReadData {
    /// The value of `data.TYPE.LABEL`, an object.
    ///
    /// # Errors
    /// Why it cannot be read; the caller adds the place.
    fn read(
        &self,
        component: &ComponentRef,
        label: &str,
        configuration: Configuration,
    ) -> Result<Value, Diagnostic>;
}
