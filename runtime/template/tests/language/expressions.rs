//! Expressions: operators, templates, loops, splats, unknowns.

use super::world::{Components, World, shown};
use kiln_template::{Input, Mode, VariableInputs, load};
use std::sync::Arc;

const TEMPLATE: &str = r#"
variable "unset" {}
variable "list" { default = ["a", "b"] }
variable "secret" {
  default   = "hush"
  sensitive = true
}
locals {
  map  = { b = 2, a = 1 }
  objs = [{ n = "x", l = [1, 2] }, { n = "y", l = [3] }]
}
"#;

fn console(expression: &str) -> String {
    let world = World::new(env!("CARGO_MANIFEST_DIR"));
    let template =
        load(Input::Text { name: "t.pkr.hcl", text: TEMPLATE }, Arc::new(world)).expect("it parses");
    let (evaluated, found) = template.evaluate(&VariableInputs::default(), &Components, None, Mode::Inspect);
    assert_eq!(shown(evaluated.sources(), &found), "");
    match evaluated.expression(expression) {
        Ok(text) => text.replace('\n', ""),
        Err((_, diagnostic)) => format!("error: {}", diagnostic.summary),
    }
}

const ROWS: &[(&str, &str)] = &[
    ("1 + 2 * 3", "7"),
    ("(1 + 2) * 3", "9"),
    ("7 / 2", "3.5"),
    ("-7 % 3", "-1"),
    ("0.1 + 0.2", "0.3"),
    ("1 / 0", "error: division by zero"),
    ("12345678901234567890 + 1", "1.2345678901234567e+19"),
    ("\"${12345678901234567890 + 1}!\"", "12345678901234567891!"),
    ("\"4\" + 1", "5"),
    ("\"a\" + 1", "error: this operator needs a number"),
    ("1 == \"1\"", "false"),
    ("true == \"true\"", "false"),
    ("[1, 2] == [\"1\", \"2\"]", "false"),
    ("1 == 1.0", "true"),
    ("null == \"\"", "false"),
    ("false && nothing.x", "false"),
    ("true || nothing.x", "true"),
    ("true && nothing.x", "error: there is no `nothing` here"),
    ("{ null = 1 }[\"null\"]", "1"),
    ("\"${1 / 3}|\" == \"0.${join(\"\", [for i in range(153) : 3])}35|\"", "true"),
    ("\"${1.1 * 1.1}|\" == \"1.21|\"", "false"),
    ("0.1 + 0.7", "0.8"),
    ("1 / 3 * 3", "1"),
    ("\"${123456789012345678901234567890 * 10}!\"", "1234567890123456789012345678900!"),
    ("1e100 / 3 > 3e99", "true"),
    ("-7.5 % 2", "-1.5"),
    ("[1] == [1]", "true"),
    ("null == null", "true"),
    ("!true || 1 < 2 && 3 >= 3", "true"),
    ("true ? \"a\" : 1", "a"),
    ("false ? \"a\" : 1", "1"),
    ("true ? [] : {}", "error: the two results of `? :` have different types"),
    ("null ? 1 : 2", "error: a condition cannot be null"),
    ("\"${1}-${true}-${\"x\"}\"", "1-true-x"),
    ("\"${null}\"", "null"),
    ("\"a${null}\"", "error: null cannot be put into a string"),
    ("\"${[1]}\"", "[  1,]"),
    ("\"a${[1]}\"", "error: this value cannot be put into a string"),
    ("\"a $${x} %%{y} \\n \\u00e9\"", "a ${x} %{y}  \u{e9}"),
    ("\"%{ if true }yes%{ else }no%{ endif }\"", "yes"),
    ("\"%{ for x in [1,2] }<${x}>%{ endfor }\"", "<1><2>"),
    ("\"a  ${~ \"b\" ~}  c\"", "abc"),
    ("\"%{ for i, x in var.list ~}  ${i}${x} %{~ endfor }\"", "0a1b"),
    ("[for x in var.list : upper(x)]", "[  \"A\",  \"B\",]"),
    ("{for k, v in local.map : k => v if v > 1}", "{  \"b\" = 2}"),
    ("{for x in [1, 2, 1] : \"k${x}\" => x...}", "{  \"k1\" = [    1,    1,  ]  \"k2\" = [    2,  ]}"),
    ("{for x in [1, 1] : \"k\" => x}", "error: the key \"k\" occurs twice"),
    ("[for x in 5 : x]", "error: cannot loop over this"),
    ("local.objs[*].n", "[  \"x\",  \"y\",]"),
    ("local.objs[*].l[0]", "[  1,  3,]"),
    ("local.objs.*.n[0]", "x"),
    ("null[*]", "[]"),
    ("5[*]", "[  5,]"),
    ("local.map[\"a\"]", "1"),
    ("local.map.c", "error: `local.map` has no attribute `c`"),
    ("var.list[5]", "error: the index is out of range"),
    ("var.lits", "error: variable `lits` is not declared"),
    ("nothing.x", "error: there is no `nothing` here"),
    ("build.ID", "error: `build` cannot be used here"),
    ("upper", "error: there is no `upper` here"),
    ("uper(\"a\")", "error: there is no function `uper`"),
    ("upper()", "error: `upper` takes 1 argument, not 0"),
    ("upper(var.list...)", "error: `upper` takes 1 argument, not 2"),
    ("join(\",\", var.list)", "a,b"),
    ("var.unset", "<unknown>"),
    ("\"a${var.unset}\"", "<unknown>"),
    ("[var.unset, 1]", "<unknown>"),
    ("var.unset == 1", "<unknown>"),
    ("\"a${var.unset}\" == 1", "false"),
    ("\"a${var.unset}\".x", "error: this value has no attributes"),
    ("upper([var.unset])", "error: `upper`: a string is required, not tuple"),
    ("element([\"a\", var.unset], 0)", "a"),
    ("contains([\"a\", var.unset], \"a\")", "true"),
    ("contains([\"a\", var.unset], \"b\")", "<unknown>"),
    ("reverse([\"a\", var.unset])[1]", "a"),
    ("merge(\"a${var.unset}\", {})", "error: `merge`: a map or object is required, not string"),
    ("var.secret", "<sensitive>"),
    ("\"x${var.secret}\"", "<sensitive>"),
    ("upper(var.secret)", "<sensitive>"),
    ("length(var.secret) > 1 ? 1 : 2", "<sensitive>"),
    ("{ a = var.secret, b = 1 }", "{  \"a\" = \"<sensitive>\"  \"b\" = 1}"),
    ("{ a = var.secret, b = 1 }.b", "1"),
    ("concat([var.secret], [1])[1]", "1"),
    ("merge({ a = var.secret }, { b = 1 }).b", "1"),
    ("convert([1, \"a\"], list(string))", "[  \"1\",  \"a\",]"),
    ("convert({ a = 1 }, object({ a = string, b = optional(number, 5) })).b", "5"),
    ("convert(\"x\", number)", "error: cannot convert: a number is required"),
    ("convert(1, strng)", "error: `strng` is not a type"),
    ("try(local.map.zz, \"d\")", "d"),
    ("can(local.map.zz)", "false"),
    ("path.cwd", "/cwd"),
    ("packer.version", "1.16.0"),
    ("env(\"HOME\")", "error: `env` cannot be called here"),
    ("1 +", "error: syntax error: invalid number, expected one of `+`, `-`, digit"),
];

