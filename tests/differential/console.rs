//! Expressions: every row of the functions' table, and operators, templates, loops and references.
//! Those with a value are locals of one template that both inspect; errors go through `console`.

use crate::explained::Explained;
use crate::programs::{Program, in_parallel};
use kiln_tests::Project;
use std::collections::BTreeMap;

const ROWS: &str = include_str!("../../runtime/template/tests/functions.rows");
const EXPRESSIONS: &str = include_str!("expressions.txt");

/// Expressions with a value, and those with an error; functions that 1.6.6 does not have are left out.
fn expressions() -> (Vec<&'static str>, Vec<&'static str>) {
    let newer = newer_functions();
    let known = |expression: &&str| {
        let calls = |name: &String| {
            let call = format!("{name}(");
            expression.match_indices(&call).any(|(at, _)| {
                let before = expression[..at].chars().next_back();
                !before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
            })
        };
        // Time and chance are another in each program.
        let impure = ["timestamp(", "uuidv4(", "bcrypt("].iter().any(|call| expression.contains(call));
        !impure && !newer.iter().any(calls)
    };
    let rows = ROWS.lines().filter(|row| !row.is_empty() && !row.starts_with('#')).map(|row| {
        let (expression, result) = row.split_once(" => ").expect("a row has =>");
        (expression, result.starts_with('!'))
    });
    let own = EXPRESSIONS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let own = own.map(|line| (line.strip_prefix("! ").unwrap_or(line), line.starts_with("! ")));
    let (errors, values): (Vec<_>, Vec<_>) = rows.chain(own).partition(|(_, is_error)| *is_error);
    let only = |list: Vec<(&'static str, bool)>| {
        list.into_iter().map(|(expression, _)| expression).filter(known).collect::<Vec<_>>()
    };
    (only(values), only(errors))
}

/// The functions that docs/packer-compatibility.md names as newer than 1.6.6; each really is.
fn newer_functions() -> Vec<String> {
    let text = include_str!("../../docs/packer-compatibility.md");
    let line =
        text.lines().find_map(|line| line.strip_prefix("Functions newer than 1.6.6: ")).expect("the list");
    line.trim_end_matches('.').split(", ").map(|name| name.trim_matches('`').to_owned()).collect()
}

fn project() -> Project {
    let project = Project::new();
    project.write("text.txt", "text");
    let keys = concat!(env!("CARGO_MANIFEST_DIR"), "/../runtime/template/tests/good/directories/several");
    for key in ["rsa.pem", "rsa8.pem"] {
        std::fs::copy(format!("{keys}/{key}"), project.path(key)).unwrap();
    }
    project.write("t.tpl", "%{ for name in names }${name},%{ endfor }");
    project
}

/// The locals that `inspect` prints.
fn inspected(program: Program, project: &Project, name: &str) -> BTreeMap<String, String> {
    let seen = program.run(project, &["inspect", name]);
    let locals = seen.out.lines().filter_map(|line| line.strip_prefix("local.")?.split_once(": "));
    let locals: BTreeMap<String, String> =
        locals.map(|(name, value)| (name.to_owned(), value.trim_end().to_owned())).collect();
    assert!(!locals.is_empty(), "{program:?} says\n{}{}", seen.out, seen.err);
    locals
}

#[test]
fn values_are_equal() {
    let (values, _) = expressions();
    let project = project();
    let mut explained = Explained::of("value");
    let chunks: Vec<_> = values.chunks(60).enumerate().collect();
    for (number, chunk) in &chunks {
        let lines = chunk.iter().enumerate().map(|(at, expression)| format!("  v{at} = {expression}\n"));
        project
            .write(&format!("t{number}.pkr.hcl"), &format!("locals {{\n{}}}\n", lines.collect::<String>()));
    }
    let seen = in_parallel(&chunks, |(number, _)| {
        let name = format!("t{number}.pkr.hcl");
        (inspected(Program::Kiln, &project, &name), inspected(Program::Packer, &project, &name))
    });
    for ((_, chunk), (kiln, packer)) in chunks.iter().zip(&seen) {
        for (at, expression) in chunk.iter().enumerate() {
            let of = |values: &BTreeMap<String, String>| {
                values.get(&format!("v{at}")).cloned().unwrap_or_else(|| "an error".to_owned())
            };
            explained.compare(expression, &of(kiln), &of(packer));
        }
    }
    assert!(values.len() > 350, "{} values", values.len());
    explained.end();
}

#[test]
fn errors_are_errors_in_both() {
    let (_, errors) = expressions();
    let project = project();
    let mut explained = Explained::of("error");
    let seen = in_parallel(&errors, |expression| {
        let run = |program: Program| {
            let args = ["console", "--config-type=hcl2"];
            program.with_stdin(&project, &args, &format!("{expression}\n"))
        };
        (run(Program::Kiln), run(Program::Packer))
    });
    for (expression, (kiln, packer)) in errors.iter().zip(&seen) {
        let verdict = |out: &str| if out.contains("rror") { "an error".to_owned() } else { out.to_owned() };
        explained.compare(expression, &verdict(&(kiln.out.clone() + &kiln.err)), &verdict(&packer.out));
    }
    assert!(errors.len() > 100, "{} errors", errors.len());
    explained.end();
}

#[test]
fn console_prints_the_same() {
    let project = Project::with(
        "variable \"unset\" {}\nvariable \"a\" {\n  default = \"x\"\n}\nlocals {\n  l = [1, \"two\", true]\n}\n",
    );
    let mut explained = Explained::of("console");
    for lines in [
        "1 + 1\n2 + 2\n",
        "\"text\"\n",
        "[1, \"a\", [true]]\n",
        "{ b = 1, a = { c = \"x\" } }\n",
        "var.a\n",
        "var.unset\n",
        "local.l\n",
        "local.l[1]\n",
        "upper(var.a)\nexit\n\"never\"\n",
        "null\n",
        "\"two\\nlines\"\n",
        "\n",
        "  3  \n",
    ] {
        let run = |program: Program| program.with_stdin(&project, &["console", "template.pkr.hcl"], lines);
        let (kiln, packer) = (run(Program::Kiln), run(Program::Packer));
        explained.compare(lines.trim_end(), &shown(&kiln), &shown(&packer));
    }
    explained.end();
}

fn shown(seen: &kiln_tests::Finished) -> String {
    format!("{:?} {:?}", seen.code, seen.out)
}
