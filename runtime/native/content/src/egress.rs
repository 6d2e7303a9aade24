//! The only way out: a dialler and an HTTP client that ask a policy twice, first for the name, then for the address
//! really dialled. Main type: [`Egress`].
//!
//! Invariant: no packet, not even a DNS query, leaves for a name that the policy refused, and no connection is opened to
//! an address that it did not judge. There is one lookup per connection, and what was judged is what is dialled, so a
//! name that changes its answer between check and dial gains nothing.
//!
//! ```text
//!  request ─▶ target (host, port) ─▶ allow_name ─▶ resolve once ─▶ allow_address each ─▶ dial a judged one
//!     ▲                                                                                       │
//!     └── redirect (at most 10, judged again) ◀── response ◀── HTTP/1 ◀── TLS (SNI: the name) ◀┘
//! ```

mod address;
mod body;
mod client;
mod dial;
mod error;
mod proxy;
mod redirect;
mod settings;
mod target;

pub use address::{AddressClass, classify};
pub use body::ResponseBody;
pub use client::{Connection, Egress, Sent};
pub use dial::{Resolve, Resolving};
pub use error::EgressError;
pub(crate) use proxy::{basic, percent_decode};
pub(crate) use redirect::{get_following, shown};
pub use settings::{EgressPolicy, EgressSettings, PolicyFns, ProxySettings, Timeouts};
pub use target::origin_of;