#[test]
fn rows() {
    for (expression, expected) in ROWS.iter().copied() {
        let found = console(expression);
        if expected.starts_with("error: syntax error") {
            assert!(found.starts_with("error: syntax error"), "{expression}: {found}");
        } else {
            assert_eq!(found, expected, "{expression}");
        }
    }
}

#[test]
fn bounds_hold() {
    let deep = format!("{}1{}", "(".repeat(5000), ")".repeat(5000));
    assert!(console(&deep).starts_with("error: "), "nesting");
    let long = format!("local.map{}", ".a".repeat(5000));
    assert_eq!(console(&long), "error: this traversal is too long");
    let sum = format!("1{}", "+1".repeat(5000));
    assert!(console(&sum).starts_with("error: "), "operators");
    let loops = "[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : 1]]]";
    assert_eq!(console(loops), "error: this expression takes too many steps");
    let text =
        "join(\"\", [for a in range(1000) : join(\"\", [for b in range(1000) : format(\"%4000s\", \"x\")])])";
    assert!(console(text).starts_with("error: "), "text");
    assert_eq!(console("range(1e9)"), "error: `range`: more than 1024 numbers");
    assert!(console("1e100000").starts_with("error: "));
    assert!(console("pow(10, 100000)").starts_with("error: "));
}
