//! `cargo xtask bench [case…]`: kiln, Packer and the bare shell on the same work, in turns.
//!
//! Every round runs each contender once, in changing order, so that what the rest of the machine
//! does meets all alike; differences are taken within a round. Nothing here is asserted: the bars
//! are printed as kept or missed, and a test by the clock would only fail on somebody's slow day.

mod commands;
mod idle;
mod machines;
mod measure;
mod report;
mod templates;
mod uploads;

use crate::tree::Tree;
use crate::{build, setup};
use anyhow::{Context, Result, bail};
use clap::Args;
use measure::Sample;
use std::fs;
use std::path::PathBuf;

#[derive(Args)]
pub(crate) struct BenchArgs {
    /// Cases to run; all if none is named
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(CASES.iter().map(|c| c.0)))]
    cases: Vec<String>,
    /// Rounds of each case instead of its own number
    #[arg(long)]
    rounds: Option<usize>,
    /// Put the results into docs/benchmarks.md
    #[arg(long)]
    write: bool,
    /// Measure this program as kiln, instead of building it
    #[arg(long, value_name = "PROGRAM")]
    kiln: Option<PathBuf>,
}

/// What cases are made from.
pub(crate) struct Bench {
    tree: Tree,
    kiln: PathBuf,
    /// A folder for everything that is written, new for each run.
    work: PathBuf,
}

/// One case: the same work done by several contenders.
pub(crate) struct Case<'a> {
    title: String,
    rounds: usize,
    contenders: Vec<Contender<'a>>,
    /// The contender that differences are taken to.
    floor: Option<&'static str>,
    /// What the issue asks for, judged from the series.
    bars: fn(&[Series]) -> Vec<Bar>,
}

pub(crate) struct Contender<'a> {
    name: &'static str,
    run: Box<dyn FnMut() -> Result<Sample> + 'a>,
}

/// The samples of one contender, in the order of the rounds.
pub(crate) struct Series {
    name: &'static str,
    samples: Vec<Sample>,
}

/// One promise and what was measured.
pub(crate) struct Bar {
    text: String,
    kept: bool,
}

type Make = for<'a> fn(&'a Bench) -> Result<Case<'a>>;

const CASES: &[(&str, Make)] = &[
    ("version", commands::version),
    ("validate", commands::validate),
    ("validate-large", templates::validate_large),
    ("inspect-large", templates::inspect_large),
    ("fmt-many", templates::fmt_many),
    ("null-20", commands::null_20),
    ("null-1000", commands::null_1000),
    ("upload-large", uploads::large),
    ("upload-small", uploads::small),
    ("disk", machines::disk),
    ("iso", machines::iso),
];

pub(crate) fn run(args: &BenchArgs) -> Result<()> {
    setup::run()?;
    setup::packages(&["pigz"])?;
    let tree = Tree::find();
    let kiln = match &args.kiln {
        Some(program) => program.clone(),
        None => {
            build::run()?;
            tree.kiln()
        }
    };
    let work = tree.target.join("bench");
    let _ = fs::remove_dir_all(&work);
    fs::create_dir_all(&work).with_context(|| format!("creating {}", work.display()))?;
    let bench = Bench { tree, kiln, work };
    let mut failed = Vec::new();
    for (name, make) in CASES {
        if !args.cases.is_empty() && !args.cases.iter().any(|case| case == name) {
            continue;
        }
        match run_case(&bench, name, *make, args) {
            Ok(()) => {}
            Err(error) => {
                println!("{name}: not measured: {error:#}");
                failed.push(*name);
            }
        }
    }
    if !failed.is_empty() {
        bail!("not measured: {}", failed.join(", "));
    }
    Ok(())
}

fn run_case(bench: &Bench, name: &str, make: Make, args: &BenchArgs) -> Result<()> {
    let mut case = make(bench)?;
    let rounds = args.rounds.unwrap_or(case.rounds).max(1);
    eprintln!("{name}: {}, {rounds} rounds", case.title);
    let load = report::load();
    let mut series: Vec<_> =
        case.contenders.iter().map(|c| Series { name: c.name, samples: Vec::new() }).collect();
    // The first round of all warms caches (pages, compiled components) and is not counted.
    for round in 0..=rounds {
        let count = case.contenders.len();
        for turn in 0..count {
            let index = (round + turn) % count;
            let contender = &mut case.contenders[index];
            let sample = (contender.run)().with_context(|| contender.name)?;
            eprintln!("  round {round}: {:20} {:8.3} s", contender.name, sample.seconds);
            if round > 0 {
                series[index].samples.push(sample);
            }
        }
    }
    let section = report::section(name, &case, &series, &load, &bench.tree)?;
    println!("{section}");
    if args.write { report::write(&bench.tree, name, &section) } else { Ok(()) }
}

impl Series {
    pub(crate) fn seconds(&self) -> Vec<f64> {
        self.samples.iter().map(|sample| sample.seconds).collect()
    }

    pub(crate) fn median(&self) -> f64 {
        median(self.seconds())
    }

    /// The median of the peaks of memory, in KiB.
    pub(crate) fn peak(&self) -> f64 {
        median(self.samples.iter().map(|sample| sample.peak_kib).collect())
    }

    /// What this one took longer than the other, round by round.
    pub(crate) fn minus(&self, other: &Self) -> Vec<f64> {
        self.samples.iter().zip(&other.samples).map(|(a, b)| a.seconds - b.seconds).collect()
    }
}

/// The middle value, or the mean of the middle two; of nothing, not a number.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}

/// The series of a contender.
pub(crate) fn find<'a>(series: &'a [Series], name: &str) -> Option<&'a Series> {
    series.iter().find(|one| one.name == name)
}

impl Bar {
    /// `what` is `value`, and must be at most `limit`.
    pub(crate) fn at_most(what: &str, value: f64, limit: f64, unit: &str) -> Self {
        Self { text: format!("{what}: {value:.3} {unit} (at most {limit} {unit})"), kept: value <= limit }
    }

    /// The same for what must be at least `limit`.
    pub(crate) fn at_least(what: &str, value: f64, limit: f64, unit: &str) -> Self {
        Self { text: format!("{what}: {value:.2}{unit} (at least {limit}{unit})"), kept: value >= limit }
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_the_middle() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(vec![4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        assert!(median(vec![]).is_nan());
    }
}
