//! What Go's text/template gives for the same text and data.

use super::*;
use serde_json::json;
use std::time::{Duration, UNIX_EPOCH};

fn functions() -> PackerFunctions {
    PackerFunctions {
        build_name: Some("vm".into()),
        build_type: Some("qemu".into()),
        template_dir: "t".into(),
        working_directory: "w".into(),
        version: "1.16.0".into(),
        uuid: "u-u".into(),
        started: UNIX_EPOCH + Duration::from_secs(1_700_000_000),
        build: [("ID".to_owned(), json!("i-1"))].into(),
    }
}

fn go(text: &str, data: &Json) -> Result<String, TemplateError> {
    render_text(text, data, &functions(), Limits::default())
}

#[test]
fn rows() {
    let data = json!({"Name": "vm", "Port": 8080, "Zero": 0, "List": ["a", "b"], "Map": {"y": 1, "x": {"z": true}}, "F": 1.5});
    for (text, expected) in [
        ("plain { } text", "plain { } text"),
        ("{{.Name}}:{{ .Port }}", "vm:8080"),
        ("{{.Missing}}", "<no value>"),
        ("{{.Missing.x.y}}{{if .Missing.x}}y{{end}}", "<no value>"),
        ("{{html .Missing}} {{print .Missing}}", "&lt;no value&gt; <nil>"),
        ("{{1e6}} {{1e5}} {{0.00001}} {{123456.5}}", "1e+06 100000 1e-05 123456.5"),
        (
            "{{printf \"%s|%d|%T\" .Map .List .Missing}}",
            "map[x:map[z:%!s(bool=true)] y:%!s(int=1)]|[%!d(string=a) %!d(string=b)]|<nil>",
        ),
        ("{{printf \"%3s|%-3d|\" .List .Map.y}}", "[  a   b]|1  |"),
        ("{{printf \"%[2]d %[1]s %[3]d\" \"a\" 2}}", "2 a %!d(BADINDEX)"),
        ("{{printf \"%q %q\" 65 7}}", "'A' '\\a'"),
        ("a {{- .Name -}} b", "avmb"),
        ("a {{/* no */}}b{{- /* x */ -}} c", "a bc"),
        ("{{if .Zero}}y{{else}}n{{end}}", "n"),
        ("{{if .Zero}}a{{else if .Name}}b{{else}}c{{end}}", "b"),
        ("{{range .List}}[{{.}}]{{end}}", "[a][b]"),
        ("{{range $i, $e := .List}}{{$i}}={{$e}} {{end}}", "0=a 1=b "),
        ("{{range $k, $v := .Map}}{{$k}} {{end}}", "x y "),
        ("{{range .Nothing}}x{{else}}none{{end}}", "none"),
        ("{{range .List}}{{if eq . \"b\"}}{{break}}{{end}}{{.}}{{end}}", "a"),
        ("{{range .List}}{{if eq . \"a\"}}{{continue}}{{end}}{{.}}{{end}}", "b"),
        ("{{range 3}}{{.}}{{end}}", "012"),
        ("{{with .Map.x}}{{.z}}{{$.Name}}{{end}}", "truevm"),
        ("{{with .None}}a{{else}}b{{end}}", "b"),
        ("{{$x := 1}}{{if true}}{{$x = 2}}{{end}}{{$x}}", "2"),
        ("{{define \"T\"}}<{{.}}>{{end}}{{template \"T\" .Name}}", "<vm>"),
        ("{{block \"B\" .Port}}({{.}}){{end}}", "(8080)"),
        (
            "{{printf \"%05d|%-4s|%x|%q|%.2f|%v\" .Port .Name 255 \"a\\n\" .F true}}",
            "08080|vm  |ff|\"a\\n\"|1.50|true",
        ),
        ("{{printf \"%d %s\" \"a\"}}", "%!d(string=a) %!s(MISSING)"),
        ("{{.Name | printf \"%s-%s\" \"a\"}}", "a-vm"),
        ("{{print 1 2 \"x\" 3}}|{{println 1 \"a\"}}", "1 2x3|1 a\n"),
        ("{{len .List}} {{index .List 1}} {{index .Map \"y\"}} {{slice .Name 1}}", "2 b 1 m"),
        ("{{and 1 0}} {{or 0 \"x\"}} {{not 1}}", "0 x false"),
        ("{{and false (index .List 9)}}", "false"),
        ("{{eq 1 2 1}} {{ne .Name \"x\"}} {{lt 1 2}} {{ge 1.5 1.5}}", "true true true true"),
        ("{{html \"<a&'\"}} {{js \"it's\"}} {{urlquery \"a b/c\"}}", "&lt;a&amp;&#39; it\\'s a+b%2Fc"),
        ("{{.Map}} {{.List}}", "map[x:map[z:true] y:1] [a b]"),
        ("{{(index .Map \"x\").z}}", "true"),
        ("{{`raw {{ \\n`}}", "raw {{ \\n"),
        ("{{'a'}} {{0x1F}} {{1_000}} {{-3}} {{1e3}} {{\"\\u00e9\\x41\"}}", "97 31 1000 -3 1000 \u{e9}A"),
        (
            "{{build_name}} {{build_type}} {{upper \"a\"}} {{replace \"a\" \"b\" 1 \"aa\"}} {{split \"a-b\" \"-\" 1}}",
            "vm qemu A ba b",
        ),
        (
            "{{isotime}} {{isotime \"2006-01-02 03:04PM Jan _2\"}}",
            "2023-11-14T22:13:20Z 2023-11-14 10:13PM Nov 14",
        ),
        ("{{timestamp}} {{strftime \"%Y%m%d-%H%M%S %j %u\"}}", "1700000000 20231114-221320 318 2"),
        (
            "{{clean_resource_name \"a b/c\"}} {{build \"ID\"}} {{uuid}} {{template_dir}} {{pwd}} {{packer_version}}",
            "a-b-c i-1 u-u t w 1.16.0",
        ),
    ] {
        assert_eq!(go(text, &data).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn errors_say_where() {
    let data = json!({"Name": "vm"});
    for (text, offset, message) in [
        ("ab{{.Name", 2, "unclosed action"),
        ("{{if .Name}}x", 12, "unexpected end of the template, {{end}} is missing"),
        ("{{end}}", 5, "unexpected {{end}}"),
        ("{{nothing}}", 2, "function \"nothing\" not defined"),
        ("{{if false}}{{nothing}}{{end}}", 14, "function \"nothing\" not defined"),
        ("{{.Name.x}}", 2, "can't evaluate field x in type string"),
        ("{{nil}}", 2, "nil is not a command"),
        ("{{lt 1 1.5}}", 2, "error calling lt: incompatible types for comparison"),
        ("{{range $i, $n := 5}}x{{end}}", 8, "can't use 5 to iterate over more than one variable"),
        ("{{if 1}}{{define \"a\"}}{{end}}{{end}}", 10, "unexpected <define> in command"),
        ("{{$x}}", 2, "undefined variable \"$x\""),
        ("{{\"abc}}", 2, "unterminated quoted string"),
        (
            "{{user `x`}}",
            2,
            "error calling user: `user` is for legacy JSON templates, write var.NAME in HCL2",
        ),
        ("{{env `x`}}", 2, "error calling env: `env` may be used in variables only"),
        ("{{.Name | 3}}", 10, "non executable command in pipeline"),
        ("{{index .Missing}}", 2, "error calling index: index of untyped nil"),
        ("{{index .Name 9}}", 2, "error calling index: index out of range: 9"),
        ("{{template \"no\"}}", 2, "template \"no\" not defined"),
        ("{{break}}", 2, "{{break}} outside {{range}}"),
        ("{{(1}}", 4, "unclosed left paren"),
        ("{{lt 1 \"a\"}}", 2, "error calling lt: incompatible types for comparison"),
    ] {
        assert_eq!(go(text, &data), Err(TemplateError::new(offset, message)), "{text}");
    }
}

#[test]
fn bounds_hold() {
    let endless = go("{{range 2000000}}x{{end}}", &json!({})).unwrap_err();
    assert_eq!(endless.message, "more than 1000000 steps");
    let recursive =
        go("{{define \"a\"}}{{template \"a\"}}{{end}}{{template \"a\"}}", &json!({})).unwrap_err();
    assert_eq!(recursive.message, "exceeded the depth of templates");
    let deep = format!("{}{}", "{{if 1}}".repeat(101), "{{end}}".repeat(101));
    assert_eq!(go(&deep, &json!({})).unwrap_err().message, "nested more than 100 deep");
    let parens = format!("{{{{{}1{}}}}}", "(".repeat(5000), ")".repeat(5000));
    assert_eq!(go(&parens, &json!({})).unwrap_err().message, "nested more than 100 deep");
    let doubling = format!("{{{{$x := \"aaaaaaaa\"}}}}{}", "{{$x = print $x $x}}".repeat(40));
    assert!(go(&doubling, &json!({})).unwrap_err().message.contains("more than 16777216 bytes"));
    let limits = Limits { output: 3, ..Limits::default() };
    assert_eq!(render_text("{{1234}}", &json!({}), &NoFunctions, limits).unwrap_err().offset, 2);
    assert_eq!(render_text("{{123}}", &json!({}), &NoFunctions, limits).as_deref(), Ok("123"));
    assert!(go("{{printf \"%999999999d\" 1}}", &json!({})).is_err());
}

#[test]
fn fields_are_found() {
    let template = parse(
        "{{.A.b}}{{if $.C}}{{template \"x\" (print .D)}}{{end}}{{define \"x\"}}{{.E}}{{end}}{{upper .F}}",
    )
    .unwrap();
    assert_eq!(template.fields().into_iter().collect::<Vec<_>>(), ["A", "C", "D", "E", "F"]);
    assert_eq!(template.functions().collect::<Vec<_>>(), ["upper"]);
}

#[test]
fn no_text_panics() {
    // Every prefix and every single-byte change of texts that use all of the grammar.
    let seeds = [
        "a{{- range $i, $e := .L -}}{{printf `%d` $i | len}}{{else}}{{(.a).b}}{{end}}",
        "{{\"\\u00e9\"}}{{'\\n'}}{{/* */}}",
    ];
    for seed in seeds {
        for (at, _) in seed.char_indices() {
            for c in ['{', '}', '-', '"', '(', '.', '$', '\\', '\u{e9}', '|', '0'] {
                let mut text = seed.to_owned();
                text.insert(at, c);
                let _ = go(&text, &json!({"L": [1]}));
                let _ = go(&text[..at], &json!({}));
            }
        }
    }
}
