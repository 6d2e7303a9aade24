//! Texts grown from a grammar: expressions, Go templates, JSON.

use super::chance::Chance;
use std::sync::LazyLock;

const NAMES: &[&str] = &[
    "var.t",
    "var.n",
    "var.l",
    "var.o",
    "var.b",
    "local.a",
    "local.b",
    "path.root",
    "each",
    "x",
    "v",
    "build.ID",
    "source.name",
    "data.http.d.body",
    "packer.version",
];
const LEAVES: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "1",
    "-1",
    "2.5",
    "1e3",
    "100000",
    "\"\"",
    "\"a\"",
    "\"a,b\"",
    "\"é\"",
    "\"2020-01-02T03:04:05Z\"",
    "\"10.0.0.0/8\"",
    "\"{}\"",
    "\"[1]\"",
    "\"%d %s\"",
    "\"(a|b)*\"",
    "\"YQ==\"",
    "\"1h\"",
    "[]",
    "{}",
    "\"%%{}\"",
    "\"$${}\"",
    "\"{{user `x`}}\"",
    "<<E\nx${1}\n  y\nE\n",
    "<<-E\n  %{ if true }a%{ else }b%{ endif ~}\n  E\n",
];
const OPERATORS: &[&str] = &["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||"];

/// An expression of HCL.
pub(crate) fn expression(chance: &mut Chance) -> String {
    let mut out = String::new();
    grow(chance, 4, &mut out);
    out
}

fn grow(chance: &mut Chance, depth: usize, out: &mut String) {
    if depth == 0 || chance.once_in(5) {
        let from = if chance.once_in(3) { NAMES } else { LEAVES };
        out.push_str(chance.of(from));
        return;
    }
    let mut sub = |chance: &mut Chance, text: &str| {
        // `_` stands for an expression.
        for (index, part) in text.split('_').enumerate() {
            if index > 0 {
                grow(chance, depth - 1, out);
            }
            out.push_str(part);
        }
    };
    match chance.below(14) {
        0 => sub(chance, "[_, _, _]"),
        1 => sub(chance, "{a = _, \"b\" = _, (_) = _}"),
        2 => sub(chance, "(_ ? _ : _)"),
        3 => {
            sub(chance, "(_ ");
            let operator = chance.of(OPERATORS);
            sub(chance, operator);
            sub(chance, " _)");
        }
        4 => sub(chance, "[for x in _ : _ if _]"),
        5 => sub(chance, "{for x, v in _ : _ => _...}"),
        6 => sub(chance, "_[_]"),
        7 => sub(chance, "_.a"),
        8 => sub(chance, "_[*].a"),
        9 => sub(chance, "\"p${_}q%{ for x in _ }${_}%{ endfor }\""),
        10 => sub(chance, "!_"),
        _ => {
            static FUNCTIONS: LazyLock<Vec<&str>> =
                LazyLock::new(|| kiln_template::functions().into_keys().collect());
            let name = chance.of(&FUNCTIONS);
            let arguments = ["_", "_, _", "_, _, _", "", "_..."][chance.below(5)];
            sub(chance, &name.replace('_', "\u{1}"));
            sub(chance, &format!("({arguments})"));
        }
    }
    if out.contains('\u{1}') {
        *out = out.replace('\u{1}', "_");
    }
}

/// A piece of a Go template.
pub(crate) fn go_template(chance: &mut Chance) -> String {
    let mut out = String::new();
    grow_go(chance, 3, &mut out);
    out
}

const PIPES: &[&str] = &[
    ".Name",
    ".List",
    ".Map.x.z",
    "$",
    ".",
    "1",
    "-2.5",
    "\"a\"",
    "`b`",
    "'c'",
    "true",
    "nil",
    "(len .List)",
    "printf \"%5.2f|%-8s|%x|%q|%v|%+d|%*d\" 1 .Name 2 3 4 5 6 7",
    "index .List 1",
    "slice .Name 1 2",
    "upper .Name",
    "split \"a,b\" \",\" 1",
    "replace_all \"a\" \"b\" .Name",
    "isotime \"2006-01-02\"",
    "strftime \"%Y\"",
    "timestamp",
    "uuid",
    "build `ID`",
    "user `x`",
    "env `HOME`",
    "eq .Name \"vm\"",
    "and .Name .Port",
    "or nil 1",
    "not .Zero",
    "lt 1 2.5",
    "html \"<\"",
    "js \"'\"",
    "urlquery \" \"",
    "print 1 2 \"x\"",
    "println .Map",
    "clean_resource_name \"a b\"",
    "template_dir",
    "$x",
    ".List | len",
    "\"a\" | printf \"%s-%s\" \"b\"",
    "call .Name",
    "range",
];

