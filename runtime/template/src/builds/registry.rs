//! `hcp_packer_registry`: its rules are checked, its content is used by nobody here.

use super::Planner;
use crate::decode::{Made, option};
use crate::syntax::Block;
use crate::value::types::Type;
use kiln_plan::code::template as code;
use kiln_plan::{Diagnostic, nearest};

const ARGUMENTS: [&str; 6] =
    ["bucket_name", "description", "bucket_labels", "labels", "build_labels", "channels"];
/// The longest description.
const MAX_DESCRIPTION: usize = 255;

impl Planner<'_> {
    /// One at the top of the template.
    pub(super) fn registry(&mut self, block: &Block) {
        let made = Made { block: block.clone(), roots: self.evaluated.roots.clone() };
        self.checked_registry(&made);
    }

    /// One in a build, where it should not stand any more.
    pub(super) fn registry_in_build(&mut self, made: &Made) {
        self.diagnostics.push(
            Diagnostic::warning(code::DEPRECATED_OPTION, "`hcp_packer_registry` in a build is deprecated")
                .at(made.block.header)
                .within("build")
                .help("put the block at the top of the template"),
        );
        self.checked_registry(made);
    }

    fn checked_registry(&mut self, made: &Made) {
        let block = &made.block;
        self.registries += 1;
        if self.registries > 1 {
            let summary = "only one hcp_packer_registry is allowed in a template";
            self.wrong(Diagnostic::error(code::DUPLICATE, summary).at(block.header));
        }
        for attribute in &block.body.attributes {
            if !ARGUMENTS.contains(&attribute.name.as_str()) {
                let summary = format!("an argument named `{}` is not expected here", attribute.name);
                let mut found =
                    Diagnostic::error(code::UNEXPECTED_ATTRIBUTE, summary).at(attribute.name_span);
                let names = ARGUMENTS.map(str::to_owned);
                found.help =
                    nearest(&attribute.name, names.iter()).map(|near| format!("did you mean `{near}`?"));
                self.wrong(found);
            }
        }
        if let (Some(labels), Some(_)) =
            (block.body.attribute("labels"), block.body.attribute("bucket_labels"))
        {
            let summary = "`labels` is the old name of `bucket_labels`; only one of them can be set";
            self.wrong(Diagnostic::error(code::DUPLICATE, summary).at(labels.name_span));
        }
        let text = Type::Text;
        let labels = Type::map(Type::Text);
        for (name, ty) in [("bucket_labels", &labels), ("labels", &labels), ("build_labels", &labels)] {
            self.registry_value(made, name, ty, |_| None);
        }
        self.registry_value(made, "channels", &Type::list(Type::Text), |_| None);
        self.registry_value(made, "description", &text, |text| {
            let long = text.chars().count() > MAX_DESCRIPTION;
            long.then(|| format!("`description` is longer than {MAX_DESCRIPTION} characters"))
        });
        self.registry_value(made, "bucket_name", &text, |name| {
            let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
            let fits = name.is_empty() || (plain && (3..=36).contains(&name.len()));
            (!fits).then(|| "`bucket_name` must have 3 to 36 letters, digits and dashes".to_owned())
        });
    }

    fn registry_value(&mut self, made: &Made, name: &str, ty: &Type, check: impl Fn(&str) -> Option<String>) {
        match option(&made.block.body, name, ty, &made.roots, &self.evaluated.world) {
            Ok(Some((value, span))) => {
                if let Some(summary) = value.as_text().and_then(check) {
                    self.wrong(Diagnostic::error(code::INVALID_VALUE, summary).at(span));
                }
            }
            Ok(None) => {}
            Err(diagnostic) => self.wrong(*diagnostic),
        }
    }

    fn wrong(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic.within("hcp_packer_registry"));
    }
}
