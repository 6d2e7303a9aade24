//! A minimal provisioner: it runs one command on the machine and says what came back.

use kiln_sdk::sessions::Command;
use kiln_sdk::{Config, Context, Description, Error, Findings, Provisioner, Session, Unchecked, say};
use serde::Deserialize;

/// The options, as `schema.json` has them.
#[derive(Deserialize)]
struct Options {
    name: String,
    shout: bool,
}

struct Greeter;

impl Provisioner for Greeter {
    type Options = Options;

    fn describe() -> Description {
        let version = env!("CARGO_PKG_VERSION");
        Description::new("greeter", version, "greets from the machine", include_str!("../schema.json"))
    }

    fn validate(options: &Unchecked, findings: &mut Findings) {
        if options.text("/name").is_some_and(|name| name.contains('\n')) {
            findings.error("/name", "a name has one line", "");
        }
    }

    fn provision(_: &Context, config: &Config<Options>, session: Option<&Session>) -> Result<(), Error> {
        let session = session.ok_or_else(|| Error::invalid("greeter needs a communicator"))?;
        // Quoted by the host, so that a name with a quote in it is right even if it is a secret.
        let name = kiln_sdk::secrets::quote(&config.name, kiln_sdk::secrets::Quoting::Posix)?;
        let done = session.run(Command::new(&format!("echo hello from $(hostname), {name}")))?;
        if done.status() != Some(0) {
            return Err(Error::failed("the machine does not greet"));
        }
        if config.shout {
            say!("{}", String::from_utf8_lossy(&done.stdout()).to_uppercase());
        }
        Ok(())
    }
}

kiln_sdk::export_provisioner!(Greeter);
