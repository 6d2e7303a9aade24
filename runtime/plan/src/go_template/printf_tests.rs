//! What Go's `fmt.Sprintf` gives for the same format and arguments.

use super::printf::printf;
use serde_json::Value as Json;

/// Format, arguments as JSON, text.
const ROWS: &[(&str, &str, &str)] = &[
    ("%5d|%-5s|%05d|%-05d|%+d|% d", r#"["ab","ab",-7,7,7,7]"#, "%!d(string=   ab)|ab   |-0007|7    |+7| 7"),
    (
        "%#v %#v %#v %+v",
        r#"["a\n",["a",1,null,true,2.5],{"a":"x","b":1,"c":null},{"a":"x","b":1,"c":null}]"#,
        r#""a\n" []interface {}{"a", 1, interface {}(nil), true, 2.5} map[string]interface {}{"a":"x", "b":1, "c":interface {}(nil)} map[a:x b:1 c:<nil>]"#,
    ),
    (
        "%3s|%03v|%T|%.3T",
        r#"[["a",1,null,true,2.5],["a",1,null,true,2.5],["a",1,null,true,2.5],{"a":"x","b":1,"c":null}]"#,
        "[  a %!s(int=  1) <nil> %!s(bool=true) %!s(float64=2.5)]|[00a 001 <nil> true 2.5]|[]interface {}|map",
    ),
    ("%v %d %T %5v|%#v", "[null,null,null,null,null]", "<nil> %!d(<nil>) <nil> <nil>|<nil>"),
    (
        "%x % x %#x %# X %.1x|%x|%8x|%-8x|%08x",
        r#"["hi","hi","hi","hi","hi","","hi","hi","hi"]"#,
        "6869 68 69 0x6869 0X68 0X69 68||    6869|6869    |00006869",
    ),
    (
        "%q %#q %#q %+q %q %q %+q",
        r#"["a\"\\","a","a`","é","\u0000\u0007\u00ad\u2028","'",233]"#,
        r#""a\"\\" `a` "a`" "\u00e9" "\x00\a\u00ad\u2028" "'" '\u00e9'"#,
    ),
    (
        "%q %q %c %c %U %#U %#U %08U",
        "[39,-1,65,1114112,9731,9731,7,9731]",
        r#"'\'' '�' A � U+2603 U+2603 '☃' U+0007   U+2603"#,
    ),
    (
        "%b %#b %o %#o %O %#O %X %#x %x",
        "[5,5,8,8,8,8,255,255,-255]",
        "101 0b101 10 010 0o10 0o010 FF 0xff -ff",
    ),
    ("%.0d|%4.0d|%.3d|%08.3d|%+.3d|%#.4x", "[0,0,5,5,5,5]", "|    |005|     005|+005|0x0005"),
    (
        "%v %v %v %v %v %v",
        "[1e6,123456.0,1234567.0,1e20,0.0001,0.00001]",
        "1e+06 123456 1.234567e+06 1e+20 0.0001 1e-05",
    ),
    (
        "%f %.2f %e %.1E %g %.3g %G %.0g",
        "[1.5,2.675,12345.678,0.00012,1e-7,1234.5,1e+21,2.5]",
        "1.500000 2.67 1.234568e+04 1.2E-04 1e-07 1.23e+03 1E+21 2",
    ),
    (
        "%#g %#.3g %#f %#.0f %#.0e %#v %#x %#X",
        "[1.5,123456.0,1.5,3.0,3.0,1.5,1.5,1.5]",
        "1.50000 1.23e+05 1.500000 3. 3.e+00 1.5 0x1.8000p+00 0X1.8P+00",
    ),
    (
        "%x %X %.2x %.0x %b %b %x",
        "[-2.5,1.5,1.999,1.5,1.5,0.0,0.0]",
        "-0x1.4p+01 0X1.8P+00 0x1.00p+01 0x1p+01 6755399441055744p-52 0p-1074 0x0p+00",
    ),
    (
        "%08.2f|%+08.2f|%-8.2f|% .1f|%08v",
        "[-1.5,1.5,1.5,1.5,-1.5]",
        "-0001.50|+0001.50|1.50    | 1.5|-00001.5",
    ),
    ("%t %5t %05t %d %s", "[true,false,true,true,true]", "true false 0true %!d(bool=true) %!s(bool=true)"),
    ("%z %! %d %é %", r#"["a",1,2,3]"#, "%!z(string=a) %!!(int=1) 2 %!é(int=3) %!(NOVERB)"),
    (
        "%w %#w %+w %w",
        r#"[1,"a",1,["a",1,null,true,2.5]]"#,
        r#"%!w(int=1) %!w(string="a") %!w(int=1) %!w([]interface {}=[a 1 <nil> true 2.5])"#,
    ),
    (
        "%[2]d %[1]s|%[3]d|%[x]d|%[0]d|%[]d|%[2]5d|%[2]*[2]d|%[2].1d",
        r#"["a",2]"#,
        "2 a|%!d(BADINDEX)|%!d(BADINDEX)|%!d(BADINDEX)|%!d(BADINDEX)|%!d(BADINDEX)| 2|%!d(BADINDEX)",
    ),
    ("%d %[1]d %d %d", "[1,2]", "1 1 2 %!d(MISSING)"),
    (
        "%*d|%-*d|%*d|%.*f|%.*f|%*d",
        r#"[5,1,5,2,-5,3,1,1.25,-1,1.5,"x",4]"#,
        "    1|2    |3    |1.2|%!(BADPREC)1.500000|%!(BADWIDTH)4",
    ),
    ("%[", "[1]", "%!(NOVERB)"),
    ("%[]", "[1]", "%!](BADINDEX)"),
    ("%[1", "[1]", "%!(NOVERB)"),
    ("%.", "[1]", "%!.(int=1)"),
    ("%5.", "[]", "%!.(MISSING)"),
    ("%[1].", "[1]", "%!.(int=1)"),
    ("a%%b%5%c", "[]", "a%b%c"),
    (
        "none",
        r#"[1,null,"x",["a",1,null,true,2.5]]"#,
        "none%!(EXTRA int=1, <nil>, string=x, []interface {}=[a 1 <nil> true 2.5])",
    ),
];

#[test]
fn rows() {
    for (format, arguments, expected) in ROWS {
        let arguments: Vec<Json> = serde_json::from_str(arguments).unwrap();
        let arguments: Vec<Option<&Json>> = arguments.iter().map(Some).collect();
        assert_eq!(printf(format, &arguments, 4096).as_deref(), Ok(*expected), "{format}");
    }
}

#[test]
fn sizes_are_bounded() {
    let many: Json = vec![1; 1000].into();
    let show = |format: &str, argument: &Json| printf(format, &[Some(argument)], 1000);
    assert_eq!(show("%v", &"x".repeat(1000).into()).unwrap().len(), 1000);
    assert_eq!(show("%v!", &"x".repeat(1000).into()).unwrap_err(), "more than 1000 bytes");
    assert!(show("%4000v", &many).is_err() && show("%900v%900[1]v", &1.into()).is_err());
    for wide in ["%4097d", "%.4097d", "%99999999999999999999999d"] {
        assert_eq!(show(wide, &1.into()).unwrap_err(), "a width above 4096", "{wide}");
    }
    let wide = printf("%*d", &[Some(&(-4097).into()), None], 1000);
    assert_eq!(wide.unwrap_err(), "a width above 4096");
}
