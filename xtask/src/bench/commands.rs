//! Cases without a machine: start-up, validation, many small builds.

use super::{Bar, Bench, Case, Contender, Series, find, measure};
use crate::launch::Launch;
use anyhow::Result;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

impl Bench {
    /// kiln with its arguments, away from the caller's project.
    pub(crate) fn kiln(&self) -> Launch {
        self.tool(&self.kiln)
    }

    /// Packer, which asks nobody whether there is a newer one.
    pub(crate) fn packer(&self) -> Launch {
        self.tool(Path::new("packer"))
    }

    fn tool(&self, program: &Path) -> Launch {
        Launch::new(program)
            .env("CHECKPOINT_DISABLE", "1")
            .env("PACKER_CACHE_DIR", self.work.join("cache"))
            .dir(&self.work)
    }

    /// A template in the work folder.
    pub(crate) fn template(&self, name: &str, text: &str) -> Result<PathBuf> {
        let file = self.work.join(name);
        fs::write(&file, text)?;
        Ok(file)
    }

    /// A contender that is one command.
    pub(crate) fn command<'a>(
        &'a self,
        name: &'static str,
        launch: impl Fn() -> Launch + 'a,
    ) -> Contender<'a> {
        Contender { name, run: Box::new(move || measure::run(launch(), &self.work)) }
    }
}

/// `count` null builds with one provisioner block, which is repeated `steps` times.
fn null_builds(count: usize, steps: usize, provisioner: &str) -> Result<String> {
    let mut text = String::new();
    let mut names = Vec::new();
    for n in 1..=count {
        writeln!(text, "source \"null\" \"n{n}\" {{\n  communicator = \"none\"\n}}")?;
        names.push(format!("\"source.null.n{n}\""));
    }
    writeln!(text, "build {{\n  sources = [{}]", names.join(", "))?;
    for _ in 0..steps {
        text.push_str(provisioner);
    }
    text.push_str("}\n");
    Ok(text)
}

const LOCAL: &str = "  provisioner \"shell-local\" {\n    inline = [\"true\"]\n  }\n";
const SLEEP: &str = "  provisioner \"sleep\" {\n    duration = \"1h\"\n  }\n";
const PAUSE: &str = "  provisioner \"sleep\" {\n    pause_before = \"1h\"\n    duration = \"1s\"\n  }\n";
/// In this time all builds have come to where they wait.
const WAIT: Duration = Duration::from_secs(6);
const IN_STEP: &str = "1,000 waiting in a step";
const BEFORE_STEP: &str = "1,000 waiting before it";

/// Start and end at once.
pub(crate) fn version(bench: &Bench) -> Result<Case<'_>> {
    Ok(Case {
        title: "`version`".to_owned(),
        rounds: 20,
        contenders: vec![
            bench.command("kiln", || bench.kiln().args(["version"])),
            bench.command("Packer", || bench.packer().args(["version"])),
        ],
        floor: None,
        bars: |series| from(series, |kiln, _| vec![Bar::at_most("kiln", kiln.median() * 1e3, 10.0, "ms")]),
    })
}

/// A template whose many steps each load a plugin in Packer.
pub(crate) fn validate(bench: &Bench) -> Result<Case<'_>> {
    let template = bench.template("validate.pkr.hcl", &null_builds(1, 50, LOCAL)?)?;
    let arguments = [PathBuf::from("validate"), template];
    let again = arguments.clone();
    Ok(Case {
        title: "`validate` of a template with 50 provisioners".to_owned(),
        rounds: 10,
        contenders: vec![
            bench.command("kiln", move || bench.kiln().args(&arguments)),
            bench.command("Packer", move || bench.packer().args(&again)),
        ],
        floor: None,
        bars: |series| {
            from(series, |kiln, _| {
                vec![
                    Bar::at_most("kiln, warm", kiln.median() * 1e3, 60.0, "ms"),
                    Bar::at_most("kiln, peak memory", kiln.peak() / 1024.0, 60.0, "MB"),
                ]
            })
        },
    })
}

/// Twenty builds at once, each with a command on this computer.
pub(crate) fn null_20(bench: &Bench) -> Result<Case<'_>> {
    let template = bench.template("null-20.pkr.hcl", &null_builds(20, 1, LOCAL)?)?;
    let arguments = [PathBuf::from("build"), template];
    let again = arguments.clone();
    Ok(Case {
        title: "20 null builds with a shell-local provisioner each".to_owned(),
        rounds: 7,
        contenders: vec![
            bench.command("kiln", move || bench.kiln().args(&arguments)),
            bench.command("Packer", move || bench.packer().args(&again)),
        ],
        floor: None,
        bars: |series| {
            from(series, |kiln, packer| {
                vec![Bar::at_least("times faster than Packer", packer.median() / kiln.median(), 10.0, "x")]
            })
        },
    })
}

/// A thousand builds in one process, and what one waiting step costs: builds that wait in their step
/// beside builds that wait before it. kiln alone: Packer would need a few thousand processes.
pub(crate) fn null_1000(bench: &Bench) -> Result<Case<'_>> {
    let busy = bench.template("null-1000.pkr.hcl", &null_builds(1000, 1, LOCAL)?)?;
    let inside = bench.template("sleep-1000.pkr.hcl", &null_builds(1000, 1, SLEEP)?)?;
    let before = bench.template("pause-1000.pkr.hcl", &null_builds(1000, 1, PAUSE)?)?;
    let build = |template: &PathBuf| bench.kiln().args(["build", "-parallel-builds=0"]).args([template]);
    let wait = move |name, template: PathBuf| Contender {
        name,
        run: Box::new(move || measure::waiting(build(&template), &bench.work, WAIT)),
    };
    Ok(Case {
        title: "1,000 null builds in one process: a shell-local command each, and all waiting (memory then: proportional set size)".to_owned(),
        rounds: 3,
        contenders: vec![
            bench.command("1,000 commands", move || build(&busy)),
            wait(IN_STEP, inside),
            wait(BEFORE_STEP, before),
        ],
        floor: None,
        bars: |series| {
            let (Some(inside), Some(before)) = (find(series, IN_STEP), find(series, BEFORE_STEP)) else {
                return Vec::new();
            };
            vec![Bar::at_most("a waiting step", (inside.peak() - before.peak()) / 1000.0, 100.0, "KiB")]
        },
    })
}

/// Bars that need the series of kiln and Packer.
pub(crate) fn from(series: &[Series], bars: fn(&Series, &Series) -> Vec<Bar>) -> Vec<Bar> {
    match (find(series, "kiln"), find(series, "Packer")) {
        (Some(kiln), Some(packer)) => bars(kiln, packer),
        _ => Vec::new(),
    }
}
