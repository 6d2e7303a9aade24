use super::*;
use kiln_plan::code;

fn at(text: &str, start: u32, end: u32) -> (SourceMap, Span) {
    let mut sources = SourceMap::default();
    let file = sources.add("t.pkr.hcl", text);
    (sources, Span { file, start, end })
}

fn full() -> (SourceMap, Diagnostic) {
    let (sources, span) = at("a {\n  inlnie = 1\n}\n", 6, 12);
    let mut found = Diagnostic::error(code::template::UNKNOWN_OPTION, "unknown option `inlnie`")
        .at(span)
        .within("provisioner \"shell\"")
        .detail("there is none of this name")
        .help("did you mean `inline`?");
    found.values.push(("var.x".into(), "3".into()));
    (sources, found)
}

/// The source lines and carets of a place.
fn marked(source: &str, start: u32, end: u32) -> String {
    let (sources, span) = at(source, start, end);
    let shown = text(&Diagnostic::error(code::template::SYNTAX, "x").at(span), &sources, false);
    shown.lines().skip(3).take_while(|line| !line.starts_with("  more")).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_finding_with_everything() {
    let (sources, found) = full();
    let expected = "Error: unknown option `inlnie`
  --> t.pkr.hcl:2:3, in provisioner \"shell\"
   |
 2 |   inlnie = 1
   |   ^^^^^^
  there is none of this name
  var.x is 3
  help: did you mean `inline`?
  more: kiln explain template::unknown-option";
    assert_eq!(text(&found, &sources, false), expected);
    let coloured = text(&found, &sources, true);
    assert!(coloured.starts_with("\x1b[1;31mError\x1b[0m"), "{coloured:?}");
    let plain = coloured.split('\x1b').map(|part| part.split_once('m').map_or(part, |(_, rest)| rest));
    assert_eq!(plain.skip(1).collect::<String>(), expected);
}

#[test]
fn packers_layout() {
    let (sources, found) = full();
    let expected = "Error: unknown option `inlnie`

  on t.pkr.hcl line 2, in provisioner \"shell\":
   2:   inlnie = 1

with var.x as 3.

There is none of this name. Did you mean `inline`? (template::unknown-option)";
    assert_eq!(classic(&found, &sources), expected);
}

#[test]
fn an_object_has_places_for_editors() {
    let (sources, found) = full();
    let object = object(&found, &sources);
    assert_eq!(object["range"]["start"], serde_json::json!({"line": 2, "column": 3, "byte": 6}));
    assert_eq!(object["range"]["end"], serde_json::json!({"line": 2, "column": 9, "byte": 12}));
    assert_eq!(object["snippet"][0]["text"], "  inlnie = 1");
    assert_eq!(object["values"][0], serde_json::json!({"name": "var.x", "value": "3"}));
    let bare = super::object(&Diagnostic::warning(code::template::SYNTAX, "odd"), &SourceMap::default());
    assert!(bare["file"].is_null() && bare["range"].is_null(), "{bare}");
}

#[test]
fn without_a_place() {
    let found = Diagnostic::warning(code::template::SYNTAX, "odd").within("a");
    let shown = text(&found, &SourceMap::default(), false);
    assert_eq!(shown, "Warning: odd\n  in a\n  more: kiln explain template::syntax");
}

#[test]
fn every_line_of_a_place_is_marked() {
    assert_eq!(
        marked("a = [\n  1,\n]\n", 4, 12),
        " 1 | a = [\n   |     ^\n 2 |   1,\n   |   ^^\n 3 | ]\n   | ^"
    );
    let long = format!("a = [\n{}]\n", "  1,\n".repeat(20));
    let shown = marked(&long, 4, u32::try_from(long.len() - 1).unwrap());
    assert!(shown.contains('…') && shown.lines().count() == 9, "{shown}");
    assert!(shown.ends_with(" 22 | ]\n    | ^"), "{shown}");
}

#[test]
fn the_end_of_a_file_is_a_place() {
    assert_eq!(marked("ab", 2, 2), " 1 | ab\n   |   ^");
    assert_eq!(marked("ab\n", 3, 3), " 2 | \n   | ^");
    assert_eq!(marked("ab\r\ncd", 1, 2), " 1 | ab\n   |  ^");
}

#[test]
fn carets_stand_below_wide_characters_and_tabs() {
    assert_eq!(marked("\u{6f22}\u{5b57} = x", 9, 10), " 1 | \u{6f22}\u{5b57} = x\n   |        ^");
    assert_eq!(marked("\ta = \u{6f22}", 5, 8), " 1 |     a = \u{6f22}\n   |         ^^");
}

#[test]
fn long_lines_are_cut_and_hostile_characters_replaced() {
    let line = format!("{}\x1b[2J\u{202e}y", "x".repeat(5000));
    let (sources, span) = at(&line, 5000, 5004);
    let mut found = Diagnostic::error(code::template::SYNTAX, "a\x1b]0;b").at(span);
    found.values.push(("v".into(), "\x07".into()));
    for shown in
        [text(&found, &sources, false), classic(&found, &sources), object(&found, &sources).to_string()]
    {
        assert!(!shown.contains(['\x1b', '\x07', '\u{202e}']) && shown.len() < 1500, "{shown}");
    }
    let shown = text(&found, &sources, false);
    let lines: Vec<&str> = shown.lines().collect();
    let column = |line: &str, c: char| line.chars().position(|x| x == c).unwrap();
    assert_eq!(column(lines[3], '\u{fffd}'), column(lines[4], '^'), "{shown}");
}

#[test]
fn paragraphs_wrap() {
    let found = Diagnostic::error(code::template::SYNTAX, "x").help("word ".repeat(60));
    let shown = text(&found, &SourceMap::default(), false);
    assert!(shown.lines().count() > 3 && shown.lines().all(|line| line.len() <= 102), "{shown}");
}
