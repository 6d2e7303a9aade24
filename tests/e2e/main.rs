//! Whole builds with real machines.

mod machines;
mod third_party;
