//! `required_plugins` against what stands for the plugins here.

use crate::load::Template;
use crate::version::{Constraints, Version};
use kiln_plan::code::template as code;
use kiln_plan::{Diagnostic, Diagnostics};

/// A plugin that components here stand for, and the versions that they are compatible with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compatible {
    /// As in `required_plugins`: `github.com/hashicorp/qemu`.
    pub source: &'static str,
    /// The lowest version.
    pub lowest: &'static str,
    /// The highest version.
    pub highest: &'static str,
}

impl Template {
    /// Required plugins whose versions none of `known` is compatible with: warnings, errors if
    /// `strict`. There is one implementation, so a pin is no reason by itself not to run.
    pub(crate) fn check_plugins(&self, known: &[Compatible], strict: bool) -> Diagnostics {
        let plugins = self.required_plugins().iter();
        let wrong = plugins.filter_map(|plugin| {
            let same = |known: &&Compatible| known.source.eq_ignore_ascii_case(&plugin.source);
            let known = known.iter().find(same)?;
            let (lowest, highest) = (Version::parse(known.lowest)?, Version::parse(known.highest)?);
            if Constraints::parse(&plugin.version)?.meet(&lowest, &highest) {
                return None;
            }
            let summary = format!(
                "plugin `{}` is required at {}, this is compatible with {} to {}",
                plugin.name, plugin.version, known.lowest, known.highest
            );
            let level = if strict { Diagnostic::error } else { Diagnostic::warning };
            Some(level(code::INCOMPATIBLE_PLUGIN, summary).at(plugin.span).within("required_plugins"))
        });
        wrong.collect()
    }
}
