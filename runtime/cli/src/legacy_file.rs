//! The text of a legacy JSON template, for the verbs that take no other.

use crate::screen::Screen;
use crate::session::{Shown, standard_input};
use kiln_plan::Diagnostic;
use kiln_plan::code::template as code;
use std::io::Read;
use std::path::Path;

/// The largest template, in bytes.
const LIMIT: u64 = 16 << 20;

/// A template that was read and not parsed.
pub(crate) struct LegacyFile {
    /// What messages call it.
    pub(crate) name: String,
    pub(crate) text: String,
}

/// Reads a file, or standard input for `-`, or shows why not. Of what can only be HCL2 `refuse` says
/// why the verb does not take it.
pub(crate) fn read(
    screen: &Screen,
    path: &Path,
    refuse: impl FnOnce(&str) -> Diagnostic,
) -> Result<LegacyFile, Shown> {
    if path == Path::new("-") {
        return Ok(LegacyFile { name: "<stdin>".to_owned(), text: standard_input(screen)? });
    }
    let name = path.to_string_lossy().into_owned();
    let is_hcl = name.ends_with(".hcl") || name.ends_with(".pkr.json") || path.is_dir();
    let text = if is_hcl { Err(Box::new(refuse(&name))) } else { text(path, &name) };
    match text {
        Ok(text) => Ok(LegacyFile { name, text }),
        Err(diagnostic) => {
            screen.diagnostic(&diagnostic);
            Err(Shown)
        }
    }
}

fn text(path: &Path, shown: &str) -> Result<String, Box<Diagnostic>> {
    let unreadable = |what: String| Box::new(Diagnostic::error(code::UNREADABLE, what));
    let mut bytes = Vec::new();
    crate::template_env::open(path)
        .and_then(|file| file.take(LIMIT + 1).read_to_end(&mut bytes))
        .map_err(|e| unreadable(format!("cannot read {shown}: {e}")))?;
    if bytes.len() as u64 > LIMIT {
        return Err(unreadable(format!("{shown} is larger than 16 MiB")));
    }
    String::from_utf8(bytes).map_err(|_| unreadable(format!("{shown} is not UTF-8 text")))
}
