//! Bulk data at native speed, and the only way out to the network; knows no Wasm and no templates.
//!
//! - [`egress`]: a dialler and HTTP client that ask a policy for the name and for the address really dialled.
#![warn(missing_docs)]

pub mod egress;
