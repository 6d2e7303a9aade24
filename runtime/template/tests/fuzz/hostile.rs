//! Texts that want to take all memory or all time: each is answered with an error, soon, from little
//! memory. What files can do to kiln as a whole is in tests/cli/hostile.rs.

use super::memory;
use super::targets::{Memory, evaluated, loaded};
use kiln_template::VariableInputs;
use std::time::Duration;

/// The most memory that one of them may take.
const MAX_MEMORY: usize = 384 << 20;
const MAX_TIME: Duration = Duration::from_secs(10);

/// All the way through; the findings.
fn run(text: &str) -> Vec<String> {
    match loaded(Memory::with("t.pkr.hcl", text), "t.pkr.hcl") {
        Ok(template) => evaluated(template, &VariableInputs::default()),
        Err(found) => found,
    }
}

/// Runs each text by name; `true` if it has to be an error, others only have to end.
fn check(texts: Vec<(&str, bool, String)>) {
    let mut wrong = Vec::new();
    for (what, refused, text) in texts {
        let start = memory::busy();
        let (memory, said) = memory::peak(|| run(&text));
        let time = memory::busy().saturating_sub(start);
        println!("{what}: {} KiB, {} ms", memory >> 10, time.as_millis());
        // The last line counts what was planned.
        if refused && said.len() < 2 && !said.iter().any(|line| line.contains("template::")) {
            wrong.push(format!("{what}: no error"));
        }
        if memory > MAX_MEMORY || time > MAX_TIME {
            wrong.push(format!("{what}: {} MiB and {time:?}", memory >> 20));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn local(expression: &str) -> String {
    format!("locals {{ a = {expression} }}")
}

#[test]
fn nesting_is_bounded() {
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(3000), close.repeat(3000));
    check(vec![
        ("blocks", true, deep("a {\n", "}\n")),
        ("lists", true, local(&deep("[", "]"))),
        ("objects", true, local(&format!("{}1{}", "{ a = ".repeat(3000), "}".repeat(3000)))),
        ("parentheses", true, local(&format!("{}1{}", "(".repeat(3000), ")".repeat(3000)))),
        ("templates", true, local(&deep("\"${", "}\""))),
        (
            "directives",
            true,
            local(&format!("\"{}{}\"", "%{ if true }".repeat(3000), "%{ endif }".repeat(3000))),
        ),
        ("heredocs", true, local(&format!("{}x{}", "<<A\n${".repeat(3000), "}\nA\n".repeat(3000)))),
        ("minus", true, local(&format!("{}1", "-".repeat(5000)))),
        ("nots", true, local(&format!("{}true", "!".repeat(5000)))),
        ("conditionals", true, local(&format!("{}1", "true ? 1 : ".repeat(5000)))),
        ("sums", false, local(&format!("{}1", "1 + ".repeat(5000)))),
        ("indexes", true, local(&format!("[1]{}", "[0]".repeat(5000)))),
        ("splats", true, local(&format!("[1]{}", "[*]".repeat(5000)))),
        ("calls", true, local(&deep("upper(", ")"))),
        ("loops", true, local(&format!("{}1{}", "[for a in [1] : ".repeat(3000), "]".repeat(3000)))),
        (
            "types",
            true,
            format!("variable \"a\" {{ type = {}any{} }}", "list(".repeat(3000), ")".repeat(3000)),
        ),
        ("yaml", true, local(&format!("yamldecode(\"{}\")", "[".repeat(100_000)))),
        ("yaml indents", false, local(&format!("yamldecode(\"{}\")", "- ".repeat(100_000)))),
        ("json", true, local(&format!("jsondecode(\"{}\")", "[".repeat(100_000)))),
        ("expression as text", true, local(&format!("convert(\"{}\", list(any))", "[".repeat(100_000)))),
    ]);
}

#[test]
fn sizes_are_bounded() {
    let laughs = (1..40).fold(String::from("locals {\n l0 = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"), |text, i| {
        format!("{text} l{i} = [{}]\n", format!("local.l{}, ", i - 1).repeat(10))
    });
    let objects = (1..40).fold(String::from("locals {\n l0 = { a = 1 }\n"), |text, i| {
        format!("{text} l{i} = {{ a = local.l{0}, b = local.l{0} }}\n", i - 1)
    });
    let doubling = (1..60).fold(String::from("locals {\n l0 = \"aaaaaaaaaaaaaaaa\"\n"), |text, i| {
        format!("{text} l{i} = \"${{local.l{0}}}${{local.l{0}}}\"\n", i - 1)
    });
    let chain = (1..5000)
        .fold(String::from("locals {\n l0 = 1\n"), |text, i| format!("{text} l{i} = [local.l{}]\n", i - 1));
    let nested =
        |function: &str| (0..12).fold("\"aaaaaaaaaa\"".to_owned(), |text, _| function.replace('_', &text));
    let yaml = (1..30).fold(String::from("a0: &a0 [1,1,1,1,1,1,1,1,1,1]\\n"), |text, i| {
        format!("{text}a{i}: &a{i} [{}]\\n", format!("*a{},", i - 1).repeat(9))
    });
    check(vec![
        ("laughs", true, laughs + "}"),
        ("objects", true, objects + "}"),
        ("doubling", true, doubling + "}"),
        ("chain", true, chain + "}"),
        ("yaml laughs", true, local(&format!("yamldecode(\"{yaml}\")"))),
        ("range", true, local("range(1000000000)")),
        ("range of fractions", true, local("range(0, 1000000000000000000, 0.000000001)")),
        ("loops in loops", true, local("[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : a]]]")),
        ("loops in text", true, local("\"%{ for a in range(1000) }%{ for b in range(1000) }%{ for c in range(1000) }x%{ endfor }%{ endfor }%{ endfor }\"")),
        ("product", true, local("setproduct(range(1000), range(1000), range(1000))")),
        ("replace", true, local(&nested("replace(_, \"a\", \"aaaaaaaaaa\")"))),
        ("join", true, local("join(join(\"\", [for a in range(1000) : \"aaaaaaaaaa\"]), [for a in range(1000) : \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"])")),
        ("width", true, local("format(\"%999999999d\", 1)")),
        ("width of a value", true, local("format(\"%*d\", 999999999, 1)")),
        ("precision", true, local("format(\"%.999999999f\", 1)")),
        ("indent", true, local("indent(999999999, \"a\\nb\")")),
        ("regex size", true, local("regex(\"(((a{100}){100}){100}){100}\", \"a\")")),
        ("regex time", false, local("regexall(\"(a*)*b\", join(\"\", [for a in range(1000) : \"aaaaaaaaaaaaaaaaaaaa\"]))")),
        ("recursion of files", true, local("templatefile(\"self.tmpl\", {})")),
        ("subnets", true, local("cidrsubnets(\"10.0.0.0/8\", [for a in range(100000) : 24]...)")),
        ("dynamic blocks", true, "source \"qemu\" \"x\" {\n iso_url = \"x\"\n dynamic \"disk\" {\n for_each = range(1000)\n content {\n size = join(\"\", range(1000))\n }\n }\n}\nbuild {\n sources = [\"qemu.x\"]\n bad = 1\n}".to_owned()),
    ]);
}

#[test]
fn numbers_are_bounded() {
    let texts = [
        "1e1000000000 + 1",
        "1e-1000000000 + 1e1000000000",
        "1e999999999 % 3",
        "3 % 1e-999999999",
        "1 / 1e999999999",
        "1e999999999 == 1",
        "1 < 1e-999999999",
        "pow(2, 1e9)",
        "pow(10, -1e9)",
        "pow(1.0000001, 1e18)",
        "1e99999999999999999999",
        "parseint(join(\"\", [for a in range(1000) : \"zzzzzzzzzz\"]), 36)",
        "format(\"%d\", 1e1000000000)",
        "format(\"%f\", 1e1000000000)",
        "format(\"%b\", 1e1000000)",
        "\"${1e1000000000}\"",
        "jsonencode(1e1000000000)",
        "tostring(1e1000000000)",
        "convert(\"1e1000000000\", number)",
        "convert(1e1000000000, string)",
        "jsondecode(\"1e1000000000\")",
        "yamldecode(\"1e1000000000\")",
        "ceil(1e-999999999)",
        "floor(1e999999999)",
        "log(1e999999999, 2)",
        "signum(1e999999999)",
        "abs(-1e999999999)",
        "range(1e1000000000)",
        "range(1e-1000000000)",
        "element([1], 1e1000000000)",
        "[1][1e1000000000]",
        "substr(\"a\", 1e1000000000, 1)",
        "slice([1], 0, 1e1000000000)",
        "chunklist([1], 1e1000000000)",
        "cidrhost(\"10.0.0.0/8\", 1e1000000000)",
        "cidrsubnet(\"10.0.0.0/8\", 1e1000000000, 1)",
        "max(1e1000000000, 1)",
        "sum([1e1000000000, 1e-1000000000])",
        "bcrypt(\"x\", 31)",
        "bcrypt(\"x\", 1e1000000000)",
        "timeadd(\"2020-01-01T00:00:00Z\", \"999999999999h\")",
        "timeadd(\"9999-12-31T23:59:59Z\", \"1000h\")",
        "formatdate(join(\"\", [for a in range(1000) : \"YYYYYYYYYYYYYYYY\"]), \"2020-01-01T00:00:00Z\")",
        "1e1000000000 * 1e1000000000 * 1e1000000000 * 1e1000000000 * 1e1000000000 * 1e1000000000 * 1e1000000000 * 1e1000000000 * 1e1000000000 * 1e1000000000",
        "(1 / 3) * (1 / 7) * (1 / 3) * (1 / 7) * (1 / 3) * (1 / 7) * (1 / 3) * (1 / 7) * (1 / 3) * (1 / 7) * (1 / 3) * (1 / 7) * (1 / 3)",
        "indent(1e1000000000, \"a\")",
        "index([1], 1e1000000000)",
        "setproduct([1e1000000000], [1])[0][0] + 1",
    ];
    let mut squares = String::from("locals {\n l0 = 1.0000000001\n");
    for i in 1..60 {
        squares.push_str(&format!(" l{i} = local.l{0} * local.l{0}\n", i - 1));
    }
    let mut all: Vec<_> = texts.iter().map(|text| (*text, false, local(text))).collect();
    all.push(("squares", false, squares + "}"));
    check(all);
}

/// Every mistake again and again, in texts of megabytes: a reader that looked at all of the rest for each
/// would not end.
#[test]
fn broken_json_is_read_once() {
    let unclosed = |text: &str| format!("{{\"a\": [{}", text.repeat(200_000));
    let many = |text: &str| format!("{}]}}", unclosed(text));
    let mut wrong = Vec::new();
    for (what, text) in [
        ("no commas", many("1 ")),
        ("too many commas", many(",,,")),
        ("only commas", many(",")),
        ("comments", many("/**/ ")),
        ("comments in lines", many("#\n1,")),
        ("open comments", many("1, /* ")),
        ("single quotes", many("'a', ")),
        ("open single quotes", many("'a ")),
        ("quotes inside", many("\"a \"b\" c\", ")),
        ("quotes in a row", many("\"\"\"")),
        ("open quotes", many("\"a\n")),
        ("texts of lines", many("\"a\nb\",\n")),
        ("escapes", many("\"\\x\", ")),
        ("backslashes", many("\\")),
        ("words", many("word ")),
        ("one word", many("word")),
        ("words and commas", many("word, ")),
        ("names", many("\"n\": 1, ")),
        ("names without quotes", many("n: 1, ")),
        ("members", many("{\"n\" 1}, ")),
        ("colons", many(": ")),
        ("colons in lines", many(":\n#\n")),
        ("wrong brackets", many("[}, ")),
        ("closing brackets", many("}")),
        ("pairs that are wrong", many("{]")),
        ("brackets", unclosed("[],")),
        ("objects in objects", format!("{{{}", "{},".repeat(200_000))),
        ("deep brackets", unclosed("[")),
        ("deep braces", unclosed("{")),
        ("templates", many("{{ a }} ")),
        ("open templates", many("{{ a ")),
        ("parentheses", many("a(")),
        ("texts in braces", many("\"{{{{\n")),
        ("texts with ends of braces", many("\"((((}}}}\n")),
        ("spaces", many("     \"a\"     ")),
    ] {
        for name in ["t.pkr.json", "t.json"] {
            let start = memory::busy();
            let (memory, found) = memory::peak(|| loaded(Memory::with(name, &text), name).map(|_| ()));
            let time = memory::busy().saturating_sub(start);
            println!("{what}: {} KiB, {} ms", memory >> 10, time.as_millis());
            if memory > MAX_MEMORY || time > Duration::from_secs(2) {
                wrong.push(format!("{what}: {} MiB and {time:?}", memory >> 20));
            }
            match found {
                Err(found) if (1..=50).contains(&found.len()) => {}
                Err(found) => wrong.push(format!("{what}: {} mistakes", found.len())),
                Ok(()) => wrong.push(format!("{what}: no error")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_no_text_is_refused() {
    for (name, bytes) in [
        ("t.pkr.hcl", &b"locals { a = \"\xff\" }"[..]),
        ("t.pkr.json", b"{\"locals\":{\"a\":\"\xff\"}}"),
        ("t.pkr.hcl", b"\xff\xfel\0o\0c\0"),
    ] {
        let mut world = Memory::default();
        world.0.insert(name, bytes.to_vec());
        let found = loaded(world, name).map(|_| ()).expect_err("it is not UTF-8");
        assert!(found.iter().any(|line| line.contains("UTF-8")), "{found:?}");
    }
    for text in
        ["locals { a = \"\0\" }", "locals {\0 a = 1 }", "\u{feff}locals { a = 1 }", "locals { a = 1 }\u{1a}"]
    {
        let _ = run(text);
    }
    assert!(run("locals {\0 a = 1 }")[0].contains("template::syntax"));
}
