//! What is fuzzed. A target says what was found in its input; that it ends, and what must hold
//! whatever the input is, is asserted in it.

use super::chance::Chance;
use super::engine::{Target, fuzz};
use super::grow;
use crate::world::Components;
use kiln_plan::Diagnostic;
use kiln_plan::go_template::{self, Limits, PackerFunctions};
use kiln_template::{
    Environment, FileKind, Filters, Input, Mode, Template, Undeclared, VariableInputs, fix, format, load,
    upgrade,
};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A world of a few files in memory.
#[derive(Debug, Default)]
pub(crate) struct Memory(pub(crate) BTreeMap<&'static str, Vec<u8>>);

impl Memory {
    pub(crate) fn with(name: &'static str, text: &str) -> Self {
        Self(
            [
                (name, text.as_bytes().to_vec()),
                ("t.tmpl", b"a ${x} %{ for v in x }${v}%{ endfor }".to_vec()),
                ("self.tmpl", b"${templatefile(\"self.tmpl\", {})}".to_vec()),
                ("bytes", vec![0xff, 0, 0x80]),
            ]
            .into(),
        )
    }
}

impl Environment for Memory {
    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        let name = path.strip_prefix(".").unwrap_or(path).to_str().unwrap_or("");
        let bytes = self.0.get(name).ok_or(io::ErrorKind::NotFound)?;
        if bytes.len() as u64 > limit { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes.clone()) }
    }

    fn list(&self, _: &Path) -> io::Result<Vec<(String, FileKind)>> {
        Ok(self.0.keys().map(|name| ((*name).to_owned(), FileKind::File)).collect())
    }

    fn kind(&self, path: &Path) -> io::Result<FileKind> {
        let name = path.strip_prefix(".").unwrap_or(path).to_str().unwrap_or("");
        match name {
            "" => Ok(FileKind::Directory),
            _ if self.0.contains_key(name) => Ok(FileKind::File),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn variable(&self, name: &str) -> Option<String> {
        (name == "PKR_VAR_t").then(|| "from the environment".to_owned())
    }

    fn working_directory(&self) -> PathBuf {
        "/work".into()
    }

    fn home(&self) -> Option<PathBuf> {
        None
    }

    fn now(&self) -> SystemTime {
        self.started()
    }

    fn started(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_700_000_000)
    }

    fn random(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

fn said(findings: &[Diagnostic]) -> Vec<String> {
    findings.iter().map(|found| format!("{}: {}", found.code, found.summary)).collect()
}

pub(crate) fn loaded(world: Memory, path: &str) -> Result<Template, Vec<String>> {
    load(Input::Path(Path::new(path)), Arc::new(world)).map_err(|(sources, findings)| {
        check_places(&sources, &findings);
        said(&findings)
    })
}

/// Every place can be shown.
fn check_places(sources: &kiln_plan::SourceMap, findings: &[Diagnostic]) {
    for found in findings {
        let Some(span) = found.span else { continue };
        let text = sources.text(span.file);
        assert!(text.is_char_boundary(span.start as usize), "it starts inside of a character: {found:?}");
        assert!(text.is_char_boundary(span.end as usize), "it ends inside of a character: {found:?}");
        assert!(span.start <= span.end, "it ends before it starts: {found:?}");
        let _ = (sources.position(span), sources.line(span));
    }
}

/// Evaluated, planned and looked at.
pub(crate) fn evaluated(template: Template, inputs: &VariableInputs) -> Vec<String> {
    let (evaluated, mut found) = template.evaluate(inputs, &Components, None, Mode::Build);
    check_places(evaluated.sources(), &found);
    let (plan, more) = evaluated.plan(&Filters::default(), &Components);
    check_places(&plan.sources, &more);
    found.extend(more);
    let inspection = evaluated.inspect();
    let mut all = said(&found);
    all.push(format!(
        "{} variables, {} locals, {} builds",
        inspection.variables.len(),
        inspection.locals.len(),
        plan.builds.len()
    ));
    all
}

fn hcl(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let before = loaded(Memory::with("t.pkr.hcl", text), "t.pkr.hcl").map(|_| ());
    if let Ok(laid_out) = format("t", text) {
        let again = format("t", &laid_out).expect("what was formatted can be formatted");
        assert_eq!(again, laid_out, "formatting twice differs");
        let after = loaded(Memory::with("t.pkr.hcl", &laid_out), "t.pkr.hcl").map(|_| ());
        assert_eq!(before, after, "formatting changes what the text means");
        all.push("can be formatted".to_owned());
    }
    all.extend(before.err().unwrap_or_default());
    all
}

fn evaluator(text: &str) -> Vec<String> {
    let mut all = match loaded(Memory::with("t.pkr.hcl", text), "t.pkr.hcl") {
        Ok(template) => evaluated(template, &VariableInputs::default()),
        Err(found) => found,
    };
    // The lines as `console` gets them.
    let template = load(Input::Nothing, Arc::new(Memory::with("x", ""))).expect("nothing can be loaded");
    let (console, _) = template.evaluate(&VariableInputs::default(), &Components, None, Mode::Inspect);
    for line in text.lines().take(20) {
        let expression = line.split_once(" = ").map_or(line, |(_, value)| value);
        if let Err((sources, found)) = console.expression(expression) {
            check_places(&sources, std::slice::from_ref(&found));
            all.push(found.summary.clone());
        }
    }
    all
}

fn go(text: &str) -> Vec<String> {
    let template = match go_template::parse(text) {
        Ok(template) => template,
        Err(error) => {
            assert!(error.offset <= text.len(), "an error behind the end");
            return vec![error.message];
        }
    };
    let same = go_template::rewrite(text, &mut |action| Ok(Some(action.written.to_owned())));
    assert_eq!(same.as_deref(), Ok(text), "its actions are written otherwise");
    let functions = PackerFunctions {
        build_name: Some("vm".into()),
        build_type: Some("qemu".into()),
        template_dir: "t".into(),
        working_directory: "w".into(),
        version: "1.16.0".into(),
        uuid: "u".into(),
        started: UNIX_EPOCH + Duration::from_secs(1_700_000_000),
        build: [("ID".to_owned(), "i".into())].into(),
    };
    let data = serde_json::json!({"Name": "vm", "Port": 8080, "Zero": 0, "List": ["a", "b"], "Map": {"y": 1, "x": {"z": true}}, "F": 1.5});
    let limits = Limits { steps: 100_000, output: 1 << 20 };
    let mut all = vec![format!("{} fields", template.fields().len())];
    match go_template::render(&template, &data, &functions, limits) {
        Ok(text) => assert!(text.len() <= limits.output, "more output than allowed"),
        Err(error) => all.push(error.message),
    }
    all
}

fn json(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    match fix("t.json", text) {
        Ok(fixed) => {
            let _: serde_json::Value = serde_json::from_str(&fixed).expect("what was fixed is JSON");
        }
        Err((sources, found)) => {
            check_places(&sources, &found);
            all.extend(said(&found));
        }
    }
    match upgrade("t.json", text, &Components, true) {
        Ok(upgraded) => {
            check_places(&upgraded.sources, &upgraded.warnings);
            all.push(format!("{} components are unknown", upgraded.unknown.len()));
        }
        Err((sources, found)) => check_places(&sources, &found),
    }
    for name in ["t.pkr.json", "t.json"] {
        match loaded(Memory::with(name, text), name) {
            Ok(template) => {
                let read = serde_json::from_str::<serde_json::Value>(text).map_err(|e| e.to_string());
                let is_fine = read.as_ref().map_or_else(|e| e.contains("out of range"), |_| true);
                assert!(is_fine, "what is no JSON is read: {read:?}");
                all.extend(evaluated(template, &VariableInputs::default()));
            }
            Err(found) => {
                // In HCL in JSON, strings have a syntax of their own.
                if name == "t.json" {
                    check_no_mistake(&found, text);
                }
                all.extend(found);
            }
        }
    }
    all
}

/// What is JSON has no mistake as such.
fn check_no_mistake(found: &[String], text: &str) {
    let of_json = |line: &&String| {
        let codes = ["missing-comma", "wrong-quotes", "unclosed", "syntax"];
        let has_code = codes.iter().any(|code| line.starts_with(&format!("template::{code}:")));
        has_code && !line.contains("nested too deep")
    };
    if serde_json::from_str::<serde_json::Value>(text).is_ok() {
        assert_eq!(found.iter().find(of_json), None, "JSON has a mistake");
    }
}

const TYPED: &str = r#"
variable "t" { type = string }
variable "n" { type = number }
variable "b" { type = bool }
variable "l" { type = list(string) }
variable "s" { type = set(number) }
variable "m" { type = map(any) }
variable "p" { type = tuple([string, number]) }
variable "o" { type = object({a = string, b = optional(list(number), [1]), c = optional(object({d = bool}))}) }
variable "any" { default = null }
variable "secret" {
  type      = string
  sensitive = true
  validation {
    condition     = length(var.secret) > 3 && can(regex("^[a-z]", var.secret))
    error_message = "It must be longer."
  }
}
locals { all = [var.t, var.n, var.b, var.l, var.s, var.m, var.p, var.o, var.any, var.secret] }
source "null" "x" { communicator = "none" }
build { sources = ["null.x"] }
"#;

fn variables(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let assignments: Vec<(String, String)> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .take(20)
        .collect();
    for (file, assignments) in
        [("v.pkrvars.hcl", Vec::new()), ("v.pkrvars.json", Vec::new()), ("none", assignments)]
    {
        let mut world = Memory::with("t.pkr.hcl", TYPED);
        let mut inputs = VariableInputs { assignments, undeclared: Undeclared::Warn, ..Default::default() };
        if file != "none" {
            world.0.insert(file, text.as_bytes().to_vec());
            inputs.files.push(file.into());
        }
        let template = loaded(world, "t.pkr.hcl").expect("the template is right");
        all.extend(evaluated(template, &inputs));
    }
    all
}

const HCL_PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "\"",
    "${",
    "%{",
    "~}",
    "<<-EOT\n",
    "EOT\n",
    "\\",
    "=",
    "?",
    ":",
    "...",
    "[*]",
    ".*",
    "=>",
    "null",
    "var.t",
    "local.a",
    "build.ID",
    "{{",
    "}}",
    "source.null.x",
    "for a in b : a",
    "# c\n",
    "// c\n",
    "/* c",
    "*/",
    "dynamic \"disk\" {\n for_each = [1]\n content {}\n}\n",
    "\n",
    ",",
    "sensitive = true\n",
    "variable \"v\" {}\n",
    "locals {}\n",
    "build {}\n",
    "packer {}\n",
    "data \"http\" \"d\" {}\n",
    "provisioner \"shell\" {}\n",
    "sources = [\"null.x\"]\n",
    "templatefile(\"t.tmpl\", {x = [1]})",
    "templatefile(\"self.tmpl\", {})",
    "file(\"bytes\")",
    "local.b",
    "each.value",
    "optional(string, \"x\")",
    "object({a = any})",
];
const GO_PIECES: &[&str] = &[
    "{{",
    "}}",
    "{{-",
    "-}}",
    "{{end}}",
    "{{else}}",
    "{{else if .X}}",
    "|",
    "(",
    ")",
    ".",
    "$",
    "$x",
    ":=",
    "=",
    ",",
    "\"",
    "`",
    "'",
    "/*",
    "*/",
    "nil",
    "range",
    "define",
    "template",
    "block",
    "break",
    "continue",
    "with",
    "call",
];
const JSON_PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "\"",
    ":",
    ",",
    "null",
    "true",
    "\"a\":1,",
    "\"builders\":[",
    "\\u",
    "\\ud800",
    "//",
    "{{",
    "}}",
    "${",
    "{{user `a`}}",
    "{{env `a`}}",
    "{{build `ID`}}",
    "{{.Vars}}",
    "{{template_dir}}",
    "1e",
    "-",
    ".",
];

fn grow_hcl(chance: &mut Chance) -> String {
    grow::expression(chance)
}

#[test]
fn fuzz_hcl() {
    fuzz(&Target { name: "hcl", pieces: HCL_PIECES, grow: grow_hcl, run: hcl });
}

#[test]
fn fuzz_evaluator() {
    fuzz(&Target { name: "evaluator", pieces: HCL_PIECES, grow: grow_hcl, run: evaluator });
}

#[test]
fn fuzz_go_template() {
    fuzz(&Target { name: "go_template", pieces: GO_PIECES, grow: grow::go_template, run: go });
}

#[test]
fn fuzz_json() {
    fuzz(&Target { name: "json", pieces: JSON_PIECES, grow: grow::json, run: json });
}

#[test]
fn fuzz_variables() {
    fuzz(&Target { name: "variables", pieces: HCL_PIECES, grow: grow_hcl, run: variables });
}
