//! The command line: exit codes, messages and Packer's output, compared with goldens.

mod absent;
mod fix;
mod golden;
mod manifests;
mod verbs;
