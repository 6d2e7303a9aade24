//! The engine's rules, with a scripted executor and paused time.

mod rules;
mod scripted;
