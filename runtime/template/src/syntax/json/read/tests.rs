use super::read;
use kiln_plan::{Diagnostics, SourceMap};

/// Laid out, on a line for each step, and without a space.
const TEXTS: [&str; 3] = [
    r#"{
  "variables": {
    "name": "x",
    "size": null
  },
  "builders": [
    {
      "type": "qemu",
      "disk_size": 4096,
      "headless": true,
      "boot_command": [
        "<enter>",
        "echo {{user `name`}} [a, b]: c",
        "C:\\out\"\u00e9"
      ]
    },
    {
      "type": "null",
      "nested": {
        "deep": [["1", "2"], [], {}],
        "deeper": { "deepest": -1.5e3 }
      }
    }
  ],
  "provisioners": []
}
"#,
    r#"{
  "variables": { "name": "x", "size": null },
  "builders": [
    { "type": "qemu", "disk_size": 4096, "headless": true, "boot_command": ["<enter>", "echo"] },
    { "type": "null", "nested": { "deep": [["1", "2"], [], {}], "deeper": { "deepest": -1.5e3 } } }
  ]
}
"#,
    r#"{"variables":{"name":"x","size":null},"builders":[{"type":"qemu","headless":true,"list":["a","b"]},{"n":{"d":[["1","2"],[],{}]}}]}"#,
];

fn mistakes(text: &str) -> Diagnostics {
    read(text, SourceMap::default().add("", text), false).mistakes
}

/// The places of signs that are not inside of texts; both quotes of a text.
fn signs(text: &str) -> Vec<(usize, char)> {
    let (mut quoted, mut escaped) = (false, false);
    let mut found = Vec::new();
    for (at, sign) in text.char_indices() {
        if sign == '"' && !escaped {
            quoted = !quoted;
            found.push((at, sign));
        } else if !quoted && ",:{}[]".contains(sign) {
            found.push((at, sign));
        }
        escaped = quoted && sign == '\\' && !escaped;
    }
    found
}

/// One change at a time to each sign, and what that gives more than one mistake for.
fn changed(to: impl Fn(char) -> Option<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    for text in TEXTS {
        assert_eq!(mistakes(text), []);
        for (at, sign) in signs(text) {
            let Some(new) = to(sign) else { continue };
            let mut broken = text.to_owned();
            broken.replace_range(at..=at, &new);
            let found = mistakes(&broken);
            if found.len() != 1 {
                let line = text[..at].matches('\n').count() + 1;
                let said: Vec<_> =
                    found.iter().map(|one| (&one.summary, one.span.map(|s| s.start))).collect();
                wrong.push(format!(
                    "{sign} at {at} in line {line} as {new:?}: {said:?}\n{}",
                    broken.lines().nth(line - 1).unwrap_or("")
                ));
            }
        }
    }
    wrong
}

#[test]
fn a_sign_that_is_missing_is_one_mistake() {
    let wrong = changed(|_| Some(String::new()));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_sign_that_is_there_twice_is_one_mistake() {
    let wrong = changed(|sign| Some(format!("{sign}{sign}")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_wrong_sign_is_one_mistake() {
    let wrong = changed(|sign| {
        let other = match sign {
            '{' => '[',
            '[' => '{',
            '}' => ']',
            ']' => '}',
            ':' => '=',
            ',' => ';',
            _ => return None,
        };
        Some(other.to_string())
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
