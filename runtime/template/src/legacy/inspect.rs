//! What `inspect` and `console` show of a legacy template.

use super::Evaluated;
use super::render::{Renderer, budget};
use super::scope::Place;
use crate::show;
use crate::value::Val;
use crate::{InspectedBuild, InspectedVariable, Inspection, Language};
use kiln_plan::{Diagnostic, SourceMap, Span};

/// What is shown instead of a secret.
const SENSITIVE: &str = "<sensitive>";

impl Evaluated {
    /// What `inspect` shows: everything as it is written, nothing rendered.
    pub(crate) fn inspect(&self) -> Inspection {
        let document = &self.document;
        let mut variables: Vec<InspectedVariable> = Vec::new();
        for variable in &document.variables {
            let name = &variable.name.text;
            let default = variable.default.as_ref().map(|default| default.text.as_str());
            let secret = document.sensitive.iter().any(|secret| secret.text == *name);
            variables.push(InspectedVariable {
                name: name.clone(),
                description: String::new(),
                value: if secret { SENSITIVE } else { default.unwrap_or_default() }.to_owned(),
                required: default.is_none(),
            });
        }
        variables.sort_by(|a, b| a.name.cmp(&b.name));
        let mut sources: Vec<(&str, &str)> =
            document.builders.iter().map(|b| (b.name.text.as_str(), b.ty.text.as_str())).collect();
        sources.sort_unstable();
        let build = InspectedBuild {
            name: String::new(),
            description: document.description.as_ref().map(|d| d.text.clone()).unwrap_or_default(),
            sources: sources.into_iter().map(|(name, ty)| format!("{ty}.{name}")).collect(),
            provisioners: document.provisioners.iter().map(|p| p.ty.text.clone()).collect(),
            post_processors: document
                .post_processors
                .iter()
                .map(|sequence| {
                    sequence.iter().map(|p| p.name.as_ref().unwrap_or(&p.ty).text.clone()).collect()
                })
                .collect(),
        };
        Inspection { language: Language::LegacyJson, variables, locals: Vec::new(), builds: vec![build] }
    }

    /// The variables with their values, for `console`.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let shown = |value| show::full(&Val::raise(value));
        self.run.variables.iter().map(|(name, value)| (name.clone(), shown(value))).collect()
    }

    /// Renders a text for `console`.
    ///
    /// # Errors
    /// What is wrong, with a span into the last file of the map beside it, the text.
    pub(crate) fn expression(&self, text: &str) -> Result<String, (SourceMap, Box<Diagnostic>)> {
        let mut sources = (*self.sources).clone();
        let file = sources.add("<console-input>", text);
        let span = Span { file, start: 0, end: u32::try_from(text.len()).unwrap_or(u32::MAX) };
        let scope = self.run.scope(Place::Outside);
        let mut limits = budget();
        let rendered = Renderer { scope: &scope, limits: &mut limits, sources: &sources }.text(text, span);
        match rendered {
            Ok((value, _)) => Ok(show::full(&Val::raise(&value))),
            Err(diagnostic) => Err((sources, diagnostic)),
        }
    }
}
