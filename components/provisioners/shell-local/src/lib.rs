//! Provisioner `shell-local`: scripts on this computer, in the middle of a build. All of it is in
//! `kiln-scripts`, which the post-processor of the same name shares.

use kiln_scripts::local;
use kiln_sdk::{Config, Context, Description, Error, Findings, Provisioner, Session, Unchecked};

struct ShellLocal;

impl Provisioner for ShellLocal {
    type Options = local::Options;

    fn describe() -> Description {
        local::describe(env!("CARGO_PKG_VERSION"), env!("CARGO_PKG_DESCRIPTION"))
    }

    fn validate(options: &Unchecked, findings: &mut Findings) {
        local::validate(options, findings);
    }

    fn provision(
        context: &Context,
        config: &Config<local::Options>,
        _: Option<&Session>,
    ) -> Result<(), Error> {
        local::run(context, config)
    }
}

kiln_sdk::export_provisioner!(ShellLocal);
