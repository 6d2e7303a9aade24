//! `kiln init`: a project's third-party components, looked at and approved. Bundled ones need nothing.

use crate::args::{ConfigType, InitArgs};
use crate::config_file::{Foreign, Project};
use crate::exit::Exit;
use crate::home::Home;
use crate::lock::{Approvals, Lock, Locked, digest, parse_grants, prefixed};
use crate::prompt::Questions;
use crate::requirements::Has;
use crate::sandbox::Sandbox;
use crate::screen::Screen;
use crate::session::load;
use kiln_host::{Source, WantedGrant};
use kiln_plan::ComponentRef;
use kiln_plan::grant::Grants;
use std::path::Path;

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
    let there = requirements(screen, &home, args, &project)?;
    if project.components.is_empty() {
        return Ok(there);
    }
    let sandbox = Sandbox::open(&home, Some(&args.template)).map_err(|e| e.to_string())?;
    let judge = Judge {
        screen,
        approvals: Approvals::of(&home.state),
        policy: policy(args, &home.working, &project.folder)?,
        args,
    };
    let mut lock = Lock::default();
    let mut complete = there;
    for foreign in &project.components {
        let (locked, grants) = look(screen, &sandbox, foreign)?;
        complete &= judge.approves(foreign, &locked, &grants)?;
        lock.component.push(locked);
    }
    lock.write(&project.folder).map_err(|e| e.to_string())?;
    screen.say(format!("Wrote {}", crate::lock::NAME));
    Ok(complete)
}

/// What kiln has for the plugins that the template requires; whether that is something for each.
fn requirements(screen: &Screen, home: &Home, args: &InitArgs, project: &Project) -> Result<bool, String> {
    let name = args.template.file_name().and_then(|name| name.to_str()).unwrap_or("");
    if name.ends_with(".json") && !name.ends_with(".pkr.json") {
        return Err(format!(
            "{name} is a legacy JSON template; init is for HCL templates, JSON ones need none"
        ));
    }
    if !has_template(&home.working.join(&args.template)) {
        if project.components.is_empty() {
            return Err(format!("there is no template in {}", args.template.display()));
        }
        return Ok(true);
    }
    let Ok(template) = load(screen, home, Some(&args.template), ConfigType::Hcl2) else {
        return Err("the template cannot be read, so what it requires is not known".to_owned());
    };
    let mut there = true;
    for plugin in template.required_plugins() {
        let has = Has::of(plugin, project);
        let line = format!("{} ({}): {}", plugin.name, plugin.source, has.words(&plugin.source));
        if has.is_enough() {
            screen.say(line)
        } else {
            screen.error(format!("Error: {line}"))
        }
        there &= has.is_enough();
    }
    if template.required_plugins().is_empty() && project.components.is_empty() {
        screen.say(
            "Nothing to do: the template has no `required_plugins`, and no kiln.toml names components. Bundled \
             components need no init; `kiln plugins installed` lists them.",
        );
    }
    Ok(there)
}

/// Whether a path is a file, or a folder with a template in it. A folder may hold kiln.toml alone.
#[expect(clippy::disallowed_methods, reason = "looks into the folder that the user names")]
fn has_template(path: &Path) -> bool {
    let names = std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.file_name());
    path.is_file()
        || names
            .filter_map(|name| name.into_string().ok())
            .any(|name| name.ends_with(".pkr.hcl") || name.ends_with(".pkr.json"))
}

/// The file of `--policy`. One inside the project would let a cloned repository approve itself.
fn policy(args: &InitArgs, working: &Path, project: &Path) -> Result<Lock, String> {
    let Some(path) = &args.policy else { return Ok(Lock::default()) };
    let path = working.join(path);
    let real = |path: &Path| path.canonicalize().map_err(|e| format!("cannot read {}: {e}", path.display()));
    if real(&path)?.starts_with(real(project)?) {
        return Err(format!(
            "{} is inside of the project, which must not approve itself; keep it elsewhere",
            path.display()
        ));
    }
    Lock::read_file(&path).map_err(|e| e.to_string())
}

/// Decides about components.
struct Judge<'a> {
    screen: &'a Screen,
    approvals: Approvals,
    policy: Lock,
    args: &'a InitArgs,
}

impl Judge<'_> {
    /// Whether a component is approved, now or before. Says so.
    fn approves(&self, foreign: &Foreign, locked: &Locked, grants: &Grants) -> Result<bool, String> {
        let digest = locked.digest.trim_start_matches("sha256:");
        if !self.args.force && self.approvals.has(digest, grants) {
            self.screen.say("  already approved by you");
            return Ok(true);
        }
        let approved = self.may(&foreign.component, locked, grants);
        if approved {
            self.approvals.add(&foreign.component, digest, grants).map_err(|e| e.to_string())?;
        }
        self.screen.say(match (approved, grants.is_full_trust()) {
            (true, _) => "  approved",
            (false, false) => "  not approved; run `kiln init` on a terminal, or with --approve",
            (false, true) => {
                "  not approved; run `kiln init` on a terminal, or with --approve-full-trust if you trust its \
                 author with all that you have"
            }
        });
        Ok(approved)
    }

    /// What flags, the policy or the person at the terminal say.
    fn may(&self, component: &ComponentRef, locked: &Locked, grants: &Grants) -> bool {
        let full = grants.is_full_trust();
        let listed = |known: &Locked| {
            known.digest == locked.digest && known.grants == locked.grants && known.kind == locked.kind
        };
        if self.args.approve_full_trust
            || (self.args.approve && !full)
            || self.policy.component.iter().any(listed)
        {
            return true;
        }
        let with = if full { ", with full trust" } else { "" };
        Questions::new(self.screen.clone()).agree(&format!("Approve the {component}{with}?"))
    }
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
        screen.say("  FULL TRUST: it can do everything you can");
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
