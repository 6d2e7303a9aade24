//! The command line: exit codes, messages and Packer's output, compared with goldens.

mod absent;
mod components;
mod diagnostics;
mod fix;
mod flags;
mod golden;
mod hostile;
mod legacy;
mod manifests;
mod terminal;
mod traps;
mod upgrade;
mod verbs;
