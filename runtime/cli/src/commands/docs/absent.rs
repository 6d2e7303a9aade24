//! The page of components that are not there yet.

use std::collections::BTreeMap;
use std::fmt::Write;

/// The page: for each plugin its components, and whether their options are checked.
pub(super) fn page() -> String {
    let mut text = String::from(
        "# Components that are not there yet\n\n\
         Templates that use these can be validated, inspected, formatted and upgraded; `kiln build` refuses to \
         start them and says which builds of the template can run. \"All\" options are checked by name, type and \
         form; where \"some\" are, others are accepted as they are.\n\n\
         | plugin | component | options checked |\n| --- | --- | --- |\n",
    );
    let mut plugins: BTreeMap<&str, Vec<&kiln_absent::Absent>> = BTreeMap::new();
    for absent in kiln_absent::all() {
        plugins.entry(absent.plugin).or_default().push(absent);
    }
    for (plugin, components) in plugins {
        for absent in components {
            let schema = absent.schema();
            let checked = match (schema.open, schema.fields.is_empty()) {
                (false, _) => "all",
                (true, false) => "some",
                (true, true) => "none",
            };
            let _ = writeln!(text, "| {plugin} | {} | {checked} |", absent.component);
        }
    }
    text
}
