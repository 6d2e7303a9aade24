//! `kiln build`.

use crate::args::{BuildArgs, OnErrorFlag};
use crate::executor::{Explaining, Steps};
use crate::exit::Exit;
use crate::home::Home;
use crate::missing::Missing;
use crate::screen::Screen;
use crate::session::{Session, Shown, filters, load, variables};
use kiln_host::RunOptions;
use kiln_plan::Plan;
use kiln_template::{Mode, Undeclared};
use std::sync::Arc;

/// Builds.
pub(crate) fn run(screen: &Screen, args: &BuildArgs) -> Exit {
    build(screen, args).unwrap_or(Exit::Failure)
}

fn build(screen: &Screen, args: &BuildArgs) -> Result<Exit, Shown> {
    let home = Home::find();
    let undeclared = if args.warn_on_undeclared_var { Undeclared::Warn } else { Undeclared::Ignore };
    let inputs = variables(screen, &args.flags, undeclared)?;
    let template = load(screen, &home, Some(&args.template), args.flags.config_type)?;
    let session = Session::open(screen, &home, Some(&args.template))?;
    session.watch_signals();
    let (evaluated, wrong) = session.evaluate(template, &args.flags, &inputs, true, Mode::Build)?;
    if wrong {
        return Err(Shown);
    }
    let (plan, wrong) = session.plan(&evaluated, &filters(&args.flags), false);
    // Valid builds run although others are wrong, as with Packer.
    if wrong && plan.builds.is_empty() || session.cancel.is_cancelled() {
        return Ok(Exit::Failure);
    }
    let missing = Missing::of_plan(&plan, &session.sandbox);
    if screen.diagnostics(&missing.errors(&session.sandbox)) {
        return Ok(Exit::Failure);
    }
    let ended = run_plan(&session, args, plan);
    Ok(if wrong { Exit::Failure } else { ended })
}

fn run_plan(session: &Session, args: &BuildArgs, plan: Plan) -> Exit {
    if args.debug && !session.screen.showing.can_ask() {
        let nobody = crate::prompt::NOBODY;
        session.screen.say(format!("Warning: -debug {nobody}; nobody is there, so nothing pauses"));
    }
    let options = RunOptions {
        force: args.force,
        debug: args.debug,
        on_error: host_on_error(args.on_error),
        sensitive: plan.sensitive.clone(),
        ..session.run_options()
    };
    let run = session.sandbox.host.run(options);
    let steps = Steps::new(run.clone(), session.screen.clone());
    let sink = Explaining { screen: session.screen.clone(), findings: steps.findings() };
    let options = kiln_engine::RunOptions {
        parallel_builds: args.parallel_builds,
        on_error: engine_on_error(args.on_error),
        debug: args.debug,
    };
    let work = kiln_engine::run(plan, Arc::new(steps), options, Arc::new(sink), session.cancel.clone());
    let result = session.runtime.block_on(work);
    run.close();
    Exit::of(result.is_success())
}

fn engine_on_error(flag: OnErrorFlag) -> kiln_engine::OnError {
    match flag {
        OnErrorFlag::Cleanup => kiln_engine::OnError::Cleanup,
        OnErrorFlag::Abort => kiln_engine::OnError::Abort,
        OnErrorFlag::Ask => kiln_engine::OnError::Ask,
        OnErrorFlag::RunCleanupProvisioner => kiln_engine::OnError::RunCleanupProvisioner,
    }
}

fn host_on_error(flag: OnErrorFlag) -> kiln_host::OnError {
    match flag {
        OnErrorFlag::Cleanup => kiln_host::OnError::Cleanup,
        OnErrorFlag::Abort => kiln_host::OnError::Abort,
        OnErrorFlag::Ask => kiln_host::OnError::Ask,
        OnErrorFlag::RunCleanupProvisioner => kiln_host::OnError::RunCleanupProvisioner,
    }
}
