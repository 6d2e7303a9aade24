//! What `packer fmt` writes for the same text.

use super::format;

#[test]
fn rows() {
    for (text, expected) in [
        ("a=1\nlong_name = 2\n", "a         = 1\nlong_name = 2\n"),
        ("a=1\n\nlong_name = 2\n", "a = 1\n\nlong_name = 2\n"),
        ("b  \"x\"   {\na=[1,2 ,3]\n}\n", "b \"x\" {\n  a = [1, 2, 3]\n}\n"),
        ("a = {\nx=1\nyy=2\n}\n", "a = {\n  x  = 1\n  yy = 2\n}\n"),
        ("a=f( 1,- 2 )+ -x[0] . y\n", "a = f(1, -2) + -x[0].y\n"),
        ("a = \"${ x }-$${ y }\"\n", "a = \"${x}-$${ y }\"\n"),
        ("a = 1 # one\nbb = 22 # two\n", "a  = 1  # one\nbb = 22 # two\n"),
        ("a = <<EOT\n  text\n   EOT\nb = 1\n", "a = <<EOT\n  text\n   EOT\nb = 1\n"),
        ("a=!b?c:d\n", "a = !b ? c : d\n"),
        ("a = [for x in [1]:x if x>0]\n", "a = [for x in [1] : x if x > 0]\n"),
        ("x {\n  foo([{\na=1\n}])\n}\n", "x {\n  foo([{\n    a = 1\n  }])\n}\n"),
        ("a {}\nb { }\nc { d=1 }\n", "a {}\nb {}\nc { d = 1 }\n"),
        ("  # comment\n  a = 1 /* c */\n", "# comment\na = 1 /* c */\n"),
        ("a = {\"x\":1}\n", "a = { \"x\" : 1 }\n"),
        ("a=1\n   ", "a = 1\n   "),
        ("a=1\t ", "a = 1  "),
        ("a=1 #   ", "a = 1 #   "),
        ("a = <<E\nx\n E  \nb=1\n", "a = <<E\nx\n E  \nb = 1\n"),
        ("a = f(x...)\n", "a = f(x...)\n"),
        ("a = \"${{x=1}}\"\n", "a = \"${ { x = 1 } }\"\n"),
    ] {
        let once = format(text);
        assert_eq!(once.as_deref(), Some(expected), "{text}");
        assert_eq!(format(expected).as_deref(), Some(expected), "twice: {text}");
    }
    assert_eq!(format("a = \"x"), None);
}
