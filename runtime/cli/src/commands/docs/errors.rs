//! `errors/`: a page for each error code, out of the table that the program itself uses.

use super::page;
use kiln_plan::code;
use std::fmt::Write;
use std::path::Path;

/// Writes the pages and their index.
pub(super) fn write(dir: &Path) -> Result<(), String> {
    let mut index = String::from(
        "# Error codes\n\n`kiln explain CODE` prints the same pages.\n\n| code | meaning |\n| --- | --- |\n",
    );
    for code in code::all() {
        let path = format!("{}.md", code.name().replace("::", "/"));
        let _ = writeln!(index, "| [`{code}`]({path}) | {} |", code.summary());
        page(dir, &format!("errors/{path}"), &format!("# {code}\n\n{}", with_plain_fences(code.page())))?;
    }
    page(dir, "errors/README.md", &index)
}

/// What stands behind the language of an example is for the tests.
fn with_plain_fences(text: &str) -> String {
    let plain = |line: &str| match line.strip_prefix("```hcl ") {
        Some(_) => "```hcl".to_owned(),
        None => line.to_owned(),
    };
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}
