//! Components that a template uses and kiln does not have yet: noted by `validate`, refused by
//! `build` before anything starts. Main type: [`Missing`].

use crate::sandbox::Sandbox;
use kiln_plan::code::component as code;
use kiln_plan::{ComponentRef, Diagnostic, Diagnostics, Plan, Span};
use std::collections::BTreeMap;

/// Those that a template uses, each with its first place.
#[derive(Default)]
pub(crate) struct Missing {
    found: BTreeMap<ComponentRef, Option<Span>>,
    /// Names of the builds that can do without.
    runnable: Vec<String>,
}

impl Missing {
    /// Those among the steps of a plan.
    pub(crate) fn of_plan(plan: &Plan, sandbox: &Sandbox) -> Self {
        let mut missing = Self::default();
        for build in &plan.builds {
            let mut complete = true;
            for step in build.steps().filter(|step| sandbox.absent(&step.component).is_some()) {
                complete = false;
                missing.found.entry(step.component.clone()).or_insert(step.span);
            }
            if complete {
                missing.runnable.push(build.name.clone());
            }
        }
        missing
    }

    /// Those among the data sources of a template.
    pub(crate) fn of_data(data: impl Iterator<Item = (ComponentRef, Span)>, sandbox: &Sandbox) -> Self {
        let absent = data.filter(|(component, _)| sandbox.absent(component).is_some());
        Self {
            found: absent.map(|(component, span)| (component, Some(span))).collect(),
            runnable: Vec::new(),
        }
    }

    /// The components.
    pub(crate) fn components(&self) -> impl Iterator<Item = &ComponentRef> {
        self.found.keys()
    }

    /// Why what needs them is not done: an error for each, the last one with what can be done instead.
    pub(crate) fn errors(&self, sandbox: &Sandbox) -> Diagnostics {
        let one = |(component, span): (&ComponentRef, &Option<Span>)| {
            let there = sandbox.host.names(component.kind).join(", ");
            let mut error = Diagnostic::error(code::ABSENT, format!("kiln has no {component} yet")).detail(
                format!("the template is valid, but cannot be run; a {} can be: {there}", component.kind),
            );
            error.span = *span;
            error
        };
        let mut errors: Diagnostics = self.found.iter().map(one).collect();
        if let Some(last) = errors.last_mut().filter(|_| !self.runnable.is_empty()) {
            last.help = Some(format!("the other builds can be run: -only={}", self.runnable.join(",")));
        }
        errors
    }

    /// A line for each, for people who only asked whether the template is valid.
    pub(crate) fn notes(&self) -> impl Iterator<Item = String> {
        self.found
            .keys()
            .map(|component| format!("note: kiln has no {component} yet, so this cannot be built"))
    }
}
