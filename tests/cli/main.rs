//! The command line: exit codes, messages and Packer's output, compared with goldens.

mod absent;
mod fix;
mod golden;
mod hostile;
mod manifests;
mod upgrade;
mod verbs;
