//! Boot commands: text in Packer's grammar becomes key events and waits ([`BootCommand`]), which
//! `Vm::type_boot_command` types through QMP.
//!
//! Invariant: parsing never fails on odd text (an unknown `<foo>` is typed as it stands), only on a wait
//! that is not positive, a character no US keyboard has, or a total wait beyond a day.

mod keys;
mod parse;

pub use parse::BootCommandError;

use std::time::Duration;

/// Longest sum of all waits: a day.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Let time pass.
    Wait(Duration),
    /// A key goes down or up. The name is a QMP `QKeyCode`.
    Key {
        /// Such as `ret` or `shift`.
        code: &'static str,
        /// Down or up.
        down: bool,
    },
}

/// A parsed boot command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BootCommand {
    inputs: Vec<Input>,
}

impl BootCommand {
    /// Parses text whose `{{ }}` are already rendered.
    ///
    /// # Errors
    /// [`BootCommandError`] with the byte offset.
    pub fn parse(text: &str) -> Result<Self, BootCommandError> {
        parse::parse(text).map(|inputs| Self { inputs })
    }

    /// What to do, in order.
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// Nothing to do.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// How many key events there are.
    pub fn key_events(&self) -> usize {
        self.inputs.iter().filter(|input| matches!(input, Input::Key { .. })).count()
    }

    /// The sum of the waits.
    pub fn waits(&self) -> Duration {
        self.inputs.iter().fold(Duration::ZERO, |sum, input| match input {
            Input::Wait(time) => sum.saturating_add(*time),
            Input::Key { .. } => sum,
        })
    }
}