fn grow_go(chance: &mut Chance, depth: usize, out: &mut String) {
    let pipe = |chance: &mut Chance| chance.of(PIPES).to_owned();
    let text = match if depth == 0 { 0 } else { chance.below(9) } {
        0 | 1 => format!("{{{{{}}}}}", pipe(chance)),
        2 => format!("{{{{- if {} -}}}}_{{{{else}}}}_{{{{end}}}}", pipe(chance)),
        3 => format!("{{{{range $i, $x := {}}}}}_{{{{end}}}}", pipe(chance)),
        4 => format!("{{{{with {}}}}}_{{{{else}}}}_{{{{end}}}}", pipe(chance)),
        5 => format!("{{{{define \"T\"}}}}_{{{{end}}}}{{{{template \"T\" {}}}}}", pipe(chance)),
        6 => format!("{{{{$x := {}}}}}_{{{{$x = {}}}}}_", pipe(chance), pipe(chance)),
        7 => format!("{{{{range {}}}}}_{{{{break}}}}{{{{continue}}}}{{{{end}}}}", pipe(chance)),
        _ => format!("{{{{block \"B\" {}}}}}_{{{{end}}}}", pipe(chance)),
    };
    for (index, part) in text.split('_').enumerate() {
        if index > 0 && depth > 0 {
            grow_go(chance, depth - 1, out);
        }
        out.push_str(part);
    }
}

/// A JSON value, with the words of templates as names.
pub(crate) fn json(chance: &mut Chance) -> String {
    let mut out = String::new();
    grow_json(chance, 3, &mut out);
    out
}

/// Names that mean something in a template.
pub(crate) const WORDS: &[&str] = &[
    "builders",
    "provisioners",
    "post-processors",
    "variables",
    "type",
    "name",
    "override",
    "only",
    "except",
    "build",
    "source",
    "variable",
    "locals",
    "data",
    "packer",
    "dynamic",
    "for_each",
    "content",
    "iso_checksum_type",
    "iso_checksum",
    "disk_size",
    "tag",
    "tags",
    "environment_vars",
    "ssh_private_ip",
    "network",
    "description",
    "default",
    "sensitive",
    "min_packer_version",
    "sensitive-variables",
    "_c",
    "//",
];
const TEXTS: &[&str] = &[
    "null",
    "qemu",
    "shell",
    "amazon-ebs",
    "vsphere-iso",
    "docker-tag",
    "powershell",
    "{{user `a`}}",
    "{{env `HOME`}}",
    "${var.t}",
    "%{ if true }x%{ endif }",
    "{{.CreateTime}}",
    "`$",
    "a,b",
    "\\u0000",
    "\\ud83d\\ude00",
    "null.x",
];

fn grow_json(chance: &mut Chance, depth: usize, out: &mut String) {
    match if depth == 0 { chance.below(4) } else { chance.below(8) } {
        0 => out.push_str(chance.of(&[
            "null",
            "true",
            "false",
            "0",
            "-1.5e3",
            "1e999",
            "12345678901234567890",
        ])),
        1..4 => out.push_str(&format!("\"{}\"", chance.of(TEXTS))),
        4 | 5 => {
            out.push('[');
            for index in 0..chance.below(4) {
                out.push_str(if index > 0 { "," } else { "" });
                grow_json(chance, depth - 1, out);
            }
            out.push(']');
        }
        _ => {
            out.push('{');
            for index in 0..chance.below(5) {
                out.push_str(if index > 0 { "," } else { "" });
                out.push_str(&format!("\"{}\":", chance.of(WORDS)));
                grow_json(chance, depth - 1, out);
            }
            out.push('}');
        }
    }
}
