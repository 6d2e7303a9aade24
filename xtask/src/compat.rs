//! `cargo xtask compat DIR`: what kiln says of every template of a folder, one line each.
//!
//! The folder holds templates of other people; they are looked at where they are and never become
//! part of this repository. A directory with `*.pkr.hcl` or `*.pkr.json` is one template, and so is
//! a JSON file with a list of builders. `validate` decides; `inspect` and `fmt -check` must only
//! end well. `--packer` asks the Packer in `PATH` too and shows where the two differ.

use crate::tree::Tree;
use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

#[derive(Args)]
pub(crate) struct CompatArgs {
    /// The folder of templates
    dir: PathBuf,
    /// The most seconds for one command on one template
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Run the Packer in PATH beside kiln and show differences
    #[arg(long)]
    packer: bool,
    /// Flags for `validate`, such as values of variables that the templates require
    #[arg(last = true)]
    flags: Vec<String>,
}

/// How a command ended, and what it said.
enum Ended {
    Code(i32, String),
    Crashed(String),
    TimedOut,
}

/// What is said of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Ok,
    Warnings,
    /// Valid as far as the options of components go that kiln does not have yet.
    Absent,
    Error,
    Timeout,
    Crash,
}

impl Verdict {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warnings => "warnings",
            Self::Absent => "absent",
            Self::Error => "error",
            Self::Timeout => "timeout",
            Self::Crash => "CRASH",
        }
    }
}

pub(crate) fn run(args: &CompatArgs) -> Result<()> {
    let tree = Tree::find();
    let dir = args.dir.canonicalize().with_context(|| format!("no folder {}", args.dir.display()))?;
    let mut templates = Vec::new();
    find(&dir, 0, &mut templates)?;
    templates.sort();
    if templates.is_empty() {
        bail!("no templates in {}", dir.display());
    }
    let look = Look { kiln: tree.kiln(), limit: Duration::from_secs(args.seconds), flags: &args.flags };
    let mut totals: BTreeMap<Verdict, usize> = BTreeMap::new();
    let mut different = 0;
    for template in &templates {
        let (verdict, detail) = look.at(template)?;
        *totals.entry(verdict).or_default() += 1;
        let shown = template.strip_prefix(&dir).unwrap_or(template).display();
        println!("{:9} {shown}  {detail}", verdict.name());
        if args.packer && look.differs(template, verdict)? {
            different += 1;
        }
    }
    let counts: Vec<String> = totals.iter().map(|(verdict, n)| format!("{n} {}", verdict.name())).collect();
    println!("{} templates: {}", templates.len(), counts.join(", "));
    if args.packer {
        println!("{different} verdicts differ from Packer's");
    }
    if totals.keys().any(|verdict| matches!(verdict, Verdict::Crash | Verdict::Timeout)) {
        bail!("a template ended kiln badly");
    }
    Ok(())
}

/// Collects templates; hidden folders and links are left out.
fn find(dir: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<()> {
    let mut is_template = false;
    for entry in fs::read_dir(dir).with_context(|| format!("reading {}", dir.display()))? {
        let entry = entry?;
        let (kind, name) = (entry.file_type()?, entry.file_name().to_string_lossy().into_owned());
        if kind.is_dir() && !name.starts_with('.') && depth < 32 {
            find(&entry.path(), depth + 1, found)?;
        } else if kind.is_file() && (name.ends_with(".pkr.hcl") || name.ends_with(".pkr.json")) {
            is_template = true;
        } else if kind.is_file() && name.ends_with(".json") && is_legacy(&entry.path()) {
            found.push(entry.path());
        }
    }
    if is_template {
        found.push(dir.to_path_buf());
    }
    Ok(())
}

/// Whether a JSON file is a legacy template: an object with a list of builders that have types.
fn is_legacy(path: &Path) -> bool {
    let Some(tree) = fs::read(path).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok())
    else {
        return false;
    };
    let builders = tree.get("builders").and_then(Value::as_array);
    builders.is_some_and(|all| all.iter().all(|builder| builder.get("type").is_some()))
}

struct Look<'a> {
    kiln: PathBuf,
    limit: Duration,
    /// For `validate` only.
    flags: &'a [String],
}

