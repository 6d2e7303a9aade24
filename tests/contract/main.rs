//! The contract, function by function: what `wit/` says of each, what the host's table says, and
//! what a guest gets that was generated from `wit/` and calls every one of them.

mod beside;
mod called;
mod functions;
mod outgoing;
mod server;
mod world;
