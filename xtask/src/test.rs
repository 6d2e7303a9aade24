//! `cargo xtask test [suite…]`: the suites, each within its time budget.
//!
//! A suite that exceeds its budget fails, and the budgets together stay under CI's 90 minutes (a test
//! below holds that). A failed suite does not stop the next. A suite of tests in which no test ran
//! fails too: silence is not success. Everything is compiled in one profile, release, so that the
//! tests use what is shipped and nothing is compiled twice.

use crate::launch::{Ended, Launch};
use crate::tree::Tree;
use crate::{build, docs, guest, guests, setup, sizes};
use anyhow::{Result, bail};
use clap::Args;
use std::time::{Duration, Instant};

#[derive(Args)]
pub(crate) struct TestArgs {
    /// Suites to run; all if none is named
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(SUITES.iter().map(|s| s.name)))]
    suites: Vec<String>,
    /// Print the suites with their budgets and end
    #[arg(long)]
    list: bool,
}

struct Suite {
    name: &'static str,
    minutes: u64,
    /// What the suite uses; made before its clock starts only if another suite has not.
    needs: &'static [Need],
    run: fn(&Tree, &mut Tally) -> Result<()>,
}

/// Something that several suites use, made once.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Kiln,
    Guests,
}

/// In the order of a full run: what is quick and fails often comes first.
const SUITES: &[Suite] = &[
    Suite { name: "fmt", minutes: 1, needs: &[], run: fmt },
    Suite { name: "sizes", minutes: 1, needs: &[], run: sizes },
    Suite { name: "check-portable", minutes: 3, needs: &[], run: check_portable },
    Suite { name: "build", minutes: 20, needs: &[], run: |tree, _| make(tree, Need::Kiln) },
    Suite { name: "guest-images", minutes: 2, needs: &[], run: |tree, _| make(tree, Need::Guests) },
    Suite { name: "docs", minutes: 1, needs: &[Need::Kiln], run: |tree, _| docs::compare(tree) },
    Suite { name: "components", minutes: 3, needs: &[], run: components },
    Suite { name: "unit", minutes: 5, needs: &[Need::Kiln], run: unit },
    Suite { name: "fuzz", minutes: 3, needs: &[], run: fuzz },
    Suite { name: "contract", minutes: 5, needs: &[Need::Kiln], run: |t, n| kiln_tests(t, n, "contract") },
    Suite { name: "cli", minutes: 5, needs: &[Need::Kiln], run: |t, n| kiln_tests(t, n, "cli") },
    Suite {
        name: "differential",
        minutes: 4,
        needs: &[Need::Kiln],
        run: |t, n| kiln_tests(t, n, "differential"),
    },
    Suite { name: "bad_day", minutes: 9, needs: ALL, run: |t, n| kiln_tests(t, n, "bad_day") },
    Suite { name: "e2e", minutes: 6, needs: ALL, run: |t, n| kiln_tests(t, n, "e2e") },
    Suite { name: "clippy", minutes: 7, needs: &[], run: clippy },
];
const ALL: &[Need] = &[Need::Kiln, Need::Guests];

/// A whole run is to take at most this, cold, on 2 quiet cores; more is said loudly.
const TOGETHER: u64 = 40;
/// All budgets together. They leave room for a noisy machine; CI ends at 90 minutes.
#[cfg(test)]
const CEILING: u64 = 75;

/// What one suite did: its deadline, and the tests that cargo reported.
struct Tally {
    deadline: Instant,
    passed: u64,
    failed: u64,
}

struct Row {
    name: &'static str,
    budget: u64,
    took: Duration,
    tally: Tally,
    error: Option<String>,
}

pub(crate) fn run(args: &TestArgs) -> Result<()> {
    if args.list {
        for suite in SUITES {
            println!("{:15} {:3} min", suite.name, suite.minutes);
        }
        return Ok(());
    }
    setup::run()?;
    let tree = Tree::find();
    let chosen: Vec<_> =
        SUITES.iter().filter(|s| args.suites.is_empty() || args.suites.iter().any(|n| n == s.name)).collect();
    let mut made: Vec<Need> = Vec::new();
    let mut rows = Vec::new();
    for suite in chosen {
        println!("\n== {} (budget {} min)", suite.name, suite.minutes);
        rows.push(run_suite(&tree, suite, &mut made)?);
    }
    report(&rows)
}

