//! Points in time.

use super::{Call, Failure, Function, Purity, wrong};
use crate::value::Val;
use crate::value::types::Type;
use kiln_plan::go_template::{format_layout, format_strftime};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("legacy_isotime", (0, 1), Type::Text, |c| {
        let layout = if c.is_given(0) { c.text(0)? } else { "2006-01-02T15:04:05Z07:00".into() };
        Ok(Val::text(format_layout(&layout, c.context.world.environment.started())))
    })
    .purity(Purity::RunStart),
    Function::new("legacy_strftime", (0, 1), Type::Text, |c| {
        let format = if c.is_given(0) { c.text(0)? } else { "%Y-%m-%dT%H:%M:%SZ".into() };
        let text = format_strftime(&format, c.context.world.environment.started());
        Ok(Val::text(text.map_err(|e| wrong(0, e))?))
    })
    .purity(Purity::RunStart),
    Function::new("timestamp", (0, 0), Type::Text, timestamp).purity(Purity::Clock),
];

fn timestamp(c: &Call<'_, '_>) -> Result<Val, Failure> {
    Ok(Val::text(format_layout("2006-01-02T15:04:05Z07:00", c.context.world.environment.now())))
}
