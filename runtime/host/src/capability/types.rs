//! `types`: errors only; nothing to call.

use crate::bindings::kiln::host::types;
use crate::error::CallError;
use crate::state::State;

impl types::Host for State {
    fn convert_error(&mut self, error: CallError) -> wasmtime::Result<types::Error> {
        match error {
            CallError::Guest(error) => Ok(error),
            CallError::Trap(error) => Err(error),
        }
    }
}