fn run_suite(tree: &Tree, suite: &Suite, made: &mut Vec<Need>) -> Result<Row> {
    let start = Instant::now();
    let deadline = |from: Instant| from + Duration::from_secs(60 * suite.minutes);
    let mut tally = Tally { deadline: deadline(start), passed: 0, failed: 0 };
    let result =
        suite.needs.iter().filter(|need| !made.contains(need)).try_for_each(|need| make(tree, *need));
    let result = result.and_then(|()| {
        // What a suite needs is made by itself only when the suite runs alone; that is not its time.
        tally.deadline = deadline(Instant::now());
        (suite.run)(tree, &mut tally)?;
        if Instant::now() > tally.deadline {
            bail!("over its budget");
        }
        Ok(())
    });
    if result.is_ok() {
        made.extend(suite.needs);
        made.extend(suite.makes());
    }
    let error = result.err().map(|error| format!("{error:#}"));
    if error.as_deref() == Some("interrupted") {
        bail!("interrupted");
    }
    if let Some(error) = &error {
        println!("== {} FAILED: {error}", suite.name);
    }
    Ok(Row { name: suite.name, budget: suite.minutes, took: start.elapsed(), tally, error })
}

impl Suite {
    fn makes(&self) -> Option<Need> {
        match self.name {
            "build" => Some(Need::Kiln),
            "guest-images" => Some(Need::Guests),
            _ => None,
        }
    }
}

fn make(tree: &Tree, need: Need) -> Result<()> {
    match need {
        Need::Kiln => {
            guests::run()?;
            build::kiln(tree)
        }
        Need::Guests => guest::all(tree),
    }
}

/// The table, the total, and an error if anything failed.
fn report(rows: &[Row]) -> Result<()> {
    println!("\n{:15} {:>8} {:>7} {:>7} {:>7}  result", "suite", "minutes", "budget", "passed", "failed");
    let (mut passed, mut failed, mut took) = (0, 0, Duration::ZERO);
    for row in rows {
        let verdict = row.error.as_deref().unwrap_or("ok");
        let (p, f) = row.counts();
        println!(
            "{:15} {:8.1} {:7} {p:7} {f:7}  {verdict}",
            row.name,
            row.took.as_secs_f64() / 60.0,
            row.budget
        );
        passed += p;
        failed += f;
        took += row.took;
    }
    println!("{:15} {:8.1}", "together", took.as_secs_f64() / 60.0);
    println!("{passed} passed, {failed} failed");
    let bad: Vec<_> = rows.iter().filter(|r| r.error.is_some()).map(|r| r.name).collect();
    if !bad.is_empty() {
        bail!("failed suites: {}", bad.join(", "));
    }
    if took > Duration::from_secs(60 * TOGETHER) {
        println!("WARNING: all suites passed, but took more than {TOGETHER} min together");
    }
    Ok(())
}

impl Row {
    /// Tests passed and failed; a suite without tests of its own counts as one.
    fn counts(&self) -> (u64, u64) {
        let (p, f) = (self.tally.passed, self.tally.failed);
        match (&self.error, p + f) {
            (None, 0) => (1, 0),
            (Some(_), _) => (p, f.max(1)),
            (None, _) => (p, f),
        }
    }
}

impl Tally {
    /// Run one command within what is left of the budget, counting cargo's test results.
    fn cargo(&mut self, launch: Launch) -> Result<()> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let (mut passed, mut failed) = (0, 0);
        let ended = launch.limited(left, &mut |line| {
            let (p, f) = count_tests(line);
            passed += p;
            failed += f;
        })?;
        self.passed += passed;
        self.failed += failed;
        match ended {
            Ended::Success => Ok(()),
            Ended::Failed(how) => bail!("{how}"),
            Ended::OverBudget => bail!("over its budget"),
        }
    }

    /// The same for a suite that must run at least one test.
    fn tests(&mut self, launch: Launch) -> Result<()> {
        let before = self.passed;
        self.cargo(launch)?;
        if self.passed == before {
            bail!("no test ran");
        }
        Ok(())
    }
}

/// `test result: ok. 12 passed; 0 failed; …` as two numbers, anything else as none.
fn count_tests(line: &str) -> (u64, u64) {
    let Some(rest) = line.trim_start().strip_prefix("test result: ") else { return (0, 0) };
    let number = |word: &str| {
        let before = rest.split(word).next()?;
        before.split_whitespace().next_back()?.parse().ok()
    };
    (number(" passed").unwrap_or(0), number(" failed").unwrap_or(0))
}

/// The workspaces that exist: the native one, then those for WebAssembly.
fn workspaces(tree: &Tree) -> Vec<&'static str> {
    let all = ["Cargo.toml", "components/Cargo.toml", "sdk/rust/Cargo.toml", "tests/programs/Cargo.toml"];
    all.into_iter().filter(|manifest| tree.root.join(manifest).exists()).collect()
}

fn fmt(tree: &Tree, tally: &mut Tally) -> Result<()> {
    for manifest in workspaces(tree) {
        let args = ["fmt", "--all", "--check", "--manifest-path", manifest];
        tally.cargo(Launch::cargo().args(args).dir(&tree.root))?;
    }
    Ok(())
}

