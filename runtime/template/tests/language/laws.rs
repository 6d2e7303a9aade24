//! Laws that functions and operators keep whatever their arguments: each is an expression of the
//! language over generated values that must be true.

use super::world::{Components, World};
use kiln_template::{Evaluated, Input, Mode, VariableInputs, load};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::Value;
use std::cell::RefCell;
use std::net::Ipv4Addr;
use std::sync::Arc;

const CASES: u32 = 64;

thread_local! {
    static CONSOLE: RefCell<Evaluated> = RefCell::new({
        let template = load(Input::Nothing, Arc::new(World::new("/"))).expect("nothing is read");
        template.evaluate(&VariableInputs::default(), &Components, None, Mode::Inspect).0
    });
}

/// What `console` prints.
fn console(expression: &str) -> String {
    CONSOLE.with_borrow(|evaluated| match evaluated.expression(expression) {
        Ok(text) => text,
        Err((_, diagnostic)) => format!("error: {}", diagnostic.summary),
    })
}

fn holds(law: &str) -> Result<(), TestCaseError> {
    prop_assert_eq!(console(law), "true", "{}", law);
    Ok(())
}

/// Runs `law` over values of `strategy`.
#[track_caller]
fn check<S: Strategy>(strategy: S, law: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    if let Err(e) = TestRunner::new(config).run(&strategy, law) {
        panic!("{e}");
    }
}

/// Text as it is written in the language.
fn text(text: &str) -> String {
    Value::from(text).to_string().replace("${", "$${").replace("%{", "%%{")
}

/// A JSON value as it is written in the language.
fn literal(value: &Value) -> String {
    match value {
        Value::String(s) => text(s),
        Value::Array(items) => format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", ")),
        Value::Object(entries) => {
            let entries: Vec<String> =
                entries.iter().map(|(name, value)| format!("{} = {}", text(name), literal(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        _ => value.to_string(),
    }
}

fn texts(items: &[String]) -> String {
    format!("[{}]", items.iter().map(|item| text(item)).collect::<Vec<_>>().join(", "))
}

/// Any text without control characters that JSON escapes and HCL does not know.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~\n\t]{0,12}", "[a-c,é日👍🏽$%{}\"\\\\~-]{0,8}", Just("${x} %{ if } $${ %%".to_owned()),]
}

fn any_texts() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(any_text(), 0..6)
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1_000_000i64..1_000_000).prop_map(|n| Value::from(n as f64 / 64.0)),
        any_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(any_text(), inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

#[test]
fn values_survive_json_and_yaml() {
    check(any_value(), |value| {
        let v = literal(&value);
        holds(&format!("jsondecode(jsonencode({v})) == {v}"))?;
        holds(&format!("yamldecode(yamlencode({v})) == {v}"))?;
        let written = console(&format!("jsonencode({v})"));
        let read: Value =
            serde_json::from_str(&written).map_err(|e| TestCaseError::fail(format!("{e}: {written}")))?;
        // Another reader sees the same, with numbers as floats.
        let number = |value: &Value| format!("{value}").replace(".0", "");
        prop_assert_eq!(number(&read), number(&value));
        Ok(())
    });
}

#[test]
fn text_survives_encodings() {
    check(any_text(), |s| {
        let t = text(&s);
        holds(&format!("base64decode(base64encode({t})) == {t}"))?;
        for encoding in ["UTF-8", "UTF-16LE", "UTF-16BE"] {
            holds(&format!(
                "textdecodebase64(textencodebase64({t}, \"{encoding}\"), \"{encoding}\") == {t}"
            ))?;
        }
        let encoded = console(&format!("urlencode({t})"));
        prop_assert!(encoded.is_ascii() && !encoded.contains([' ', '&', '=', '/', '"']), "{}", encoded);
        prop_assert_eq!(url_decoded(&encoded), s);
        Ok(())
    });
}

fn url_decoded(encoded: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = encoded.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let hex = [rest.next().expect("two digits"), rest.next().expect("two digits")];
                u8::from_str_radix(std::str::from_utf8(&hex).expect("digits"), 16).expect("digits")
            }
            other => other,
        });
    }
    String::from_utf8(bytes).expect("UTF-8 goes in and comes out")
}

