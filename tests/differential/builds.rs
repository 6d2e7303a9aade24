//! Builds of null and file sources with local steps: exit code, files, output and machine-readable
//! rows, with times, durations, identifiers and names of temporary files made equal.

use crate::explained::Explained;
use crate::programs::{Program, in_parallel};
use kiln_tests::{Finished, Project};
use std::os::unix::fs::PermissionsExt;

/// `=== name args` and a template, each.
const TEMPLATES: [&str; 2] = [include_str!("builds.txt"), include_str!("builds_legacy.txt")];

const HCL: &str = "template.pkr.hcl";
const LEGACY: &str = "template.json";

struct Case {
    name: &'static str,
    args: Vec<&'static str>,
    template: &'static str,
}

fn cases() -> Vec<Case> {
    let cases = TEMPLATES.iter().flat_map(|text| text.split("=== ").skip(1)).map(|case| {
        let (head, template) = case.split_once('\n').unwrap();
        let mut words = head.split(' ');
        Case { name: words.next().unwrap(), args: words.collect(), template }
    });
    cases.collect()
}

fn build(program: Program, case: &Case, flag: &str) -> (Project, Finished) {
    let name = if case.template.starts_with('{') { LEGACY } else { HCL };
    let project = Project::new();
    project.write(name, case.template);
    let script = "#!/bin/sh\necho from the script $PACKER_BUILD_NAME $PACKER_BUILDER_TYPE\n";
    let path = project.write("script.sh", script);
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    project.write("input.txt", "input\n");
    let args: Vec<&str> =
        ["build", flag, "-parallel-builds=1"].into_iter().chain(case.args.iter().copied()).collect();
    let seen = program.run(&project, &[args, vec![name]].concat());
    (project, seen)
}

/// A line without what differs from run to run, and as 1.16 prints it; none if kiln adds it.
fn normal(line: &str) -> Option<String> {
    let mut line = line.trim_end().to_owned();
    // kiln shows the place of an error, over several lines.
    let place = ["Error: ", "  --> template", "   |", "  more: kiln"];
    let quoted = line.trim_start().split_once(" |").is_some_and(|(n, _)| n.parse::<u32>().is_ok());
    if quoted || place.iter().any(|start| line.starts_with(start)) {
        return None;
    }
    if let Some(at) = line.rfind(" (template.") {
        line.truncate(at);
    }
    for start in [" finished after ", "Wait completed after ", "local shell script: "] {
        if let Some(at) = line.find(start) {
            line.truncate(at + start.len());
        }
    }
    if let Some((build, rest)) = line.split_once(" errored after ") {
        let error = rest.split_once(": ").map_or("", |(_, error)| error);
        line = format!("{build} errored after D: {error}");
    }
    // What is a message before 1.13 is said since.
    if let Some(rest) = line.strip_prefix("    ")
        && ["null", "file", "n.null"].iter().any(|builder| rest.starts_with(builder))
    {
        line = format!("==> {rest}");
    }
    Some(line.replace("Script exited", "script exited").replace(".Allowed", ". Allowed"))
}

/// Each list at the end ordered by build: Packer prints it in the order of a Go map.
fn sorted(mut lines: Vec<String>) -> String {
    for list in lines.split_mut(|line| listed_build(line).is_none()) {
        list.sort_by(|a, b| listed_build(a).cmp(&listed_build(b)));
    }
    lines.join("\n")
}

/// The build that a line of such a list is about: a row of an artifact, or a line for people.
fn listed_build(line: &str) -> Option<&str> {
    match line.split_once("--> ") {
        Some((_, rest)) => Some(rest.split_once(':').map_or(rest, |(name, _)| name)),
        None => line.split_once(",artifact").map(|(name, _)| name),
    }
}

fn plain(seen: &Finished) -> String {
    format!("{:?}\n{}", seen.code, sorted(seen.out.lines().filter_map(normal).collect()))
}

/// Rows without time. Lines that came together may share a row; here each has its own.
fn rows(seen: &Finished) -> String {
    let rows = seen.out.lines().filter_map(|line| Some(line.split_once(',')?.1)).flat_map(|row| {
        let Some((kind, text)) = row.strip_prefix(",ui,").and_then(|row| row.split_once(',')) else {
            return normal(row).into_iter().collect::<Vec<_>>();
        };
        let kind = if kind == "message" { "say" } else { kind };
        let lines = text.split("\\n").filter(|line| !line.is_empty()).filter_map(normal);
        lines.map(|line| format!(",ui,{kind},{line}")).collect()
    });
    format!("{:?}\n{}", seen.code, sorted(rows.collect()))
}

/// Every file with its content; of a manifest, without times and identifiers.
fn files(project: &Project) -> String {
    let mut out = String::new();
    for name in project.files() {
        let own = [HCL, LEGACY, "script.sh", "input.txt", "tmp"];
        if own.contains(&name.as_str()) || name.starts_with("tmp/") || name.ends_with(".lock") {
            continue;
        }
        if name.ends_with(".gz")
            || name.ends_with(".zip")
            || name.ends_with(".tar")
            || project.path(&name).is_dir()
        {
            out.push_str(&format!("{name}\n"));
            continue;
        }
        let text = project.read(&name);
        let lines = text.lines().filter(|line| !line.contains("_uuid\"") && !line.contains("\"build_time\""));
        out.push_str(&format!("{name}\n  {}\n", lines.collect::<Vec<_>>().join("\n  ")));
    }
    out
}

#[test]
fn builds_do_the_same() {
    let cases = cases();
    assert!(cases.len() >= 25, "{} builds", cases.len());
    let seen = in_parallel(&cases, |case| {
        let both = |flag: &str| (build(Program::Kiln, case, flag), build(Program::Packer, case, flag));
        let ((kiln, of_kiln), (packer, of_packer)) = both("-color=false");
        let ((_, rows_of_kiln), (_, rows_of_packer)) = both("-machine-readable");
        [
            (files(&kiln), files(&packer)),
            (plain(&of_kiln), plain(&of_packer)),
            (rows(&rows_of_kiln), rows(&rows_of_packer)),
        ]
    });
    let mut all = ["files", "output", "rows"].map(Explained::of);
    for (case, results) in cases.iter().zip(&seen) {
        for (explained, (kiln, packer)) in all.iter_mut().zip(results) {
            explained.compare(case.name, kiln, packer);
        }
    }
    Explained::end_all(all);
}
