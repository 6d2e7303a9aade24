//! `cargo xtask soak removals`: takes out one check of the sandbox after the other, and sees whether
//! a test notices.
//!
//! Each removal is an exact piece of text of a copy of the tree. The copy has the shared target
//! folder, so that only the host and its tests are compiled again. A removal that does not apply or
//! does not compile is an error of this list, not a catch.

use crate::guests;
use crate::launch::{Ended, Launch};
use crate::tree::Tree;
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

struct Removal {
    what: &'static str,
    /// Below `runtime/host/src`.
    file: &'static str,
    from: &'static str,
    to: &'static str,
}

const fn removal(what: &'static str, file: &'static str, from: &'static str, to: &'static str) -> Removal {
    Removal { what, file, from, to }
}

const REMOVALS: &[Removal] = &[
    removal(
        "no role is asked for",
        "capability.rs",
        "Authority::Role(roles) if roles.contains(&state.role) => Ok(()),",
        "Authority::Role(roles) if !roles.is_empty() => Ok(()),",
    ),
    removal(
        "no grant is asked for",
        "capability.rs",
        "Authority::Granted(request) => state.step.grants.permit(&request)",
        "Authority::Granted(request) => state.step.grants.permit(&request).or(Ok::<_, kiln_plan::grant::Refusal>(()))",
    ),
    removal(
        "designations count in `validate`",
        "capability.rs",
        "Authority::Designation if state.role != Role::Pure => Ok(()),",
        "Authority::Designation if state.max_calls > 0 => Ok(()),",
    ),
    removal(
        "vm.start needs nothing",
        "capability/hypervisor.rs",
        "self.enter_hypervisor(\"hypervisor.[method]vm.start\")?",
        "Call::enter(self, \"hypervisor.[method]vm.start\", Authority::Always)?",
    ),
    removal(
        "vm.monitor needs the grant `hypervisor` only",
        "capability/hypervisor.rs",
        "let authority = Authority::Granted(Request::Switch(Switch::Monitor));",
        "let authority = Authority::Granted(Request::Switch(Switch::Hypervisor));",
    ),
    removal(
        "machines.connect is for everybody",
        "capability/machines.rs",
        "\"machines.connect\", Authority::Role(Role::BUILDER)",
        "\"machines.connect\", Authority::Role(Role::ACTIVE)",
    ),
    removal(
        "secrets.reveal needs nothing",
        "capability/secrets.rs",
        "let reveal = Authority::Granted(Request::Switch(Switch::Reveal));",
        "let _ = Request::Switch(Switch::Reveal); let reveal = Authority::Always;",
    ),
    removal(
        "any program is one that the user named",
        "capability/exec.rs",
        "if self.is_named_by_user(program) {",
        "if self.is_named_by_user(program) || !program.is_empty() {",
    ),
    removal(
        "any download is one that the template named",
        "capability/downloads.rs",
        "let authority = if request.designated {",
        "let authority = if request.designated || !request.url.is_empty() {",
    ),
    removal(
        "session.forward comes with the role",
        "capability/sessions/connection.rs",
        "let authority = Authority::Granted(Request::Switch(Switch::Forward));",
        "let _ = Request::Switch(Switch::Forward); let authority = Authority::Role(Role::ACTIVE);",
    ),
    removal(
        "artifacts are made by everybody",
        "capability/artifacts.rs",
        "\"artifacts.[constructor]draft\", Role::MAKERS",
        "\"artifacts.[constructor]draft\", Role::ACTIVE",
    ),
    removal(
        "the journal is written in `validate`",
        "capability/journal.rs",
        "\"journal.record-undo\", Authority::Role(Role::ACTIVE)",
        "\"journal.record-undo\", Authority::Always",
    ),
    removal(
        "a designation with a false condition counts",
        "designation.rs",
        "if !is_active(configuration, pointer, direction) {",
        "if false && !is_active(configuration, pointer, direction) {",
    ),
    removal(
        "what a component named opens anything",
        "designation.rs",
        "    grants.permit(&request).map_err(|refusal| {",
        "    grants.permit(&request).or(Ok::<_, kiln_plan::grant::Refusal>(())).map_err(|refusal| {",
    ),
    removal(
        "outputs overwrite what the build did not make",
        "output.rs",
        "self.root.policy != Policy::Create\n",
        "self.root.policy != Policy::Create || !self.root.force\n",
    ),
];

