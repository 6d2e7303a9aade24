//! Provisioner `shell`: uploads scripts to the machine and runs them there.
//!
//! A script costs two round trips, an upload and its run; what was uploaded is removed by one
//! command at the end. A script may restart the machine: uploading and starting are tried again,
//! together, until `start_retry_timeout` is over, because what was uploaded may be gone.

mod naming;
mod options;
mod remote;

use kiln_scripts::Environment;
use kiln_sdk::{
    Config, Context, Description, Error, Findings, Provisioner, Session, Unchecked, duration, say, ui,
};
use naming::Names;
use options::Options;
use remote::Remote;

struct Shell;

impl Provisioner for Shell {
    type Options = Options;

    fn describe() -> Description {
        let version = env!("CARGO_PKG_VERSION");
        Description::new("shell", version, env!("CARGO_PKG_DESCRIPTION"), include_str!("../schema.json"))
    }

    fn validate(options: &Unchecked, findings: &mut Findings) {
        kiln_scripts::validate(options, findings);
        findings.durations(options, &["start_retry_timeout", "pause_after"]);
    }

    fn provision(
        context: &Context,
        config: &Config<Options>,
        session: Option<&Session>,
    ) -> Result<(), Error> {
        let session = session.ok_or_else(|| {
            Error::invalid(
                "shell needs a communicator; with `none`, only shell-local, breakpoint and sleep work",
            )
        })?;
        let mut environment = Environment::new(&config.environment_vars, &config.env)?;
        environment.add_build(context);
        let variables = environment.posix(config.variable_format())?;
        let pause = duration::wait(&config.pause_after).map_err(|e| e.at("/pause_after"))?;
        let names = Names::new(config, &context.run_uuid(), &context.build_name());
        let mut remote = Remote::new(session, config)?;
        for (index, script) in options::scripts(config)?.iter().enumerate() {
            say!("Provisioning with shell script: {}", script.title);
            remote.run(script, &names.script(index), &names.variables(index), &variables)?;
            if pause > 0 {
                ui::sleep(pause)?;
            }
        }
        if config.skip_clean { Ok(()) } else { remote.clean() }
    }
}

kiln_sdk::export_provisioner!(Shell);
