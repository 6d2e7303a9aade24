//! The contract, function by function: what `wit/` says of each, what the host's table says, and
//! what a guest gets that was generated from `wit/` and calls every one of them.

mod called;
mod functions;
mod world;
