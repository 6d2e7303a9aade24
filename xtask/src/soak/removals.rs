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
    /// Below `runtime`.
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
        "host/src/capability.rs",
        "Authority::Role(roles) if roles.contains(&caller.role) => Ok(()),",
        "Authority::Role(roles) if !roles.is_empty() => Ok(()),",
    ),
    removal(
        "no grant is asked for",
        "host/src/capability.rs",
        "if caller.role != Role::Pure => permit(caller.step, &request),",
        "if caller.role != Role::Pure => permit(caller.step, &request).or(Ok(())),",
    ),
    removal(
        "designations count in `validate`",
        "host/src/capability.rs",
        "Authority::Designation if caller.role != Role::Pure => Ok(()),",
        "Authority::Designation => Ok(()),",
    ),
    removal(
        "vm.start needs nothing",
        "host/src/capability/hypervisor.rs",
        "self.enter_hypervisor(\"hypervisor.[method]vm.start\")?",
        "Call::enter(self, \"hypervisor.[method]vm.start\", Authority::Always)?",
    ),
    removal(
        "vm.monitor needs the grant `hypervisor` only",
        "host/src/capability/hypervisor.rs",
        "let authority = Authority::Granted(Request::Switch(Switch::Monitor));",
        "let authority = Authority::Granted(Request::Switch(Switch::Hypervisor));",
    ),
    removal(
        "machines.connect is for everybody",
        "host/src/capability/machines.rs",
        "\"machines.connect\", Authority::Role(Role::BUILDER)",
        "\"machines.connect\", Authority::Role(Role::ACTIVE)",
    ),
    removal(
        "secrets.reveal needs nothing",
        "host/src/capability/secrets.rs",
        "let reveal = Authority::Granted(Request::Switch(Switch::Reveal));",
        "let _ = Request::Switch(Switch::Reveal); let reveal = Authority::Always;",
    ),
    removal(
        "any program is one that the user named",
        "host/src/capability/exec.rs",
        "if self.is_named_by_user(program) {",
        "if self.is_named_by_user(program) || !program.is_empty() {",
    ),
    removal(
        "any download is one that the template named",
        "host/src/capability/downloads.rs",
        "let authority = if request.designated {",
        "let authority = if request.designated || !request.url.is_empty() {",
    ),
    removal(
        "session.forward comes with the role",
        "host/src/capability/sessions/connection.rs",
        "let authority = Authority::Granted(Request::Switch(Switch::Forward));",
        "let _ = Request::Switch(Switch::Forward); let authority = Authority::Role(Role::ACTIVE);",
    ),
    removal(
        "artifacts are made by everybody",
        "host/src/capability/artifacts.rs",
        "\"artifacts.[constructor]draft\", Role::MAKERS",
        "\"artifacts.[constructor]draft\", Role::ACTIVE",
    ),
    removal(
        "the journal is written in `validate`",
        "host/src/capability/journal.rs",
        "\"journal.record-undo\", Authority::Role(Role::ACTIVE)",
        "\"journal.record-undo\", Authority::Always",
    ),
    removal(
        "a designation with a false condition counts",
        "host/src/designation.rs",
        "if !is_active(configuration, pointer, direction) {",
        "if false && !is_active(configuration, pointer, direction) {",
    ),
    removal(
        "what a component named opens anything",
        "host/src/designation.rs",
        "    grants.permit(&request).map_err(|refusal| {",
        "    grants.permit(&request).or(Ok::<_, kiln_plan::grant::Refusal>(())).map_err(|refusal| {",
    ),
    removal(
        "outputs overwrite what the build did not make",
        "host/src/output.rs",
        "self.root.policy != Policy::Create\n",
        "self.root.policy != Policy::Create || !self.root.force\n",
    ),
    removal(
        "any request is one that the template named",
        "host/src/capability/http.rs",
        "let authority = if is_designated {",
        "let authority = if is_designated || !host.is_empty() {",
    ),
    removal(
        "`validate` sends requests",
        "host/src/capability/http.rs",
        "role: self.role,",
        "role: if self.role == Role::Pure { Role::Builder } else { self.role },",
    ),
    removal(
        "redirects of a download lead anywhere",
        "host/src/capability/http.rs",
        "        self.designates(scheme, host, port)\n            ||",
        "        !host.is_empty() || self.designates(scheme, host, port)\n            ||",
    ),
    removal(
        "answers bring secrets back",
        "host/src/capability/http.rs",
        "carried.contains(place)",
        "carried.is_empty() && carried.contains(place)",
    ),
    removal(
        "a cloud's metadata may be asked",
        "host/src/outgoing.rs",
        "AddressClass::Metadata => false,",
        "AddressClass::Metadata => true,",
    ),
    removal(
        "names lead into the private network",
        "host/src/outgoing.rs",
        "_ => name.parse::<IpAddr>().is_ok(),",
        "_ => !name.is_empty() || name.parse::<IpAddr>().is_ok(),",
    ),
    removal(
        "addresses are not judged before they are dialled",
        "native/content/src/egress/dial.rs",
        "if !class.is_never_dialled() && policy.allow_address(",
        "if !class.is_never_dialled() || policy.allow_address(",
    ),
    removal(
        "a component asks anybody by a list of checksums",
        "host/src/capability/downloads.rs",
        "permit(&self.step, &Grant::Http { scheme, host: &host, port }).map(|()| None)",
        "permit(&self.step, &Grant::Http { scheme, host: &host, port }).map(|()| None).or(Ok(None))",
    ),
    removal(
        "builders connect anywhere",
        "host/src/capability/machines.rs",
        "permit(&self.step, &Request::Ssh(address, port))?;",
        "let _ = permit(&self.step, &Request::Ssh(address, port));",
    ),
    removal(
        "arguments reach QEMU without their grant",
        "host/src/capability/hypervisor.rs",
        "if !options.rows(\"qemuargs\").is_empty() {",
        "if options.rows(\"qemuargs\").len() > 99 {",
    ),
    removal(
        "arguments reach qemu-img without their grant",
        "host/src/capability/hypervisor.rs",
        "if extra.is_empty() {",
        "if extra.len() < 99 {",
    ),
    removal(
        "machines join the host's network without the grant",
        "host/src/capability/hypervisor.rs",
        "if options.text(\"net_bridge\").is_some() {",
        "if options.text(\"net_bridge\").is_some_and(str::is_empty) {",
    ),
    removal(
        "a guest seals a letter",
        "host/src/capability/secrets.rs",
        "if plain.trim().chars().count() < SHORTEST {",
        "if plain.trim().chars().count() > usize::MAX - SHORTEST {",
    ),
    removal(
        "another component undoes",
        "host/src/build/undo.rs",
        "if described.description.digest != outside.digest {",
        "if described.description.digest.is_empty() {",
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
        let file = self.root.join("runtime").join(removal.file);
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
