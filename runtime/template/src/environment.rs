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

/// A secret that a function of the language asks a server for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretQuery {
    /// The field `key` of what Vault has at `path`.
    Vault {
        /// As in Vault's HTTP interface: `secret/data/name` in the second version of its store.
        path: String,
        /// The field.
        key: String,
    },
    /// The value of a key in Consul's store.
    Consul {
        /// The key.
        key: String,
    },
    /// A field of a secret in AWS Secrets Manager.
    Aws {
        /// Its name.
        name: String,
        /// The field; `None` if there is only one.
        key: Option<String>,
    },
    /// All of such a secret, as it is.
    AwsRaw {
        /// Its name.
        name: String,
    },
}

/// Files, environment variables, clock, chance, and secrets that servers keep.
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

    /// A secret from a server that the user's own settings name. Not called where nothing may go
    /// over the network.
    ///
    /// # Errors
    /// Why there is none, for the user to read.
    fn secret(&self, query: &SecretQuery) -> Result<String, String> {
        let _ = query;
        Err("servers cannot be asked for secrets here".to_owned())
    }
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

/// A data source that is to be run.
#[derive(Debug, Clone)]
pub struct DataRequest {
    /// The data source.
    pub component: ComponentRef,
    /// Its name in the template.
    pub label: String,
    /// Its options.
    pub configuration: Configuration,
}

/// Runs data sources.
pub trait ReadData {
    /// The values of data sources, objects, in the order of the requests. None of them depends on
    /// another, so they may run at once. What fails says why; the caller adds the place.
    fn read(&self, requests: Vec<DataRequest>) -> Vec<Result<Value, Box<Diagnostic>>>;
}
