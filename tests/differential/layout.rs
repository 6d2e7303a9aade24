//! `fmt`: the same bytes, for every fixture as it is and with its blanks disturbed.

use crate::explained::Explained;
use crate::programs::Program;
use kiln_tests::Project;
use std::path::Path;

/// All HCL files below a folder, with a name that is free of folders.
fn texts(folder: &Path, prefix: &str, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if path.is_dir() {
            texts(&path, &format!("{name}~"), found);
        } else if (name.ends_with(".pkr.hcl") || name.ends_with(".pkrvars.hcl"))
            && let Ok(text) = std::fs::read_to_string(&path)
            && !is_broken(&path)
        {
            found.push((name, text));
        }
    }
}

/// Whether a text has no layout: a syntax error stops Packer 1.6.6 at the first file.
fn is_broken(path: &Path) -> bool {
    let expected = std::fs::read_to_string(path.with_extension("hcl.expected")).unwrap_or_default();
    let own = path.to_string_lossy();
    let codes = ["template::syntax", "template::unclosed", "template::too-deep", "inputs/"];
    codes.iter().any(|word| expected.contains(word))
        || own.contains("/inputs/twice")
        || own.contains("/bad/syntax")
        || own.contains("attribute_twice")
        || own.contains("/bad/directories/")
        || own.contains("/bad/codes/")
}

/// The text with other blanks in front of lines, around `=` and behind commas; not in heredocs.
fn disturbed(text: &str) -> String {
    let mut out = String::new();
    let mut heredoc: Option<String> = None;
    for (number, line) in text.lines().enumerate() {
        if let Some(end) = &heredoc {
            if line.trim() == end {
                heredoc = None;
            }
            out.push_str(line);
        } else {
            out.push_str(["", "   ", "\t", " "][number % 4]);
            let line = line.trim_start();
            if let Some((_, marker)) = line.split_once("<<") {
                heredoc = Some(marker.trim_start_matches('-').trim().to_owned());
                out.push_str(line);
            } else if line.contains(['"', '#', '/']) {
                out.push_str(line);
            } else {
                out.push_str(&line.replace(" = ", ["=", "   =  ", " ="][number % 3]).replace(", ", ",   "));
            }
        }
        out.push('\n');
    }
    out
}

#[test]
fn fmt_writes_the_same_bytes() {
    let mut all = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for folder in ["runtime/template/tests", "examples"] {
        texts(&root.join(folder), &format!("{}~", folder.replace('/', "~")), &mut all);
    }
    let mut explained = Explained::of("fmt");
    let (kiln, packer) = (Project::new(), Project::new());
    for project in [&kiln, &packer] {
        for (name, text) in &all {
            project.write(name, text);
            project.write(&format!("disturbed~{name}"), &disturbed(text));
        }
    }
    let names: Vec<String> =
        all.iter().flat_map(|(name, _)| [name.clone(), format!("disturbed~{name}")]).collect();
    let written = |program: Program, project: &Project| {
        // Times of processes would be most of the time, so each program gets the whole folder.
        let check = program.run(project, &["fmt", "-check", "."]).code;
        (check, program.run(project, &["fmt", "."]).code, program.run(project, &["fmt", "-check", "."]).code)
    };
    assert_eq!(written(Program::Kiln, &kiln), (Some(3), Some(0), Some(0)));
    assert_eq!(written(Program::Packer, &packer), (Some(3), Some(0), Some(0)));
    for name in &names {
        let plain = name.replace('~', "/");
        let shown = plain.strip_prefix("disturbed/").unwrap_or(&plain);
        explained.compare(shown, &kiln.read(name), &packer.read(name));
    }
    assert!(names.len() > 800, "{} texts", names.len());
    explained.end();
}
