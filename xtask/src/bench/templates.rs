//! Cases of the template language: a large template checked and looked at, many files formatted.

use super::commands::from;
use super::{Bar, Bench, Case, find};
use anyhow::Result;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

/// Provisioners of the large template.
const STEPS: usize = 500;
/// Variables, which the locals and provisioners refer to.
const VARIABLES: usize = 60;
/// Locals.
const LOCALS: usize = 200;
/// Files that are formatted.
const FILES: usize = 1000;

/// More than 5,000 lines whose provisioners refer to variables and locals.
fn large() -> Result<String> {
    let mut text = String::new();
    for n in 0..VARIABLES {
        writeln!(text, "variable \"v{n}\" {{\n  type        = string\n  default     = \"value {n}\"")?;
        writeln!(text, "  description = \"Number {n}.\"\n}}\n")?;
    }
    text.push_str("locals {\n");
    for n in 0..LOCALS {
        writeln!(text, "  l{n} = \"${{var.v{}}}-{n}\"", n % VARIABLES)?;
    }
    text.push_str("}\n\nsource \"null\" \"n\" {\n  communicator = \"none\"\n}\n\n");
    text.push_str("build {\n  sources = [\"source.null.n\"]\n");
    for n in 0..STEPS {
        writeln!(text, "\n  provisioner \"shell-local\" {{\n    environment_vars = [")?;
        writeln!(text, "      \"NAME=${{var.v{}}}\",", n % VARIABLES)?;
        writeln!(text, "      \"PLACE=${{upper(local.l{})}}\",\n    ]\n    inline = [", n % LOCALS)?;
        writeln!(text, "      \"echo step {n} of ${{build.name}}\",\n    ]\n  }}")?;
    }
    text.push_str("}\n");
    Ok(text)
}

/// A large template, checked. kiln alone: Packer would start some hundred processes.
pub(crate) fn validate_large(bench: &Bench) -> Result<Case<'_>> {
    let template = bench.template("large.pkr.hcl", &large()?)?;
    Ok(Case {
        title: format!("`validate` of a template with {STEPS} provisioners"),
        rounds: 10,
        contenders: vec![
            bench.command("kiln", move || bench.kiln().args([PathBuf::from("validate"), template.clone()])),
        ],
        floor: None,
        bars: |series| {
            series.iter().map(|kiln| Bar::at_most("kiln, warm", kiln.median() * 1e3, 200.0, "ms")).collect()
        },
    })
}

/// The same template, looked at.
pub(crate) fn inspect_large(bench: &Bench) -> Result<Case<'_>> {
    let template = bench.template("large.pkr.hcl", &large()?)?;
    let arguments = [PathBuf::from("inspect"), template];
    let again = arguments.clone();
    Ok(Case {
        title: format!("`inspect` of a template with {STEPS} provisioners"),
        rounds: 10,
        contenders: vec![
            bench.command("kiln", move || bench.kiln().args(&arguments)),
            bench.command("Packer", move || bench.packer().args(&again)),
        ],
        floor: None,
        bars: |series| {
            from(series, |kiln, _| vec![Bar::at_most("kiln, warm", kiln.median() * 1e3, 50.0, "ms")])
        },
    })
}

/// Many files, all in the usual layout. kiln alone: Packer 1.6.6 has no `-recursive`.
pub(crate) fn fmt_many(bench: &Bench) -> Result<Case<'_>> {
    let folder = bench.work.join("many");
    for n in 0..FILES {
        let inside = folder.join(format!("d{}", n % 20));
        fs::create_dir_all(&inside)?;
        let text = format!(
            "variable \"v{n}\" {{\n  type    = string\n  default = \"value {n}\"\n}}\n\nlocals {{\n  short        = 1\n  \
             much_longer  = [1, 2, 3]\n  \
             the_longest_ = \"${{var.v{n}}}\"\n}}\n\nsource \"null\" \"n{n}\" {{\n  communicator = \"none\"\n}}\n"
        );
        fs::write(inside.join(format!("t{n}.pkr.hcl")), text)?;
    }
    Ok(Case {
        title: format!("`fmt -check -recursive` over {FILES} files"),
        rounds: 10,
        contenders: vec![
            bench.command("kiln", move || bench.kiln().args(["fmt", "-check", "-recursive"]).args([&folder])),
        ],
        floor: None,
        bars: |series| {
            let kiln = find(series, "kiln");
            kiln.map(|kiln| Bar::at_most("kiln, warm", kiln.median() * 1e3, 200.0, "ms"))
                .into_iter()
                .collect()
        },
    })
}
