//! `kiln validate`: everything that a build checks before it begins.

use crate::args::ValidateArgs;
use crate::executor::Steps;
use crate::exit::Exit;
use crate::home::Home;
use crate::missing::Missing;
use crate::screen::Screen;
use crate::session::{Session, Shown, filters, load, variables};
use kiln_host::RunOptions;
use kiln_template::{Mode, Undeclared};
use std::sync::Arc;

/// Validates.
pub(crate) fn run(screen: &Screen, args: &ValidateArgs) -> Exit {
    Exit::of(validate(screen, args).is_ok())
}

fn validate(screen: &Screen, args: &ValidateArgs) -> Result<(), Shown> {
    let home = Home::find();
    let undeclared = if args.no_warn_undeclared_var { Undeclared::Ignore } else { Undeclared::Warn };
    let inputs = variables(screen, &args.flags, undeclared)?;
    let template = load(screen, &home, Some(&args.template), args.flags.config_type)?;
    if args.syntax_only {
        screen.say("Syntax-only check passed. Everything looks okay.");
        return Ok(());
    }
    let session = Session::open(screen, &home, Some(&args.template))?;
    session.watch_signals();
    let data = Missing::of_data(template.data_sources(), &session.sandbox);
    let (evaluated, wrong) =
        session.evaluate(template, &args.flags, &inputs, args.evaluate_datasources, Mode::Build)?;
    // Builds are checked although values or other builds have an error: all problems in one run.
    let (plan, wrong) = session.plan(&evaluated, &filters(&args.flags), wrong);
    let options = RunOptions { sensitive: plan.sensitive.clone(), ..session.run_options() };
    let run = session.sandbox.host.run(options);
    let missing = Missing::of_plan(&plan, &session.sandbox);
    let steps = Steps::new(run.clone(), screen.clone()).without(missing.components());
    let found = session.runtime.block_on(kiln_engine::validate(plan, Arc::new(steps)));
    run.close();
    if screen.diagnostics(&found) || wrong || session.cancel.is_cancelled() {
        return Err(Shown);
    }
    screen.say("The configuration is valid.");
    data.notes().chain(missing.notes()).for_each(|note| screen.aside(&note));
    Ok(())
}