fn sizes(tree: &Tree, _tally: &mut Tally) -> Result<()> {
    sizes::run(tree)
}

fn check_portable(tree: &Tree, tally: &mut Tally) -> Result<()> {
    setup::rust_targets(&setup::PORTABLE)?;
    for target in setup::PORTABLE {
        let args = [
            "check",
            "--release",
            "-p",
            "kiln-plan",
            "-p",
            "kiln-absent",
            "-p",
            "kiln-template",
            "-p",
            "kiln-engine",
        ];
        tally.cargo(Launch::cargo().args(args).args(["--target", target]).dir(&tree.root))?;
    }
    Ok(())
}

/// What of the components and the SDK can be tested without a host: their own logic, natively.
fn components(tree: &Tree, tally: &mut Tally) -> Result<()> {
    for manifest in ["components/Cargo.toml", "sdk/rust/Cargo.toml"] {
        let launch = Launch::cargo()
            .args(["test", "--workspace", "--manifest-path", manifest])
            .arg_path("--target-dir", &tree.target.join("wasm"))
            .dir(&tree.root);
        tally.tests(launch)?;
    }
    Ok(())
}

fn unit(tree: &Tree, tally: &mut Tally) -> Result<()> {
    let names = integration_tests(tree)?;
    let args = ["test", "--release", "--workspace", "--lib", "--bins"];
    let mut launch = Launch::cargo().args(args);
    for name in &names {
        launch = launch.args(["--test", name.as_str()]);
    }
    tally.tests(with_places(tree, launch))
}

/// The integration tests of the crates in runtime/, by name: `tests/x.rs` and `tests/x/main.rs`.
/// They are named one by one because `--exclude kiln-tests` would select other features.
fn integration_tests(tree: &Tree) -> Result<Vec<String>> {
    let crates =
        ["plan", "template", "native/ssh", "native/machine", "native/content", "host", "engine", "cli"];
    let mut names = Vec::new();
    for folder in crates {
        let Ok(entries) = std::fs::read_dir(tree.root.join("runtime").join(folder).join("tests")) else {
            continue;
        };
        for entry in entries {
            let path = entry?.path();
            let is_test = path.extension().is_some_and(|e| e == "rs") || path.join("main.rs").exists();
            names
                .extend(path.file_stem().filter(|_| is_test).map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    // A suite of its own.
    names.retain(|name| name != FUZZ);
    names.sort();
    Ok(names)
}

/// The integration test of kiln-template that fuzzes.
const FUZZ: &str = "fuzz";

/// A few seconds of each target; what it did is shown.
fn fuzz(tree: &Tree, tally: &mut Tally) -> Result<()> {
    let args = ["test", "--release", "--workspace", "--test", FUZZ, "--", "--nocapture"];
    tally.tests(with_places(tree, Launch::cargo().args(args)))
}

fn kiln_tests(tree: &Tree, tally: &mut Tally, suite: &str) -> Result<()> {
    let args = ["test", "--release", "--workspace", "--test", suite];
    tally.tests(with_places(tree, Launch::cargo().args(args)))
}

fn clippy(tree: &Tree, tally: &mut Tally) -> Result<()> {
    let native = ["clippy", "--release", "--workspace", "--all-targets", "--", "-D", "warnings"];
    tally.cargo(with_places(tree, Launch::cargo().args(native)))?;
    for manifest in workspaces(tree).into_iter().skip(1) {
        let launch = Launch::cargo()
            .args(["clippy", "--release", "--target", setup::WASM, "--manifest-path", manifest])
            .arg_path("--target-dir", &tree.target.join("wasm"))
            .args(["--", "-D", "warnings"])
            .dir(&tree.root);
        tally.cargo(launch)?;
    }
    Ok(())
}

/// Tests find what was built for them by these variables.
fn with_places(tree: &Tree, launch: Launch) -> Launch {
    launch
        .env("KILN_COMPONENTS", tree.components())
        .env("KILN_TEST_KILN", tree.kiln())
        .env("KILN_TEST_PROGRAMS", tree.programs())
        .env("KILN_TEST_GUESTS", tree.guests())
        .dir(&tree.root)
}

#[cfg(test)]
mod tests {
    use super::{CEILING, SUITES, count_tests};

    #[test]
    fn the_budgets_end_before_ci_does() {
        let sum: u64 = SUITES.iter().map(|s| s.minutes).sum();
        assert!(sum <= CEILING, "{sum} min");
    }

    #[test]
    fn results_of_cargo_are_counted() {
        let line = "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out\n";
        assert_eq!(count_tests(line), (12, 3));
        assert_eq!(count_tests("test a ... ok"), (0, 0));
    }
}