/// Runs all of them; gives the line for docs/soak.md, and whether every one was caught.
pub(super) fn run(tree: &Tree) -> Result<(String, bool)> {
    guests::run()?;
    let copy = Copy::make(tree)?;
    println!("== as it is");
    ensure!(copy.passes()?, "the tests fail before anything is removed");
    let mut missed = Vec::new();
    for removal in REMOVALS {
        println!("== {}", removal.what);
        let caught = copy.without(removal)?;
        println!("== {}: {}", removal.what, if caught { "caught" } else { "MISSED" });
        if !caught {
            missed.push(removal.what);
        }
    }
    let mut line = format!("{} seeded, {} caught", REMOVALS.len(), REMOVALS.len() - missed.len());
    if !missed.is_empty() {
        line = format!("FAILED: {line}; missed: {}", missed.join(", "));
    }
    Ok((line, missed.is_empty()))
}

struct Copy<'a> {
    tree: &'a Tree,
    root: PathBuf,
}

impl<'a> Copy<'a> {
    /// Every file that git knows or would take; a file that is the same is not touched.
    fn make(tree: &'a Tree) -> Result<Self> {
        let root = tree.target.join("soak/tree");
        let listing = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        let files = Launch::new("git").args(listing).dir(&tree.root).output()?;
        for name in files.split('\0').filter(|name| !name.is_empty()) {
            let from = tree.root.join(name);
            if from.is_file() {
                put(&root.join(name), &fs::read(&from)?)?;
            }
        }
        Ok(Self { tree, root })
    }

    /// Whether the tests notice. The file is as before afterwards.
    fn without(&self, removal: &Removal) -> Result<bool> {
        let file = self.root.join("runtime/host/src").join(removal.file);
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let count = text.matches(removal.from).count();
        ensure!(count == 1, "`{}` occurs {count} times in {}", removal.from, removal.file);
        put(&file, text.replace(removal.from, removal.to).as_bytes())?;
        let passes = self.passes();
        put(&file, text.as_bytes())?;
        Ok(!passes.with_context(|| removal.what)?)
    }

    /// The contract suite, then the host's own tests.
    fn passes(&self) -> Result<bool> {
        for args in [&["-p", "kiln-tests", "--test", "contract"][..], &["-p", "kiln-host"]] {
            let launch = Launch::cargo()
                .args(["test", "--release", "--quiet"])
                .args(args)
                // What is compiled for each removal is compiled fast; what is shared stays shared.
                .args(["--config", "profile.release.package.kiln-host.opt-level=0"])
                .args(["--config", "profile.release.package.kiln-tests.opt-level=0"])
                .env("CARGO_PROFILE_RELEASE_INCREMENTAL", "true")
                .env("CARGO_TARGET_DIR", &self.tree.target)
                .env("KILN_TEST_PROGRAMS", self.tree.programs())
                .env("KILN_PROGRAMS", self.tree.programs())
                .dir(&self.root);
            let mut ran = false;
            let ended = launch.limited(Duration::from_secs(1800), &mut |line| {
                ran |= line.starts_with("test result: ");
            })?;
            match ended {
                Ended::Success => {}
                Ended::Failed(_) if ran => return Ok(false),
                Ended::Failed(how) => bail!("the tests did not run: {how}"),
                Ended::OverBudget => bail!("the tests hung"),
            }
        }
        Ok(true)
    }
}

fn put(file: &Path, content: &[u8]) -> Result<()> {
    if fs::read(file).is_ok_and(|old| old == content) {
        return Ok(());
    }
    fs::create_dir_all(file.parent().unwrap_or(file))?;
    fs::write(file, content).with_context(|| format!("writing {}", file.display()))
}
