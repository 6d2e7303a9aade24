//! A template, whichever language it is in. Who uses this crate need not know.

use crate::builds::Filters;
use crate::declared::RequiredPlugin;
use crate::environment::{Catalogue, Environment, ReadData};
use crate::evaluated::{self, Inspection, Mode};
use crate::load::{self, Input};
use crate::plugins::Compatible;
use crate::variables::VariableInputs;
use crate::{FileKind, legacy};
use kiln_plan::{ComponentRef, Diagnostic, Diagnostics, Plan, SourceMap, Span};
use std::path::Path;
use std::sync::Arc;

/// A template that was read but not evaluated.
#[derive(Debug)]
pub struct Template(Read);

#[derive(Debug)]
enum Read {
    Hcl(Box<load::Template>),
    Legacy(Box<legacy::Template>),
}

/// An evaluated template.
#[derive(Debug, Clone)]
pub struct Evaluated(Values);

#[derive(Debug, Clone)]
enum Values {
    Hcl(evaluated::Evaluated),
    Legacy(legacy::Evaluated),
}

/// Reads a template. A file that is not named as one of HCL2 is a legacy one.
///
/// # Errors
/// Everything that is wrong with its files, syntax and static structure, and the texts to show it
/// with. A version of Packer that is not satisfied is reported alone.
pub fn load(
    input: Input<'_>,
    environment: Arc<dyn Environment>,
) -> Result<Template, (SourceMap, Diagnostics)> {
    match input {
        Input::Legacy { name, text } => legacy::load(name, text, None, environment),
        Input::Path(path) if is_legacy(path, &*environment) => match load::read_text(path, &*environment) {
            Ok(text) => legacy::load(&path.to_string_lossy(), &text, Some(path), environment),
            Err(diagnostic) => Err((SourceMap::default(), vec![*diagnostic])),
        },
        input => return load::load(input, environment).map(|hcl| Template(Read::Hcl(Box::new(hcl)))),
    }
    .map(|legacy| Template(Read::Legacy(Box::new(legacy))))
}

fn is_legacy(path: &Path, environment: &dyn Environment) -> bool {
    let name = path.to_string_lossy();
    let is_hcl = name.ends_with(".pkr.hcl") || name.ends_with(".pkr.json");
    // What is not there at all is reported in one place, whatever its name.
    !is_hcl && environment.kind(path).is_ok_and(|kind| kind != FileKind::Directory)
}

impl Template {
    /// Evaluates variables, data sources and locals. Without `read`, what data sources give and
    /// what secrets servers keep is unknown. What is wrong is in the diagnostics; the result can be inspected all the same.
    pub fn evaluate(
        self,
        inputs: &VariableInputs,
        catalogue: &dyn Catalogue,
        read: Option<&dyn ReadData>,
        mode: Mode,
    ) -> (Evaluated, Diagnostics) {
        match self.0 {
            Read::Hcl(template) => {
                let (evaluated, found) = template.evaluate(inputs, catalogue, read, mode);
                (Evaluated(Values::Hcl(evaluated)), found)
            }
            Read::Legacy(template) => {
                let (evaluated, found) = template.evaluate(inputs, read.is_some(), mode);
                (Evaluated(Values::Legacy(evaluated)), found)
            }
        }
    }

    /// With the evaluation of Packer before 1.12 if `sequential`: all data sources, then locals. In a
    /// legacy template there is neither.
    #[must_use]
    pub fn sequential(self, sequential: bool) -> Self {
        match self.0 {
            Read::Hcl(template) => Self(Read::Hcl(Box::new(template.sequential(sequential)))),
            legacy => Self(legacy),
        }
    }

    /// Whether the components that are `known` satisfy what the template requires of plugins; errors
    /// if `strict`, warnings otherwise.
    pub fn check_plugins(&self, known: &[Compatible], strict: bool) -> Diagnostics {
        match &self.0 {
            Read::Hcl(template) => template.check_plugins(known, strict),
            Read::Legacy(_) => Diagnostics::new(),
        }
    }

    /// The plugins that the template requires, in the order of the text. A legacy one requires none.
    pub fn required_plugins(&self) -> &[RequiredPlugin] {
        match &self.0 {
            Read::Hcl(template) => template.required_plugins(),
            Read::Legacy(_) => &[],
        }
    }

    /// The data sources that it reads, each with its place. A legacy template reads none.
    pub fn data_sources(&self) -> impl Iterator<Item = (ComponentRef, Span)> {
        let read = match &self.0 {
            Read::Hcl(template) => Some(template.data_sources()),
            Read::Legacy(_) => None,
        };
        read.into_iter().flatten()
    }

    /// The texts that spans point into.
    pub fn sources(&self) -> &SourceMap {
        match &self.0 {
            Read::Hcl(template) => template.sources(),
            Read::Legacy(template) => template.sources(),
        }
    }
}

impl Evaluated {
    /// The texts that spans point into.
    pub fn sources(&self) -> &Arc<SourceMap> {
        match &self.0 {
            Values::Hcl(evaluated) => evaluated.sources(),
            Values::Legacy(evaluated) => evaluated.sources(),
        }
    }

    /// The builds to run. Valid builds are in the plan although others have errors; if variables,
    /// locals or data sources have errors there are none.
    pub fn plan(&self, filters: &Filters, catalogue: &dyn Catalogue) -> (Plan, Diagnostics) {
        match &self.0 {
            Values::Hcl(evaluated) => evaluated.plan(filters, catalogue),
            Values::Legacy(evaluated) => evaluated.plan(filters, catalogue),
        }
    }

    /// What `inspect` shows. Runs nothing.
    pub fn inspect(&self) -> Inspection {
        match &self.0 {
            Values::Hcl(evaluated) => evaluated.inspect(),
            Values::Legacy(evaluated) => evaluated.inspect(),
        }
    }

    /// All variables and locals with their values, as `console` shows them.
    pub fn variables(&self) -> Vec<(String, String)> {
        match &self.0 {
            Values::Hcl(evaluated) => evaluated.variables(),
            Values::Legacy(evaluated) => evaluated.variables(),
        }
    }

    /// Evaluates an expression for `console`, or renders a text if the template is a legacy one,
    /// and gives the text to print.
    ///
    /// # Errors
    /// What is wrong, with a span into the last file of the map beside it, the expression.
    pub fn expression(&self, text: &str) -> Result<String, (SourceMap, Box<Diagnostic>)> {
        match &self.0 {
            Values::Hcl(evaluated) => evaluated.expression(text),
            Values::Legacy(evaluated) => evaluated.expression(text),
        }
    }
}