impl Look<'_> {
    /// The verdict on a template, and its reason in a line.
    fn at(&self, template: &Path) -> Result<(Verdict, String)> {
        let bad = |verb: &str, ended: &Ended| match ended {
            Ended::Crashed(how) => Some((Verdict::Crash, format!("{verb}: {how}"))),
            Ended::TimedOut => Some((Verdict::Timeout, verb.to_owned())),
            Ended::Code(..) => None,
        };
        for verb in [&["inspect"][..], &["fmt", "-check"]] {
            // A legacy template is nothing to format.
            if verb[0] == "fmt" && template.is_file() {
                continue;
            }
            let ended = self.run(&self.kiln, verb, &[], template)?;
            if let Some(verdict) = bad(verb[0], &ended) {
                return Ok(verdict);
            }
        }
        let ended = self.run(&self.kiln, &["validate", "--log-format=json"], self.flags, template)?;
        Ok(match (bad("validate", &ended), ended) {
            (None, Ended::Code(code, said)) => judge(code, &said),
            (bad, _) => bad.unwrap_or((Verdict::Crash, String::new())),
        })
    }

    /// Whether Packer's verdict is another; says so.
    fn differs(&self, template: &Path, ours: Verdict) -> Result<bool> {
        let (fine, said) = match self.run(Path::new("packer"), &["validate"], self.flags, template)? {
            Ended::Code(code, said) => (code == 0, said),
            Ended::Crashed(how) => (false, how),
            Ended::TimedOut => return Ok(false),
        };
        let differs = fine != matches!(ours, Verdict::Ok | Verdict::Warnings | Verdict::Absent);
        if differs {
            let first = said.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
            println!("          packer says {}: {first}", if fine { "ok" } else { "error" });
        }
        Ok(differs)
    }

    fn run(&self, program: &Path, verb: &[&str], flags: &[String], template: &Path) -> Result<Ended> {
        let folder = template.parent().filter(|_| template.is_file()).unwrap_or(template);
        let mut command = Command::new(program);
        command.args(verb).args(flags).arg(template).current_dir(folder).env("CHECKPOINT_DISABLE", "1");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("could not start {}", program.display()))?;
        let readers = [
            child.stdout.take().map(|out| thread::spawn(move || text(out))),
            child.stderr.take().map(|err| thread::spawn(move || text(err))),
        ];
        let start = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break Some(status);
            }
            if start.elapsed() > self.limit {
                child.kill()?;
                child.wait()?;
                break None;
            }
            thread::sleep(Duration::from_millis(5));
        };
        let said: String = readers.into_iter().flatten().filter_map(|reader| reader.join().ok()).collect();
        Ok(status.map_or(Ended::TimedOut, |status| ended(status, said)))
    }
}

fn text(mut from: impl Read) -> String {
    let mut bytes = Vec::new();
    let _ = from.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn ended(status: ExitStatus, said: String) -> Ended {
    match (status.code(), status.signal()) {
        (Some(_), _) if said.contains("panicked at") => Ended::Crashed("it panicked".to_owned()),
        (Some(code), _) => Ended::Code(code, said),
        (None, signal) => Ended::Crashed(format!("signal {}", signal.unwrap_or(0))),
    }
}

/// From the events of `validate`: the first error, a note that a component is absent, or the first
/// warning.
fn judge(code: i32, said: &str) -> (Verdict, String) {
    let events: Vec<Value> = said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let found = |severity: &str| {
        let found =
            events.iter().find(|event| event["event"] == "diagnostic" && event["severity"] == severity)?;
        let summary = word(found, "summary");
        Some(format!("{}: {}", word(found, "code"), summary.lines().next().unwrap_or("")))
    };
    // What is said without a code: errors that are no findings, and notes.
    let text = |name: &str, start: &str| {
        events
            .iter()
            .filter(|event| event["event"] == name)
            .map(|event| word(event, "text"))
            .find(|text| text.starts_with(start))
    };
    if code != 0 {
        let error = found("error").or_else(|| text("error", ""));
        return (Verdict::Error, error.unwrap_or_else(|| said.lines().next().unwrap_or("").to_owned()));
    }
    match (text("say", "note: kiln has no"), found("warning")) {
        (Some(note), _) => (Verdict::Absent, note),
        (None, Some(warning)) => (Verdict::Warnings, warning),
        (None, None) => (Verdict::Ok, String::new()),
    }
}

fn word(event: &Value, name: &str) -> String {
    event[name].as_str().unwrap_or("").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_then_absent_components_then_warnings() {
        let event = |severity: &str, code: &str| {
            format!(
                "{{\"event\":\"diagnostic\",\"severity\":\"{severity}\",\"code\":\"{code}\",\"summary\":\"s\"}}\n"
            )
        };
        let warning = event("warning", "template::deprecated-option");
        let note = "{\"event\":\"say\",\"text\":\"note: kiln has no builder `x` yet\"}\n";
        assert_eq!(judge(0, ""), (Verdict::Ok, String::new()));
        assert_eq!(judge(0, &warning).1, "template::deprecated-option: s");
        assert_eq!(judge(0, &format!("{warning}{note}")).0, Verdict::Absent);
        assert_eq!(judge(1, &(warning + &event("error", "template::syntax"))).1, "template::syntax: s");
        assert_eq!(judge(1, "{\"event\":\"error\",\"text\":\"t\"}"), (Verdict::Error, "t".to_owned()));
    }
}
