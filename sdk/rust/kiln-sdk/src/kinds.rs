//! One trait for each kind of component, and the macros that export an implementation.

mod export;

use crate::{Artifact, Config, Context, Description, Error, Findings, Session, Unchecked};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Changes a running machine. Each attempt is a new instance.
pub trait Provisioner {
    /// The options, as the schema has them.
    type Options: DeserializeOwned;

    /// Says what this is; called without any authority.
    fn describe() -> Description;

    /// Checks what a schema cannot say. Pure: no file, no network, no clock.
    fn validate(_options: &Unchecked, _findings: &mut Findings) {}

    /// Does it. There is no session without a communicator.
    ///
    /// # Errors
    /// Whatever makes the step fail.
    fn provision(
        context: &Context,
        config: &Config<Self::Options>,
        session: Option<&Session>,
    ) -> Result<(), Error>;
}

/// A machine ready to be provisioned.
pub struct Prepared {
    /// Its session; none without a communicator.
    pub session: Option<Session>,
    /// What provisioners may know (`build.*`), a JSON object.
    pub values: serde_json::Value,
}

pub use crate::bindings::builder::exports::kiln::component::builder::Outcome;

/// Makes a machine, hands out its session, and makes an artifact of it. One value lives from
/// `prepare` to `cleanup`; what it holds when `prepare` fails is there for `cleanup`.
pub trait Builder: Default + 'static {
    /// The options, as the schema has them.
    type Options: DeserializeOwned + 'static;

    /// Says what this is; called without any authority.
    fn describe() -> Description;

    /// Checks what a schema cannot say. Pure.
    fn validate(_options: &Unchecked, _findings: &mut Findings) {}

    /// Makes the machine.
    ///
    /// # Errors
    /// Whatever makes the build fail.
    fn prepare(&mut self, context: Context, config: Config<Self::Options>) -> Result<Prepared, Error>;

    /// Called after the provisioners: makes the artifact.
    ///
    /// # Errors
    /// Whatever makes the build fail.
    fn finish(&mut self) -> Result<Option<Artifact>, Error>;

    /// Called last, on every way out but a trap.
    ///
    /// # Errors
    /// What could not be undone.
    fn cleanup(&mut self, _outcome: Outcome) -> Result<(), Error> {
        Ok(())
    }
}

/// What became of an artifact.
pub struct Processed {
    /// For the next post-processor of the sequence; none ends it.
    pub artifact: Option<Artifact>,
    /// Whether the input is kept unless the user says otherwise.
    pub keep_input: bool,
    /// Whether the input is kept even then.
    pub must_keep: bool,
}

/// Does something with an artifact.
pub trait PostProcessor {
    /// The options, as the schema has them.
    type Options: DeserializeOwned;

    /// Says what this is; called without any authority.
    fn describe() -> Description;

    /// Checks what a schema cannot say. Pure.
    fn validate(_options: &Unchecked, _findings: &mut Findings) {}

    /// Does it.
    ///
    /// # Errors
    /// Whatever ends the sequence.
    fn process(
        context: &Context,
        config: &Config<Self::Options>,
        artifact: Artifact,
    ) -> Result<Processed, Error>;
}

/// Gives values to a template.
pub trait DataSource {
    /// The options, as the schema has them.
    type Options: DeserializeOwned;
    /// The values, as the output schema has them.
    type Values: Serialize;

    /// Says what this is; called without any authority.
    fn describe() -> Description;

    /// Checks what a schema cannot say. Pure.
    fn validate(_options: &Unchecked, _findings: &mut Findings) {}

    /// The values.
    ///
    /// # Errors
    /// Whatever keeps them from being known.
    fn read(context: &Context, config: &Config<Self::Options>) -> Result<Self::Values, Error>;
}
