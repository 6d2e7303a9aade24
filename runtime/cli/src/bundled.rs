//! The components inside the binary.

use kiln_plan::Kind;

/// Kind, name and bytes of each, sorted by kind and name.
pub(crate) const BUNDLED: &[(Kind, &str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/bundled.rs"));
