//! What the components that run shell scripts share, on the machine or on this computer: the
//! environment of a script ([`Environment`]), which exit codes are good ([`Exit`]), checks of the
//! options ([`validate`]), and running on this computer ([`local`]).

mod environment;
mod exit;
pub mod local;
mod validate;

pub use environment::{Environment, Quote, split};
pub use exit::Exit;
pub use validate::{validate, validate_inline};
