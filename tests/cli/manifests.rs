//! The direction of dependency, read off the manifests.

use std::fs;
use std::path::Path;

/// What only one crate may depend on.
const OWNED: [(&str, &str); 5] = [
    ("wasmtime", "runtime/host"),
    ("russh", "runtime/native/ssh"),
    ("hcl-edit", "runtime/template"),
    ("clap", "runtime/cli"),
    ("indicatif", "runtime/cli"),
];

const CRATES: [(&str, &[&str]); 9] = [
    ("runtime/plan", &[]),
    ("runtime/absent", &["kiln-plan"]),
    ("runtime/template", &["kiln-plan"]),
    ("runtime/engine", &["kiln-plan"]),
    ("runtime/native/ssh", &[]),
    ("runtime/native/machine", &[]),
    ("runtime/native/content", &[]),
    ("runtime/host", &["kiln-plan", "kiln-ssh", "kiln-machine", "kiln-content"]),
    (
        "runtime/cli",
        &[
            "kiln-plan",
            "kiln-absent",
            "kiln-template",
            "kiln-engine",
            "kiln-host",
            "kiln-machine",
            "kiln-content",
        ],
    ),
];

fn dependencies(folder: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = fs::read_to_string(root.join(folder).join("Cargo.toml")).unwrap();
    let mut section = String::new();
    let mut names = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
        } else if section == "dependencies"
            && let Some((name, _)) = line.split_once(['=', '.'])
            && !line.starts_with('#')
            && !line.starts_with(' ')
        {
            names.push(name.trim().to_owned());
        }
    }
    names
}

#[test]
fn layers_depend_downwards_only() {
    for (folder, allowed) in CRATES {
        for name in dependencies(folder) {
            let fine = !name.starts_with("kiln-") || allowed.contains(&name.as_str());
            assert!(fine, "{folder} may not depend on {name}");
            for (library, owner) in OWNED {
                assert!(
                    name != library || folder == owner,
                    "only {owner} may depend on {library}, not {folder}"
                );
            }
        }
    }
}

#[test]
fn no_component_is_named_in_host_or_engine() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for folder in ["runtime/host/src", "runtime/engine/src"] {
        for name in
            ["\"shell\"", "\"shell-local\"", "\"qemu\"", "\"manifest\"", "\"artifice\"", "\"breakpoint\""]
        {
            search(&root.join(folder), name);
        }
    }
}

fn search(dir: &Path, name: &str) {
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            search(&path, name);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        // Tests may name components; they are the end of a file.
        let code = text.split("#[cfg(test)]").next().unwrap_or("");
        assert!(!code.contains(name), "{} names the component {name}", path.display());
    }
}