#[test]
fn text_is_taken_apart_and_put_together() {
    check((any_text(), "[,;a-]{1,2}", 0usize..15), |(s, separator, at)| {
        let (t, by) = (text(&s), text(&separator));
        holds(&format!("join({by}, split({by}, {t})) == {t}"))?;
        holds(&format!("\"${{substr({t}, 0, {at})}}${{substr({t}, {at}, -1)}}\" == {t}"))?;
        holds(&format!("replace({t}, {by}, {by}) == {t}"))?;
        holds(&format!("format(\"%s\", {t}) == {t}"))?;
        holds(&format!("\"${{{t}}}\" == {t}"))?;
        holds(&format!("startswith({t}, substr({t}, 0, {at})) && endswith({t}, substr({t}, {at}, -1))"))?;
        holds(&format!("strcontains({t}, {by}) == (length(split({by}, {t})) > 1)"))?;
        for idempotent in ["trimspace", "chomp", "lower", "upper", "title"] {
            holds(&format!("{idempotent}({idempotent}({t})) == {idempotent}({t})"))?;
        }
        holds(&format!("indent(0, {t}) == {t}"))?;
        holds(&format!("trimprefix(\"{{{{${{{t}}}\", \"{{{{\") == {t}"))?;
        // Not of all text: turned around, signs that combine may combine with others.
        let plain = text(&s.replace(['\u{1f3fd}', '👍'], "x"));
        holds(&format!("strrev(strrev({plain})) == {plain} && length(strrev({plain})) == length({plain})"))
    });
}

#[test]
fn lists_keep_their_items() {
    check((any_texts(), any_texts(), 0usize..6), |(one, two, at)| {
        let (a, b, at) = (texts(&one), texts(&two), at.min(one.len()));
        for law in [
            format!("concat(slice({a}, 0, {at}), slice({a}, {at}, length({a}))) == {a}"),
            format!("length(concat({a}, {b})) == length({a}) + length({b})"),
            format!("reverse(reverse({a})) == concat({a}, [])"),
            format!("sort(sort({a})) == sort({a}) && sort(reverse({a})) == sort({a})"),
            format!("length(sort({a})) == length({a})"),
            format!("flatten([{a}, [{b}]]) == concat({a}, {b})"),
            format!("flatten(flatten([[{a}], {b}])) == flatten([[{a}], {b}])"),
            format!("flatten(chunklist({a}, {}))  == flatten({a})", at + 1),
            format!("distinct(distinct({a})) == distinct({a})"),
            format!("convert(setunion({a}, {b}), set(string)) == convert(concat({a}, {b}), set(string))"),
            format!("length(setintersection({a}, {b})) <= min(length({a}), length({b}))"),
            format!("alltrue([for x in {a} : contains({a}, x)])"),
            format!("alltrue([for x in {a} : {a}[index({a}, x)] == x])"),
            format!("[for i, x in {a} : element({a}, i + length({a}))] == [for x in {a} : x]"),
            format!("compact({a}) == convert([for x in {a} : x if x != \"\"], list(string))"),
            format!("length(setproduct({a}, {b})) == length({a}) * length({b})"),
        ] {
            holds(&law)?;
        }
        Ok(())
    });
}

#[test]
fn maps_keep_their_entries() {
    let map = || prop::collection::btree_map(any_text(), any_value(), 0..5);
    check((map(), map()), |(one, two)| {
        let literal = |map: &std::collections::BTreeMap<String, Value>| {
            literal(&Value::Object(map.clone().into_iter().collect()))
        };
        let (a, b) = (literal(&one), literal(&two));
        for law in [
            format!("zipmap(keys({a}), values({a})) == {a}"),
            format!("{{ for k, v in {a} : k => v }} == {a}"),
            format!("merge({a}, {{}}) == {a} && merge({{}}, {a}) == {a}"),
            format!("merge({a}, merge({b}, {a})) == merge(merge({a}, {b}), {a})"),
            format!(
                "convert(keys(merge({a}, {b})), set(string)) == convert(concat(keys({a}), keys({b})), set(string))"
            ),
            format!("alltrue([for k in keys({a}) : lookup({a}, k, \"none\") == {a}[k]])"),
            format!("length({a}) == length(keys({a}))"),
        ] {
            holds(&law)?;
        }
        Ok(())
    });
}

