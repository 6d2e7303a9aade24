//! `kiln init`: a project's third-party components, looked at and approved. Bundled ones need nothing.

use crate::args::InitArgs;
use crate::config_file::{Foreign, Project};
use crate::exit::Exit;
use crate::home::Home;
use crate::lock::{Approvals, Lock, Locked, digest, parse_grants, prefixed};
use crate::prompt::Questions;
use crate::sandbox::Sandbox;
use crate::screen::Screen;
use kiln_host::{Source, WantedGrant};
use kiln_plan::grant::Grants;

/// Approves and writes `kiln.lock`.
pub(crate) fn run(screen: &Screen, args: &InitArgs) -> Exit {
    init(screen, args).map_or_else(
        |problem| {
            screen.error(format!("Error: {problem}"));
            Exit::Failure
        },
        Exit::of,
    )
}

fn init(screen: &Screen, args: &InitArgs) -> Result<bool, String> {
    let home = Home::find();
    if !home.working.join(&args.template).exists() {
        return Err(format!("there is nothing at {}", args.template.display()));
    }
    let project = Project::of(Some(&args.template), &home.working).map_err(|e| e.to_string())?;
    if project.components.is_empty() {
        screen.say("Nothing to do: bundled components need no installation, and no kiln.toml names others.");
        return Ok(true);
    }
    let sandbox = Sandbox::open(&home, Some(&args.template)).map_err(|e| e.to_string())?;
    let approvals = Approvals::of(&home.state);
    let questions = Questions::new(screen.clone());
    let mut lock = Lock::default();
    let mut complete = true;
    for foreign in &project.components {
        let (locked, grants) = look(screen, &sandbox, foreign)?;
        let digest = locked.digest.trim_start_matches("sha256:");
        let known = approvals.has(digest, &grants);
        let approved =
            known || args.approve || questions.agree(&format!("Approve the {}?", foreign.component));
        if approved && !known {
            approvals.add(&foreign.component, digest, &grants).map_err(|e| e.to_string())?;
        }
        screen.say(match (known, approved) {
            (true, _) => "  already approved by you",
            (false, true) => "  approved",
            (false, false) => "  not approved; run `kiln init` on a terminal, or with --approve",
        });
        complete &= approved;
        lock.component.push(locked);
    }
    lock.write(&project.folder).map_err(|e| e.to_string())?;
    screen.say(format!("Wrote {}", crate::lock::NAME));
    Ok(complete)
}

/// Describes a component without giving it anything, and shows what it wants.
fn look(screen: &Screen, sandbox: &Sandbox, foreign: &Foreign) -> Result<(Locked, Grants), String> {
    let component = &foreign.component;
    let unreadable =
        |e: &dyn std::fmt::Display| format!("cannot read `{}` of kiln.toml: {e}", foreign.written);
    let before = digest(&foreign.path).map_err(|e| unreadable(&e))?;
    let description =
        sandbox.host.inspect(component, Source::Path(foreign.path.clone())).map_err(|e| e.to_string())?;
    if description.digest != before {
        return Err(unreadable(&"it changes while it is read"));
    }
    let wanted = description.wanted_grants.iter().map(|g| (g.name.clone(), g.targets.clone())).collect();
    let grants =
        parse_grants(&wanted).map_err(|e| format!("the {component} asks for what there is not: {e}"))?;
    screen.say(format!("{component} {}: {}", description.version, description.summary));
    screen.say(format!("  file    {}", foreign.written));
    screen.say(format!("  digest  {}", prefixed(&description.digest)));
    if description.wanted_grants.is_empty() {
        screen.say("  wants   no grant");
    }
    for grant in &description.wanted_grants {
        screen.say(format!("  wants   {}", wanted_line(grant)));
    }
    if grants.is_full_trust() {
        screen.say("  FULL TRUST: with these grants it can do everything that you can");
    }
    let locked = Locked {
        kind: component.kind,
        name: component.name.clone(),
        path: foreign.written.clone(),
        digest: prefixed(&description.digest),
        grants: grants.to_map(),
    };
    Ok((locked, grants))
}

/// A wanted grant with its reason, on one line and without control characters.
pub(crate) fn wanted_line(grant: &WantedGrant) -> String {
    let targets =
        if grant.targets.is_empty() { String::new() } else { format!(" {}", grant.targets.join(", ")) };
    let optional = if grant.optional { " (optional)" } else { "" };
    let text = format!("{}{targets}{optional}: {}", grant.name, grant.reason);
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect()
}
