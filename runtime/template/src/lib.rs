//! Packer templates in, a Plan out; knows HCL and legacy JSON, knows no Wasm.
//!
//! ```text
//! files ──load──▶ Template ──evaluate──▶ Evaluated ──plan──▶ kiln_plan::Plan
//!                 (syntax,   (variables,            (builds, steps, filters; each step can be
//!                  structure) data, locals)          evaluated again when it runs)
//! ```
//!
//! The two languages have the same interface and nothing else in common: what is in `legacy/` is of
//! the one, what is beside it is of the other.
//!
//! Nothing here touches the world: files, environment variables, clock and chance come through
//! [`Environment`], components' schemas through [`Catalogue`], data sources through [`ReadData`].
//! Every input is hostile: files, nesting, loops, texts and values are bounded.

mod builds;
mod declared;
mod decode;
mod duration;
mod environment;
mod eval;
mod evaluated;
mod expected;
mod fix;
mod functions;
mod glob;
mod graph;
mod late;
mod layout;
mod legacy;
mod load;
mod plugins;
mod references;
mod rest;
mod show;
mod syntax;
mod template;
mod unknown;
mod upgrade;
mod value;
mod variables;
mod version;

pub use builds::Filters;
pub use declared::RequiredPlugin;
pub use environment::{Catalogue, DataRequest, Environment, FileKind, ReadData, SecretQuery};
pub use evaluated::{InspectedBuild, InspectedVariable, Inspection, Language, Mode};
pub use fix::{fix, fixers};
pub use functions::{Purity, names as functions};
pub use load::{Input, format};
pub use plugins::Compatible;
pub use template::{Evaluated, Template, load};
pub use upgrade::{Upgraded, upgrade};
pub use variables::{Undeclared, VariableInputs};

/// The version of Packer that templates are told they run on.
pub const PACKER_VERSION: &str = "1.16.0";
