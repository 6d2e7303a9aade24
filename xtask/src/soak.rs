//! `cargo xtask soak [suite] [--minutes N]`: what is too long for `test`, with dated results.
//!
//! The loops themselves are ignored tests of kiln-tests that run until `KILN_SOAK_MINUTES` are
//! over. `removals` is no loop: it takes checks out of the sandbox and sees whether tests notice.
//! The result of each run becomes a line of docs/soak.md, the newest first.

mod removals;

use crate::launch::{Ended, Launch};
use crate::tree::Tree;
use crate::{build, guests, setup};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::fs;
use std::time::{Duration, Instant};

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
    guests::run()?;
    build::kiln(&tree)?;
    let suite = args.suite.as_deref().unwrap_or("");
    let launch = Launch::cargo()
        .args([
            "test",
            "--release",
            "-p",
            "kiln-tests",
            "--test",
            "soak",
            "--",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .args(args.suite.iter())
        .env("KILN_SOAK_MINUTES", args.minutes.to_string())
        .env("KILN_TEST_KILN", tree.kiln())
        .env("KILN_TEST_PROGRAMS", tree.programs())
        .dir(&tree.root);
    let mut results = Vec::new();
    let start = Instant::now();
    // Compiling and a generous number of tests; a hang is what the limit is for.
    let budget = Duration::from_secs(60 * (20 + args.minutes * 20));
    let ended = launch.limited(budget, &mut |line| {
        if let Some(rest) = line.trim().strip_prefix("test result: ") {
            results.push(rest.split("; finished").next().unwrap_or(rest).to_owned());
        }
    })?;
    let result = match &ended {
        Ended::Success if results.iter().any(|r| !r.contains(" 0 passed")) => results.join(" / "),
        Ended::Success => bail!("no soak test has {suite:?} in its name"),
        Ended::Failed(how) => format!("FAILED: {how}"),
        Ended::OverBudget => "FAILED: hung".to_owned(),
    };
    let minutes = start.elapsed().as_secs() / 60;
    let name = if suite.is_empty() { "all" } else { suite };
    write(&tree, &format!("| {} | {} | {name} | {minutes} | {result} |\n", tree.now()?, tree.revision()?))?;
    if !matches!(ended, Ended::Success) {
        bail!("{result}");
    }
    Ok(())
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
