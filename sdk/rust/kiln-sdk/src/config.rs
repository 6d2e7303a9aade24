//! A step's configuration: the typed options together with the handle that opens what they
//! designate.

use crate::Error;
use crate::bindings::host::kiln::host::config::{Configuration, Entry, NamedEntry};
use crate::files::{Directory, File, Output};
use serde::de::DeserializeOwned;
use std::ops::Deref;

/// Options of type `T` (it derefs to them) and the authority behind them.
///
/// Pointers are JSON pointers of the options: `/script`, `/scripts/0`, `/env/PATH`.
pub struct Config<T> {
    options: T,
    handle: Configuration,
}

impl<T: DeserializeOwned> Config<T> {
    /// Reads the options. The host checked them against the component's schema and filled in its
    /// defaults, so an error here means that `T` and the schema differ.
    ///
    /// # Errors
    /// `invalid`, with serde's words.
    pub fn read(handle: Configuration) -> Result<Self, Error> {
        let options = typed(&handle.json())
            .map_err(|e| Error::invalid(format!("options do not fit the component's type: {e}")))?;
        Ok(Self { options, handle })
    }
}

/// Options out of JSON; null is the same as not written, as everywhere in a template.
fn typed<T: DeserializeOwned>(json: &str) -> serde_json::Result<T> {
    let mut value: serde_json::Value = serde_json::from_str(json)?;
    if let Some(options) = value.as_object_mut() {
        options.retain(|_, value| !value.is_null());
    }
    serde_json::from_value(value)
}

impl<T> Config<T> {
    /// What the path at `pointer` designates.
    ///
    /// # Errors
    /// `denied` if the schema does not designate it, `not-found` if it is not there.
    pub fn entry(&self, pointer: &str) -> Result<Entry, Error> {
        self.handle.entry(pointer).map_err(|e| e.at(pointer))
    }

    /// The file at `pointer`.
    ///
    /// # Errors
    /// As [`Config::entry`]; `invalid` if it is a directory.
    pub fn file(&self, pointer: &str) -> Result<File, Error> {
        match self.entry(pointer)? {
            Entry::File(file) => Ok(file),
            Entry::Directory(_) => Err(Error::invalid("this is a directory, a file is needed").at(pointer)),
        }
    }

    /// The directory at `pointer`.
    ///
    /// # Errors
    /// As [`Config::entry`]; `invalid` if it is a file.
    pub fn directory(&self, pointer: &str) -> Result<Directory, Error> {
        match self.entry(pointer)? {
            Entry::Directory(directory) => Ok(directory),
            Entry::File(_) => Err(Error::invalid("this is a file, a directory is needed").at(pointer)),
        }
    }

    /// All that the list or glob at `pointer` designates.
    ///
    /// # Errors
    /// As [`Config::entry`].
    pub fn entries(&self, pointer: &str) -> Result<Vec<NamedEntry>, Error> {
        self.handle.entries(pointer).map_err(|e| e.at(pointer))
    }

    /// The output at `pointer`; the host renders the option's Go template with the fields of
    /// `late`, a JSON object.
    ///
    /// # Errors
    /// `denied` if the schema does not designate it, `already-exists` if it may not be replaced.
    pub fn output(&self, pointer: &str, late: &serde_json::Value) -> Result<Output, Error> {
        self.handle.output(pointer, &late.to_string()).map_err(|e| e.at(pointer))
    }

    /// The handle itself, for the host functions that read an option group.
    pub fn handle(&self) -> &Configuration {
        &self.handle
    }
}

impl<T> Deref for Config<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.options
    }
}

impl crate::Context {
    /// One of the values that the builder made known (`PackerHTTPAddr`, `Host`, …) as text;
    /// secrets are sealed.
    pub fn value(&self, name: &str) -> Option<String> {
        let values: serde_json::Value = serde_json::from_str(&self.values()).ok()?;
        match values.get(name)? {
            serde_json::Value::Null => None,
            serde_json::Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }
}
