//! Values that are known late. Packer evaluates each step's options twice: to validate, and again
//! just before the step runs, when `build.*` is known. A plan holds the second evaluation as an
//! [`Evaluate`].

use crate::{Diagnostics, Span, Value};
use std::collections::BTreeMap;

/// What `build.*` and `source.*` mean at the moment of evaluation.
#[derive(Debug, Clone, Default)]
pub struct BuildValues {
    /// Values of `build.*`, by name; empty while validating, when they are unknown.
    pub build: BTreeMap<String, Value>,
}

/// A step's options, evaluated.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// A map: option name to value. Options that were not written are absent.
    pub value: Value,
    /// Where each value was written, by JSON pointer; not every pointer has a place.
    pub spans: BTreeMap<String, Span>,
    /// The block that holds the options.
    pub block: Option<Span>,
    /// That block as Packer says it: `provisioner "shell"`.
    pub context: String,
}

impl Configuration {
    /// The place of `pointer` or of the nearest value around it.
    pub fn span(&self, pointer: &str) -> Option<Span> {
        let mut pointer = pointer;
        loop {
            if let Some(span) = self.spans.get(pointer) {
                return Some(*span);
            }
            match pointer.rfind('/') {
                Some(at) => pointer = pointer.get(..at).unwrap_or(""),
                None => return self.block,
            }
        }
    }
}

/// Options that can be evaluated, again and again.
pub trait Evaluate: Send + Sync + std::fmt::Debug {
    /// The options as they are now, checked against the component's schema.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    fn evaluate(&self, values: &BuildValues) -> Result<Configuration, Diagnostics>;
}
