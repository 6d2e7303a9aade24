//! `cargo xtask soak [suite] [--minutes N]`: what is too long for `test`, with dated results.
//!
//! The loops themselves are ignored tests of kiln-tests that run until `KILN_SOAK_MINUTES` are
//! over; `fuzz` is the fuzzing of kiln-template, for long and from a new seed. `removals` is no loop: it takes checks out of the sandbox and sees whether tests notice.
//! The result of each run becomes a line of docs/soak.md, the newest first.

mod removals;

use crate::launch::{Ended, Launch};
use crate::tree::Tree;
use crate::{build, guest, guests, setup};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::fs;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

#[derive(Args)]
pub(crate) struct SoakArgs {
    /// Part of the names of the tests to run, or `removals`; all loops if absent
    suite: Option<String>,
    /// How long each test loops
    #[arg(long, default_value_t = 30)]
    minutes: u64,
}

const HEAD: &str = "# Soak results\n\nWritten by `cargo xtask soak`; the newest run first.\n\n\
    | date (UTC) | revision | suite | minutes | result |\n|---|---|---|---|---|\n";

pub(crate) fn run(args: &SoakArgs) -> Result<()> {
    setup::run()?;
    let tree = Tree::find();
    if args.suite.as_deref() == Some("removals") {
        return take_out(&tree);
    }
    let suite = args.suite.as_deref().unwrap_or("");
    let mut results = Vec::new();
    let start = Instant::now();
    if suite != FUZZ {
        guests::run()?;
        build::kiln(&tree)?;
        guest::all(&tree)?;
        results.push(loops(&tree, suite, args)?);
    }
    if suite.is_empty() || suite == FUZZ {
        results.push(fuzz(&tree, args)?);
    }
    let (fine, result) = (results.iter().all(Result::is_ok), joined(results));
    let minutes = start.elapsed().as_secs() / 60;
    let name = if suite.is_empty() { "all" } else { suite };
    write(&tree, &format!("| {} | {} | {name} | {minutes} | {result} |\n", tree.now()?, tree.revision()?))?;
    if fine { Ok(()) } else { bail!("{result}") }
}

/// The suite that is no loop of kiln-tests but the fuzzing of kiln-template.
const FUZZ: &str = "fuzz";

/// What a run said of its tests, good or bad.
type Verdict = Result<String, String>;

fn joined(results: Vec<Verdict>) -> String {
    results.into_iter().map(|result| result.unwrap_or_else(|bad| bad)).collect::<Vec<_>>().join(" / ")
}

fn loops(tree: &Tree, suite: &str, args: &SoakArgs) -> Result<Verdict> {
    let launch = Launch::cargo()
        .args(["test", "--release", "-p", "kiln-tests", "--test", "soak", "--"])
        .args(["--ignored", "--nocapture", "--test-threads=1"])
        .args(args.suite.iter())
        .env("KILN_SOAK_MINUTES", args.minutes.to_string())
        .env("KILN_TEST_KILN", tree.kiln())
        .env("KILN_TEST_PROGRAMS", tree.programs())
        .env("KILN_TEST_GUESTS", tree.guests())
        .dir(&tree.root);
    let verdict = tests(launch, args)?;
    if verdict.as_ref().is_ok_and(|passed| passed.contains(" 0 passed")) {
        bail!("no soak test has {suite:?} in its name");
    }
    Ok(verdict)
}

/// Every target for as many minutes, one after the other, from a seed of its own.
fn fuzz(tree: &Tree, args: &SoakArgs) -> Result<Verdict> {
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock")?.as_secs();
    let launch = Launch::cargo()
        .args(["test", "--release", "--workspace", "--test", FUZZ, "--", "--nocapture", "--test-threads=1"])
        .env("KILN_FUZZ_SECONDS", (60 * args.minutes).to_string())
        .env("KILN_FUZZ_SEED", seed.to_string())
        .dir(&tree.root);
    tests(launch, args)
}

fn tests(launch: Launch, args: &SoakArgs) -> Result<Verdict> {
    let mut results = Vec::new();
    // Compiling and a generous number of tests; a hang is what the limit is for.
    let budget = Duration::from_secs(60 * (20 + args.minutes * 20));
    let ended = launch.limited(budget, &mut |line| {
        if let Some(rest) = line.trim().strip_prefix("test result: ") {
            results.push(rest.split("; finished").next().unwrap_or(rest).to_owned());
        }
    })?;
    Ok(match ended {
        Ended::Success => Ok(results.join(" / ")),
        Ended::Failed(how) => Err(format!("FAILED: {how}")),
        Ended::OverBudget => Err("FAILED: hung".to_owned()),
    })
}

/// The removals; an error unless each was caught.
fn take_out(tree: &Tree) -> Result<()> {
    let start = Instant::now();
    let (result, all) = removals::run(tree)?;
    println!("{result}");
    let minutes = start.elapsed().as_secs() / 60;
    write(tree, &format!("| {} | {} | removals | {minutes} | {result} |\n", tree.now()?, tree.revision()?))?;
    if all { Ok(()) } else { bail!("{result}") }
}

fn write(tree: &Tree, row: &str) -> Result<()> {
    let file = tree.root.join("docs/soak.md");
    let old = fs::read_to_string(&file).unwrap_or_default();
    let rows = old.split_once("|---|---|---|---|---|\n").map_or("", |(_, rows)| rows);
    fs::create_dir_all(tree.root.join("docs"))?;
    fs::write(&file, format!("{HEAD}{row}{rows}")).with_context(|| format!("writing {}", file.display()))
}
