//! `kiln fix`, also beside Packer 1.6.6, which knows all of the fixers.

use kiln_tests::Project;
use std::path::{Path, PathBuf};
use std::process::Command;

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/template/tests/fix");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| !path.to_string_lossy().ends_with(".fixed.json")).collect()
}

#[test]
fn fixed_byte_for_byte_as_packer_does() {
    let project = Project::new();
    let fixtures = fixtures();
    assert!(fixtures.len() > 34);
    for fixture in fixtures {
        let file = fixture.to_str().unwrap();
        let ours = project.kiln(&["fix", "-validate=false", file]).expect_code(0);
        let mut packer = Command::new("packer");
        project.prepare(&mut packer);
        packer.env("CHECKPOINT_DISABLE", "1").args(["fix", "-validate=false", file]);
        let theirs = packer.output().expect("packer runs; cargo xtask setup installs it");
        assert_eq!(ours.out, String::from_utf8_lossy(&theirs.stdout), "{file}");
    }
}

#[test]
fn fix_reads_standard_input_and_refuses_hcl() {
    let project = Project::with("source \"null\" \"x\" {}\n");
    project.kiln(&["fix", "template.pkr.hcl"]).expect_code(1).expect(&["only legacy JSON", "kiln validate"]);
    project.kiln(&["fix", "."]).expect_code(1).expect(&["only legacy JSON"]);
    project.kiln(&["fix", "absent.json"]).expect_code(1).expect(&["absent.json"]);
    project.write("broken.json", "{\"a\": }");
    project.kiln(&["fix", "broken.json"]).expect_code(1).expect(&["broken.json:1:"]);
    std::fs::write(project.path("latin.json"), b"{\"_c\": \"\xe9\"}").unwrap();
    project.kiln(&["fix", "latin.json"]).expect_code(1).expect(&["not UTF-8"]);
    let mut command = project.command(&["fix", "-validate=false", "-"]);
    let input = project.write("in.json", "{\"builders\": [{\"type\": \"qemu\", \"disk_size\": 7}]}");
    let output = command.stdin(std::fs::File::open(input).unwrap()).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("\"7M\""), "{output:?}");
}

#[test]
fn a_result_that_is_no_template_ends_with_1() {
    let project = Project::new();
    project.write("t.json", "{\"unheard-of\": 1, \"builders\": [{\"type\": \"qemu\", \"disk_size\": 7}]}");
    project.kiln(&["fix", "-validate=false", "t.json"]).expect_code(0).expect(&["\"7M\""]);
    project.kiln(&["fix", "t.json"]).expect_code(1).expect(&["\"7M\""]);
}
