//! What the verbs on templates share: the template's text, its sandbox, its values, its plan.
//!
//! ```text
//! load ──▶ open the sandbox ──▶ evaluate (runs data sources if asked) ──▶ plan
//! ```
//! Main type: [`Session`]. The template is evaluated on the thread of the caller, outside the
//! runtime, so that a data source can be waited for.

use crate::args::{ConfigType, TemplateFlags};
use crate::catalogue::{Components, DataSources};
use crate::env_vars;
use crate::home::Home;
use crate::missing::Missing;
use crate::prompt::Questions;
use crate::sandbox::Sandbox;
use crate::screen::Screen;
use crate::template_env::RealWorld;
use kiln_host::{Redactor, RunOptions};
use kiln_plan::code;
use kiln_plan::{Diagnostic, Plan};
use kiln_template::{Evaluated, Filters, Input, Mode, Template, Undeclared, VariableInputs};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// The longest template on standard input, in bytes.
const MAX_STDIN: u64 = 16 << 20;

/// The verb ends: what was wrong has been shown.
#[derive(Debug)]
pub(crate) struct Shown;

/// A template on its way to a plan.
pub(crate) struct Session {
    pub(crate) screen: Screen,
    pub(crate) sandbox: Sandbox,
    pub(crate) runtime: Runtime,
    pub(crate) cancel: CancellationToken,
    pub(crate) run_id: String,
    redactor: Arc<Redactor>,
    template_dir: PathBuf,
    state: PathBuf,
}

/// Reads a template, or shows why not.
pub(crate) fn load(
    screen: &Screen,
    home: &Home,
    path: Option<&Path>,
    config_type: ConfigType,
) -> Result<Template, Shown> {
    match (path, config_type) {
        (Some(path), _) if path == Path::new("-") => {
            load_text(screen, home, "<stdin>", &standard_input(screen)?, config_type)
        }
        (Some(path), _) => read(screen, home, Input::Path(path)),
        // Nothing to read, but something to type.
        (None, ConfigType::Json) => load_text(screen, home, "<nothing>", "{}", config_type),
        (None, ConfigType::Hcl2) => read(screen, home, Input::Nothing),
    }
}

/// The same for a text that is in no file.
pub(crate) fn load_text(
    screen: &Screen,
    home: &Home,
    name: &str,
    text: &str,
    config_type: ConfigType,
) -> Result<Template, Shown> {
    let input = match config_type {
        ConfigType::Json => Input::Legacy { name, text },
        ConfigType::Hcl2 => Input::Text { name, text },
    };
    read(screen, home, input)
}

fn read(screen: &Screen, home: &Home, input: Input<'_>) -> Result<Template, Shown> {
    match kiln_template::load(input, Arc::new(RealWorld::new(home))) {
        Ok(template) => {
            screen.quote(Arc::new(template.sources().clone()));
            Ok(template)
        }
        Err((sources, found)) => {
            screen.quote(Arc::new(sources));
            screen.diagnostics(&found);
            Err(Shown)
        }
    }
}

/// All of standard input, or shows why not.
pub(crate) fn standard_input(screen: &Screen) -> Result<String, Shown> {
    let mut text = String::new();
    std::io::stdin().lock().take(MAX_STDIN).read_to_string(&mut text).map_err(|error| {
        screen.error(format!("Error: cannot read standard input: {error}"));
        Shown
    })?;
    Ok(text)
}

/// `-var` and `-var-file`.
pub(crate) fn variables(
    screen: &Screen,
    flags: &TemplateFlags,
    undeclared: Undeclared,
) -> Result<VariableInputs, Shown> {
    let mut assignments = Vec::new();
    for written in &flags.var {
        let Some((name, value)) = written.split_once('=') else {
            screen.error(format!("Error: -var needs NAME=VALUE, but is `{written}`"));
            return Err(Shown);
        };
        assignments.push((name.to_owned(), value.to_owned()));
    }
    Ok(VariableInputs { files: flags.var_file.clone(), assignments, undeclared })
}

/// `-only` and `-except`.
pub(crate) fn filters(flags: &TemplateFlags) -> Filters {
    Filters { only: flags.only.clone(), except: flags.except.clone() }
}

