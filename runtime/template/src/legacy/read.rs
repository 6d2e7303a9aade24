//! Text into a [`Document`]: JSON, root keys, variables; the parts of builds are in `steps`.
//!
//! Everything that is wrong is found in one go. Names of keys are compared without regard to case,
//! as Packer does.

mod fields;
mod steps;

use super::document::{Document, Text, Variable};
use crate::syntax::json_read::{self, Content, Entry, Item};
use fields::{Fields, kind, text_of};
use kiln_plan::code::template as code;
use kiln_plan::{Diagnostic, Diagnostics, FileId};

/// The keys of a template.
const ROOT: [&str; 9] = [
    "min_packer_version",
    "description",
    "builders",
    "provisioners",
    "error-cleanup-provisioner",
    "post-processors",
    "variables",
    "sensitive-variables",
    // For a service that is no more; Packer reads it and does nothing.
    "push",
];

/// Reads a template. It is as complete as it can be although something is wrong.
pub(crate) fn read(text: &str, file: FileId) -> (Document, Diagnostics) {
    let mut reader = Reader::default();
    let read = json_read::read(text, file, false);
    let is_broken = !read.mistakes.is_empty();
    reader.found = read.mistakes;
    if let Some(item) = read.item {
        reader.root(item);
    }
    reader.check();
    if is_broken {
        reader.found.sort_by_key(|finding| finding.span.map(|span| span.start));
    }
    (reader.document, reader.found)
}

/// What was read and what is wrong.
#[derive(Default)]
struct Reader {
    document: Document,
    found: Diagnostics,
}

/// Something has the wrong shape.
fn shape(what: &str, wanted: &str, item: &Item) -> Diagnostic {
    let summary = format!("{what} must be {wanted}, not {}", kind(item));
    Diagnostic::error(code::WRONG_TYPE, summary).at(item.span)
}

impl Reader {
    fn root(&mut self, item: Item) {
        let Content::Object(entries) = item.content else {
            self.found.push(shape("a template", "an object", &item));
            return;
        };
        // Keys that begin with `_` are comments.
        let entries = entries.into_iter().filter(|(name, ..)| !name.starts_with('_'));
        let mut fields = Fields::new(entries.collect(), "template");
        self.document.description = fields.text("description", &mut self.found);
        self.document.min_packer_version = fields.text("min_packer_version", &mut self.found);
        let variables = fields.object("variables", &mut self.found);
        self.variables(variables);
        self.document.sensitive = fields.texts("sensitive-variables", &mut self.found);
        for item in fields.list("builders", &mut self.found) {
            self.builder(item);
        }
        for item in fields.list("provisioners", &mut self.found) {
            let read = self.provisioner("provisioner", item);
            self.document.provisioners.extend(read);
        }
        if let Some((_, item)) = fields.take("error-cleanup-provisioner", &mut self.found) {
            self.document.error_cleanup = self.provisioner("error-cleanup-provisioner", item);
        }
        for item in fields.list("post-processors", &mut self.found) {
            self.sequence(item);
        }
        fields.take("push", &mut self.found);
        for (name, span, _) in fields.rest() {
            let mut diagnostic = Diagnostic::error(
                code::UNKNOWN_KEY,
                format!("`{name}` is not a key of a legacy JSON template"),
            )
            .at(span);
            diagnostic.help = fields::nearest_of(&name, &ROOT)
                .or_else(|| Some(format!("a key that begins with `_` is a comment: \"_{name}\"")));
            self.found.push(diagnostic);
        }
    }

    fn variables(&mut self, entries: Vec<Entry>) {
        for (name, span, item) in entries {
            let name = Text { text: name, span };
            let default = match &item.content {
                Content::Null => None,
                Content::Text(_) => text_of(&item),
                _ => {
                    let what = format!("the default of the variable `{}`", name.text);
                    self.found.push(
                        shape(&what, "a string or null", &item)
                            .help("put it in quotes; options convert strings to what they need"),
                    );
                    // Something, so that it does not count as a variable without a value too.
                    Some(Text { text: String::new(), span: item.span })
                }
            };
            self.document.variables.push(Variable { name, default });
        }
    }
}
