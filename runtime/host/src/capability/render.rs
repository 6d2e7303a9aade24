//! `render` (always): Go's templates, bounded in steps and output.

use super::{Authority, Call};
use crate::bindings::kiln::host::render;
use crate::configuration::render_text;
use crate::error::CallResult;
use crate::state::State;

impl render::Host for State {
    async fn go_template(&mut self, text: String, data: String) -> CallResult<String> {
        let call = Call::enter(self, "render.go-template", Authority::Always)?;
        let functions = self.step.build.functions();
        // On a blocking thread: a template may compute for a while.
        let result = call.blocking(move || render_text(&text, &data, &functions)).await;
        call.done(result)
    }
}
