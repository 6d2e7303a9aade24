//! The host's option groups: options that mean the same in every component, read straight from the
//! step's configuration, with secrets in clear. Main type: [`Options`].
//!
//! Values were checked against the groups' schemas; what is absent has its default already.

pub(crate) mod communicator;
pub(crate) mod machine;

use crate::bindings::kiln::host::types::ErrorCode;
use crate::configuration::StepConfiguration;
use crate::error::{CallResult, fail_at};
use kiln_plan::{Data, SignedDuration, Value, parse_duration};
use std::time::Duration;

/// Typed access to the options of a step.
#[derive(Clone, Copy)]
pub(crate) struct Options<'a>(pub(crate) &'a StepConfiguration);

impl<'a> Options<'a> {
    fn value(self, name: &str) -> Option<&'a Value> {
        self.0.value.as_map()?.get(name)
    }

    /// Text that is not empty.
    pub(crate) fn text(self, name: &str) -> Option<&'a str> {
        self.value(name)?.as_text().filter(|text| !text.is_empty())
    }

    /// The same, owned.
    pub(crate) fn string(self, name: &str) -> Option<String> {
        self.text(name).map(str::to_owned)
    }

    /// Whether a truth value is true.
    pub(crate) fn flag(self, name: &str) -> bool {
        self.value(name).is_some_and(|value| value.data == Data::Bool(true))
    }

    /// Whether it was written as `false`.
    pub(crate) fn is_false(self, name: &str) -> bool {
        self.value(name).is_some_and(|value| value.data == Data::Bool(false))
            && !self.0.is_default(&format!("/{name}"))
    }

    /// Whether the user wrote it.
    pub(crate) fn is_written(self, name: &str) -> bool {
        self.value(name).is_some_and(|value| value.data != Data::Null)
            && !self.0.is_default(&format!("/{name}"))
    }

    /// A whole number; 0 if it is absent.
    pub(crate) fn number<T: TryFrom<u64> + Default>(self, name: &str) -> CallResult<T> {
        let Some(Value { data: Data::Number(number), .. }) = self.value(name) else {
            return Ok(T::default());
        };
        let whole: Option<u64> = number.0.parse().ok();
        whole.and_then(|whole| T::try_from(whole).ok()).ok_or_else(|| {
            self.wrong(name, &format!("`{name}` cannot be {}; write a whole number that fits", number.0))
        })
    }

    /// Texts of a list.
    pub(crate) fn texts(self, name: &str) -> Vec<&'a str> {
        match self.value(name).map(|value| &value.data) {
            Some(Data::List(items)) => items.iter().filter_map(Value::as_text).collect(),
            _ => Vec::new(),
        }
    }

    /// Lists of texts of a list.
    pub(crate) fn rows(self, name: &str) -> Vec<Vec<&'a str>> {
        let Some(Data::List(rows)) = self.value(name).map(|value| &value.data) else { return Vec::new() };
        let row = |row: &'a Value| match &row.data {
            Data::List(items) => items.iter().filter_map(Value::as_text).collect(),
            _ => Vec::new(),
        };
        rows.iter().map(row).collect()
    }

    /// Texts by name.
    pub(crate) fn map(self, name: &str) -> Vec<(&'a str, &'a str)> {
        match self.value(name).map(|value| &value.data) {
            Some(Data::Map(map)) => {
                map.iter().filter_map(|(k, v)| Some((k.as_str(), v.as_text()?))).collect()
            }
            _ => Vec::new(),
        }
    }

    /// A duration with its sign, if there is one.
    pub(crate) fn signed(self, name: &str) -> CallResult<Option<SignedDuration>> {
        self.text(name).map(|text| parse_duration(text).map_err(|e| self.wrong(name, &e))).transpose()
    }

    /// A duration; negative ones are zero.
    pub(crate) fn duration(self, name: &str) -> CallResult<Option<Duration>> {
        Ok(self.signed(name)?.map(SignedDuration::or_zero))
    }

    /// An error about an option.
    pub(crate) fn wrong(self, name: &str, message: &str) -> crate::error::CallError {
        fail_at(ErrorCode::Invalid, &format!("/{name}"), message)
    }
}
