//! Results as Markdown: one section per case, kept in docs/benchmarks.md until it is measured again.

use super::{Case, Series, find, median};
use crate::launch::Launch;
use crate::tree::Tree;
use anyhow::{Context, Result};
use std::fmt::Write;
use std::fs;

const HEAD: &str = "# Benchmarks\n\nWritten by `cargo xtask bench --write`. Contenders run in turns; \
    differences are taken within a round, and medians of them are shown. \"Floor\" is the same work done by \
    a shell with QEMU, one OpenSSH connection and qemu-img.\n";

/// The load of the machine over the last minute.
pub(crate) fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("?").to_owned()
}

/// One case as Markdown, with where and when it was measured.
pub(crate) fn section(
    name: &str,
    case: &Case<'_>,
    series: &[Series],
    load: &str,
    tree: &Tree,
) -> Result<String> {
    let mut text = format!("## {name}\n\n{}.\n\n", case.title);
    let floor = case.floor.and_then(|name| find(series, name));
    let versus = case.floor.map_or_else(String::new, |name| format!(" minus {name} (min to max), s |"));
    writeln!(text, "| | median s | min to max s | runs | peak MB |{versus}")?;
    writeln!(text, "|---|---|---|---|---|{}", if floor.is_some() { "---|" } else { "" })?;
    for one in series {
        let (low, high) = range(&one.seconds());
        let peak = one.peak() / 1024.0;
        let peak = if peak.is_nan() { "-".to_owned() } else { format!("{peak:.1}") };
        let median = one.median();
        write!(
            text,
            "| {} | {median:.3} | {low:.3} to {high:.3} | {} | {peak} |",
            one.name,
            one.samples.len()
        )?;
        if let Some(floor) = floor {
            text.push_str(&difference(one, floor));
        }
        text.push('\n');
    }
    text.push('\n');
    for bar in (case.bars)(series) {
        writeln!(text, "- {}: {}", bar.text, if bar.kept { "kept" } else { "MISSED" })?;
    }
    writeln!(text, "\n{}, revision {}, load {load}; {}", tree.now()?, tree.revision()?, machine()?)?;
    Ok(text)
}

fn difference(one: &Series, floor: &Series) -> String {
    if one.name == floor.name {
        return " |".to_owned();
    }
    let differences = one.minus(floor);
    let (low, high) = range(&differences);
    format!(" {:+.3} ({low:+.3} to {high:+.3}) |", median(differences))
}

fn range(values: &[f64]) -> (f64, f64) {
    (values.iter().copied().fold(f64::NAN, f64::min), values.iter().copied().fold(f64::NAN, f64::max))
}

/// Processor, cores, memory and the versions of what was measured against.
fn machine() -> Result<String> {
    let cpu = fs::read_to_string("/proc/cpuinfo")?;
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("?");
    let cores = cpu.lines().filter(|line| line.starts_with("processor")).count();
    let memory = fs::read_to_string("/proc/meminfo")?;
    let kib: u64 = memory.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0);
    let first = |program: &str, argument: &str| -> String {
        let text = Launch::new(program).args([argument]).env("CHECKPOINT_DISABLE", "1").output();
        text.ok().and_then(|text| text.lines().next().map(str::to_owned)).unwrap_or_else(|| "?".to_owned())
    };
    Ok(format!(
        "{}, {cores} cores, {} GiB; {}; {}",
        model.trim_start_matches([' ', '\t', ':']),
        kib >> 20,
        first("qemu-system-x86_64", "--version"),
        first("packer", "version")
    ))
}

/// Replace the section of a case in docs/benchmarks.md, or add it.
pub(crate) fn write(tree: &Tree, name: &str, section: &str) -> Result<()> {
    let file = tree.root.join("docs/benchmarks.md");
    let old = fs::read_to_string(&file).unwrap_or_default();
    let mut sections: Vec<_> = old.split("\n## ").skip(1).map(|s| format!("## {}\n", s.trim_end())).collect();
    let title = format!("## {name}\n");
    match sections.iter_mut().find(|s| s.starts_with(&title)) {
        Some(found) => section.clone_into(found),
        None => sections.push(section.to_owned()),
    }
    let body: String = sections.iter().map(|s| format!("\n{}\n", s.trim_end())).collect();
    fs::create_dir_all(tree.root.join("docs"))?;
    fs::write(&file, format!("{HEAD}{body}")).with_context(|| format!("writing {}", file.display()))
}