impl Session {
    /// Opens the sandbox for a template, or shows why not.
    pub(crate) fn open(screen: &Screen, home: &Home, template: Option<&Path>) -> Result<Self, Shown> {
        let problem = |text: String| {
            screen.error(format!("Error: {text}"));
            Shown
        };
        let sandbox = Sandbox::open(home, template).map_err(|e| problem(e.to_string()))?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|e| problem(format!("cannot start threads: {e}")))?;
        let run_id = run_id().map_err(problem)?;
        let redactor: Arc<Redactor> = Arc::default();
        let logged = Arc::clone(&redactor);
        crate::logging::redact_with(Arc::new(move |text| logged.redact(text).into_owned()));
        let template_dir = template.map(|path| {
            if path.is_dir() {
                path.to_path_buf()
            } else {
                path.parent().map(Path::to_path_buf).unwrap_or_default()
            }
        });
        Ok(Self {
            screen: screen.clone(),
            state: home.state.clone(),
            template_dir: home.working.join(template_dir.unwrap_or_default()),
            sandbox,
            runtime,
            cancel: CancellationToken::new(),
            run_id,
            redactor,
        })
    }

    /// What the sandbox's runs begin with.
    pub(crate) fn run_options(&self) -> RunOptions {
        RunOptions {
            id: self.run_id.clone(),
            sink: Arc::new(self.screen.clone()),
            redactor: Arc::clone(&self.redactor),
            cancel: self.cancel.clone(),
            prompt: Arc::new(Questions::new(self.screen.clone())),
            template_dir: self.template_dir.clone(),
            version: kiln_template::PACKER_VERSION.to_owned(),
            ..RunOptions::silent()
        }
    }

    /// Watches for signals until the session ends.
    pub(crate) fn watch_signals(&self) {
        let _inside = self.runtime.enter();
        let state = self.state.clone();
        crate::interrupt::watch(self.screen.clone(), self.cancel.clone(), self.run_id.clone(), state);
    }

    /// Evaluates a template; `data` says whether data sources are run. Shows what was found, and tells
    /// whether an error is among it. What cannot be run at all is [`Shown`].
    pub(crate) fn evaluate(
        &self,
        template: Template,
        flags: &TemplateFlags,
        inputs: &VariableInputs,
        data: bool,
        mode: Mode,
    ) -> Result<(Evaluated, bool), Shown> {
        let missing = Missing::of_data(template.data_sources(), &self.sandbox);
        if data && self.screen.diagnostics(&missing.errors(&self.sandbox)) {
            return Err(Shown);
        }
        let components = Components::new(&self.sandbox);
        let run = self.sandbox.host.run(self.run_options());
        let sources =
            DataSources { sandbox: &self.sandbox, run: &run, runtime: self.runtime.handle().clone() };
        let read = data.then_some(&sources as &dyn kiln_template::ReadData);
        let template = template.sequential(flags.use_sequential_evaluation);
        // What is only looked at needs no plugins.
        let pins = match mode {
            Mode::Build => template.check_plugins(crate::compatible::PLUGINS, flags.strict_versions),
            Mode::Inspect => Vec::new(),
        };
        let (evaluated, mut found) = template.evaluate(inputs, &components, read, mode);
        run.close();
        self.screen.quote(Arc::clone(evaluated.sources()));
        found.splice(0..0, components.findings().into_iter().chain(pins));
        let wrong = self.screen.diagnostics(&found);
        Ok((evaluated, wrong))
    }

    /// The builds to run, and whether something is wrong with others or, `already`, with the values.
    /// Shows all findings.
    pub(crate) fn plan(&self, evaluated: &Evaluated, filters: &Filters, already: bool) -> (Plan, bool) {
        let components = Components::new(&self.sandbox);
        let (plan, mut found) = evaluated.plan(filters, &components);
        self.screen.quote(Arc::clone(&plan.sources));
        found.splice(0..0, components.findings());
        let mut wrong = self.screen.diagnostics(&found) || already;
        if plan.builds.is_empty() && !wrong {
            self.screen.diagnostic(&Diagnostic::error(code::template::NO_BUILDS_TO_RUN, "no builds to run"));
            wrong = true;
        }
        (plan, wrong)
    }
}

/// The id of the run: the user's, if it can be the name of a folder.
fn run_id() -> Result<String, String> {
    let Some(id) = env_vars::text(env_vars::RUN_UUID).filter(|id| !id.is_empty()) else {
        return Ok(kiln_host::run_uuid());
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if id.len() <= 100 && id.chars().all(plain) {
        return Ok(id);
    }
    Err(format!("{} may hold only letters, digits, `-` and `_`, at most 100", env_vars::RUN_UUID))
}