#[test]
fn numbers_are_exact() {
    let decimal = "-?[0-9]{1,30}(\\.[0-9]{1,20})?";
    check((decimal, decimal, any::<i32>(), 1i32..10_000), |(a, b, whole, divisor)| {
        for law in [
            format!("convert(\"${{{a}}}\", number) == {a}"),
            format!("convert(convert({a}, string), number) == {a}"),
            format!("({a}) + ({b}) == ({b}) + ({a})"),
            format!("abs({a}) == max({a}, -({a})) && abs({a}) >= 0"),
            format!("floor({a}) <= {a} && {a} <= ceil({a}) && ceil({a}) - floor({a}) <= 1"),
            format!("min({a}, {b}) == ({a} < {b} ? {a} : {b}) && max({a}, {b}) == ({a} < {b} ? {b} : {a})"),
            format!(
                "{whole} + {divisor} - {divisor} == {whole} && {whole} * {divisor} / {divisor} == {whole}"
            ),
            format!(
                "{whole} - {whole} % {divisor} == {divisor} * parseint(format(\"%d\", ({whole} - {whole} % {divisor}) / {divisor}), 10)"
            ),
            format!(
                "parseint(format(\"%x\", {whole}), 16) == {whole} && parseint(format(\"%b\", {whole}), 2) == {whole}"
            ),
            format!("format(\"%d\", {whole}) == \"{whole}\" && \"${{{whole}}}!\" == \"{whole}!\""),
            format!("sum([{whole}, {divisor}]) == {whole} + {divisor}"),
            format!("signum({whole}) * abs({whole}) == {whole}"),
            format!("jsondecode(jsonencode({a})) == {a}"),
            format!("({a} < {b}) != ({a} >= {b}) && ({a} == {b}) != ({a} != {b})"),
        ] {
            holds(&law)?;
        }
        Ok(())
    });
}

#[test]
fn networks_are_what_arithmetic_says() {
    check((any::<u32>(), 0u32..=24, 0u32..=8, any::<u32>()), |(address, length, more, number)| {
        let mask = |bits: u32| u32::MAX.checked_shl(32 - bits).unwrap_or(0);
        let (base, number) = (address & mask(length), number & ((1 << more) - 1));
        let subnet = base | number.checked_shl(32 - length - more).unwrap_or(0);
        let prefix = format!("\"{}/{length}\"", Ipv4Addr::from(base));
        prop_assert_eq!(
            console(&format!("cidrsubnet({prefix}, {more}, {number})")),
            format!("{}/{}", Ipv4Addr::from(subnet), length + more)
        );
        prop_assert_eq!(console(&format!("cidrnetmask({prefix})")), Ipv4Addr::from(mask(length)).to_string());
        prop_assert_eq!(
            console(&format!("cidrhost({prefix}, {number})")),
            Ipv4Addr::from(base | number).to_string()
        );
        prop_assert_eq!(
            console(&format!("cidrhost({prefix}, -1)")),
            Ipv4Addr::from(base | !mask(length)).to_string()
        );
        let more = more.max(1);
        holds(&format!("cidrsubnets({prefix}, {more})[0] == cidrsubnet({prefix}, {more}, 0)"))
    });
}

#[test]
fn times_go_forth_and_back() {
    check((0i64..4_000_000_000, -100_000i64..100_000, 0u32..24), |(unix, seconds, hours)| {
        let time = format!(
            "formatdate(\"YYYY-MM-DD'T'hh:mm:ss'Z'\", timeadd(\"1970-01-01T00:00:00Z\", \"{unix}s\"))"
        );
        for law in [
            format!("rfc3339_parse({time}).unix == {unix}"),
            format!("timeadd(timeadd({time}, \"{seconds}s\"), \"{}s\") == {time}", -seconds),
            format!("timeadd({time}, \"{hours}h\") == timeadd({time}, \"{}m\")", hours * 60),
            format!("unix_timestamp_parse({unix}).year == convert(formatdate(\"YYYY\", {time}), number)"),
            format!("unix_timestamp_parse({unix}).weekday_name == formatdate(\"EEEE\", {time})"),
        ] {
            holds(&law)?;
        }
        Ok(())
    });
}

#[test]
fn tables_come_out_as_they_went_in() {
    let row = prop::collection::vec("[a-z ,\"\n]{0,6}", 2);
    check(prop::collection::vec(row, 1..4), |rows| {
        let quoted = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
        let mut csv = "one,two\n".to_owned();
        for row in &rows {
            csv.push_str(&(row.iter().map(quoted).collect::<Vec<_>>().join(",") + "\n"));
        }
        let wanted: Vec<Value> =
            rows.iter().map(|row| serde_json::json!({"one": row[0], "two": row[1]})).collect();
        let (csv, wanted) = (text(&csv), literal(&Value::from(wanted)));
        holds(&format!("[for r in csvdecode({csv}) : r] == [for r in {wanted} : r]"))
    });
}
