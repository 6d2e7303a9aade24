//! Post-processor `shell-local`: scripts on this computer, after a build. The artifact passes
//! through and is always kept, because only the script knows what it did with it.

use kiln_scripts::local;
use kiln_sdk::{
    Artifact, Config, Context, Description, Error, Findings, PostProcessor, Processed, Unchecked,
};

struct ShellLocal;

impl PostProcessor for ShellLocal {
    type Options = local::Options;

    fn describe() -> Description {
        local::describe(env!("CARGO_PKG_VERSION"), env!("CARGO_PKG_DESCRIPTION"))
    }

    fn validate(options: &Unchecked, findings: &mut Findings) {
        local::validate(options, findings);
    }

    fn process(
        context: &Context,
        config: &Config<local::Options>,
        artifact: Artifact,
    ) -> Result<Processed, Error> {
        local::run(context, config)?;
        Ok(Processed { artifact: Some(artifact), keep_input: true, must_keep: true })
    }
}

kiln_sdk::export_post_processor!(ShellLocal);
