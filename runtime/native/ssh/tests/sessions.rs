//! Sessions against real servers: OpenSSH's sshd and dropbear, started per test on 127.0.0.1; an in-process server only
//! where a real one would need a user with a known password or has to misbehave.
#![expect(clippy::disallowed_methods, reason = "tests start servers and make files")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

#[path = "sessions/connecting.rs"]
mod connecting;
#[path = "sessions/crooked.rs"]
mod crooked;
#[path = "sessions/directories.rs"]
mod directories;
#[path = "sessions/executing.rs"]
mod executing;
#[path = "sessions/files.rs"]
mod files;
#[path = "sessions/forwarding.rs"]
mod forwarding;
#[path = "sessions/server.rs"]
mod server;
