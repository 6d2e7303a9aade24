//! Bad input and bad days: each ends with a clear error that points at the template's line where
//! there is one, loses nothing, and leaves nothing behind.

mod build;
mod killed;
mod on_error;
mod template;
mod trap;
mod undo;
