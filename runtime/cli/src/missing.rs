//! What a template uses and kiln does not have yet, components and communicators: noted by
//! `validate`, refused by `build` before anything starts. Main type: [`Missing`].

use crate::sandbox::Sandbox;
use kiln_plan::code::component as code;
use kiln_plan::{ComponentRef, Diagnostic, Diagnostics, Plan, Span, Step};
use std::collections::BTreeMap;
use std::fmt;

/// Something that is not there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Lack {
    Component(ComponentRef),
    Communicator(String),
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Component(component) => component.fmt(f),
            Self::Communicator(name) => write!(f, "communicator `{name}`"),
        }
    }
}

impl Lack {
    /// What a step cannot do without.
    fn of_step(step: &Step, sandbox: &Sandbox) -> Option<(Self, Option<Span>)> {
        if sandbox.absent(&step.component).is_some() {
            return Some((Self::Component(step.component.clone()), step.span));
        }
        let name = sandbox.host.missing_communicator(step)?;
        Some((Self::Communicator(name), step.first.span("/communicator")))
    }

    /// What is there in its stead.
    fn instead(&self, sandbox: &Sandbox) -> String {
        match self {
            Self::Component(component) => {
                format!("a {} can be: {}", component.kind, sandbox.host.names(component.kind).join(", "))
            }
            Self::Communicator(_) => {
                format!("a communicator can be: {}", kiln_host::COMMUNICATORS.join(", "))
            }
        }
    }
}

/// All that a template lacks, each with its first place.
#[derive(Default)]
pub(crate) struct Missing {
    found: BTreeMap<Lack, Option<Span>>,
    /// Names of the builds that can do without.
    runnable: Vec<String>,
}

impl Missing {
    /// Those among the steps of a plan.
    pub(crate) fn of_plan(plan: &Plan, sandbox: &Sandbox) -> Self {
        let mut missing = Self::default();
        for build in &plan.builds {
            let mut complete = true;
            for (lack, span) in build.steps().filter_map(|step| Lack::of_step(step, sandbox)) {
                complete = false;
                missing.found.entry(lack).or_insert(span);
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
        let found = absent.map(|(component, span)| (Lack::Component(component), Some(span)));
        Self { found: found.collect(), runnable: Vec::new() }
    }

    /// The components.
    pub(crate) fn components(&self) -> impl Iterator<Item = &ComponentRef> {
        self.found.keys().filter_map(|lack| match lack {
            Lack::Component(component) => Some(component),
            Lack::Communicator(_) => None,
        })
    }

    /// Why what needs them is not done: an error for each, the last one with what can be done instead.
    pub(crate) fn errors(&self, sandbox: &Sandbox) -> Diagnostics {
        let one = |(lack, span): (&Lack, &Option<Span>)| {
            let instead = lack.instead(sandbox);
            let mut error = Diagnostic::error(code::ABSENT, format!("kiln has no {lack} yet"))
                .detail(format!("the template is valid, but cannot be run; {instead}"));
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
        self.found.keys().map(|lack| format!("note: kiln has no {lack} yet, so this cannot be built"))
    }
}
