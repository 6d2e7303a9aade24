//! A template that cannot be used is evaluated all the same, so that one run shows all that is
//! wrong with it; only what the first mistakes may have caused is left out.

use crate::builds::Filters;
use crate::environment::Catalogue;
use crate::evaluated::Mode;
use crate::load::Template;
use crate::variables::VariableInputs;
use kiln_plan::code::{Code, template as code};
use kiln_plan::{ComponentRef, Diagnostic, Diagnostics, Kind, Schema, SourceMap, Span};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Findings that a block or attribute that cannot be read may cause elsewhere.
const CONSEQUENCES: [Code; 17] = [
    code::BAD_DYNAMIC,
    code::BAD_PLUGIN,
    code::BAD_VALIDATION,
    code::MISSING_ATTRIBUTE,
    code::MISSING_OPTION,
    code::NO_BUILD,
    code::NO_BUILDS_TO_RUN,
    code::NO_SOURCE,
    code::UNDECLARED_VARIABLE,
    code::UNKNOWN_ATTRIBUTE,
    code::UNKNOWN_DATA,
    code::UNKNOWN_KEY,
    code::UNKNOWN_LOCAL,
    code::UNKNOWN_SOURCE,
    code::UNKNOWN_VARIABLE,
    code::UNSET_VARIABLE,
    code::UNUSED_FILTER,
];

/// Every component, with whatever options: what they are is not known without a catalogue.
struct Anything;

impl Catalogue for Anything {
    fn schema(&self, _: &ComponentRef) -> Option<Arc<Schema>> {
        Schema::parse(r#"{"additionalProperties":true}"#).ok().map(Arc::new)
    }

    fn output_schema(&self, _: &ComponentRef) -> Option<Arc<Schema>> {
        None
    }

    fn names(&self, _: Kind) -> Vec<String> {
        Vec::new()
    }
}

/// Adds what is wrong with the values of a template that the syntax errors in `found` make unusable. Gives
/// the texts that all places point into: values of variables are among them.
pub(crate) fn add(template: Template, found: &mut Diagnostics) -> SourceMap {
    let sources = template.sources.clone();
    let line = |span: Span| (span.file, sources.position(span).0);
    // Something stands in for what could not be read.
    let broken: BTreeSet<_> = found.iter().filter_map(|mistake| mistake.span).map(line).collect();
    let (evaluated, mut more) = template.evaluate(&VariableInputs::default(), &Anything, None, Mode::Build);
    more.extend(evaluated.plan(&Filters::default(), &Anything).1);
    more.retain(|finding| {
        Diagnostic::is_error(finding) && finding.span.is_none_or(|span| !broken.contains(&line(span)))
    });
    found.extend(more);
    found.retain(|finding| !CONSEQUENCES.contains(&finding.code));
    found.sort_by_key(|finding| finding.span.map(|span| (span.file, span.start)));
    SourceMap::clone(evaluated.sources())
}
