//! Pointers to files: what the user wrote opens, what a component made up does not.

use crate::support::{Setup, World, configuration, info, step};
use kiln_plan::{Kind, Origin, Value};
use serde_json::json;

async fn one(world: &World, options: serde_json::Value) -> String {
    world.says(options).await.pop().unwrap()
}

#[tokio::test]
async fn files_open_as_the_user_means_them() {
    let world = World::new(Setup::default());
    std::fs::write(world.work("a.txt"), "content").unwrap();
    std::fs::write(world.folder.path().join("home/h.txt"), "home").unwrap();
    let absolute = world.work("a.txt").to_string_lossy().into_owned();
    for path in ["a.txt", "./a.txt", "../work/a.txt", absolute.as_str(), "~/h.txt"] {
        let said = world.says(json!({"file": path, "do": ["entry /file"]})).await;
        assert!(said[1].starts_with("file "), "{path}: {said:?}");
    }
}

#[tokio::test]
async fn what_is_not_designated_is_denied() {
    let world = World::new(Setup::default());
    std::fs::write(world.work("a.txt"), "x").unwrap();
    for (options, word, wanted) in [
        (json!({"text": "a.txt"}), "entry /text", "Denied"),
        (json!({"key": "a.txt"}), "entry /key", "Denied"),
        (json!({"output": "a.txt"}), "entry /output", "Denied"),
        (json!({"when": "a.txt"}), "entry /when", "Denied"),
        (json!({"when": "a.txt", "mode": "write"}), "entry /when", "Denied"),
        (json!({}), "entry /defaulted", "Denied"),
        (json!({}), "entry /file", "NotFound"),
        (json!({"file": "gone"}), "entry /file", "NotFound"),
        (json!({"file": "."}), "entry /file", "Invalid"),
        (json!({"directory": "a.txt"}), "entry /directory", "Invalid"),
        (json!({"file": "a.txt"}), "write /file x", "Denied"),
    ] {
        let mut options = options;
        options["do"] = json!([word]);
        let said = one(&world, options.clone()).await;
        assert!(said.starts_with(&format!("ErrorCode::{wanted}")), "{options}: {said}");
    }
    let said = world.says(json!({"when": "a.txt", "mode": "read", "do": ["entry /when"]})).await;
    assert!(said[1].starts_with("file "), "{said:?}");
}

#[tokio::test]
async fn directories_are_left_by_no_way() {
    let world = World::new(Setup::default());
    let dir = world.work("d");
    std::fs::create_dir_all(dir.join("sub")).unwrap();
    std::fs::write(dir.join("sub/in"), "x").unwrap();
    std::os::unix::fs::symlink("../../secret", dir.join("out")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", dir.join("absolute")).unwrap();
    std::os::unix::fs::symlink("loop", dir.join("loop")).unwrap();
    std::os::unix::fs::symlink("sub/in", dir.join("inside")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(dir.join("fifo")).status().unwrap().success());
    for (path, opens) in [
        ("sub/in", true),
        ("inside", true),
        ("./sub/./in", true),
        ("../secret", false),
        ("sub/../../secret", false),
        ("/etc/passwd", false),
        ("out", false),
        ("out/", false),
        ("absolute", false),
        ("loop", false),
        ("fifo", false),
        ("", false),
        ("sub", false),
        ("sub/", false),
        ("sub\\..\\in", false),
        ("gone", false),
    ] {
        let said = one(&world, json!({"directory": "d", "do": [format!("below {path}")]})).await;
        assert_eq!(said == "ok", opens, "{path}: {said}");
    }
}

#[tokio::test]
async fn globs_give_names_relative_to_their_fixed_part() {
    let world = World::new(Setup::default());
    std::fs::create_dir_all(world.work("g/x")).unwrap();
    for name in ["g/a.txt", "g/b.txt", "g/c.bin", "g/x/d.txt"] {
        std::fs::write(world.work(name), "x").unwrap();
    }
    let said =
        one(&world, json!({"globs": ["g/*.txt", "g/x/d.txt", "g/*/*"], "do": ["entries /globs"]})).await;
    assert_eq!(said, r#"["a.txt", "b.txt", "d.txt", "x/d.txt"]"#);
}

#[tokio::test]
async fn outputs_never_overwrite_what_the_build_did_not_make() {
    let world = World::new(Setup::default());
    std::fs::write(world.work("there"), "old").unwrap();
    let said = one(&world, json!({"output": "there", "do": ["write /output new"]})).await;
    assert!(said.starts_with("ErrorCode::AlreadyExists"), "{said}");
    assert_eq!(std::fs::read_to_string(world.work("there")).unwrap(), "old");
    let said =
        one(&world, json!({"output": "new/deep/{{ .Name }}", "do": ["write /output 1", "write /output 22"]}))
            .await;
    assert_eq!(said, "new/deep/late 2");
    assert_eq!(one(&world, json!({"replace": "there", "do": ["write /replace new"]})).await, "there 3");
    let forced = World::new(Setup { force: true, ..Setup::default() });
    std::fs::write(forced.work("there"), "old").unwrap();
    assert_eq!(one(&forced, json!({"output": "there", "do": ["write /output new"]})).await, "there 3");
}

#[tokio::test]
async fn late_values_choose_a_name_and_no_way_out() {
    let world = World::new(Setup::default());
    let said = one(&world, json!({"output": "d/{{ .Up }}", "do": ["write /output x"]})).await;
    assert!(said.starts_with("ErrorCode::Invalid"), "{said}");
    assert!(!world.work("up").exists() && !world.folder.path().join("up").exists());
}

#[tokio::test]
async fn children_stay_below_and_links_are_not_followed() {
    let world = World::new(Setup::default());
    std::fs::create_dir_all(world.work("o")).unwrap();
    std::os::unix::fs::symlink("../../secret", world.work("o/link")).unwrap();
    std::os::unix::fs::symlink("../..", world.work("o/up")).unwrap();
    for (path, opens) in
        [("a/b", true), ("../x", false), ("/x", false), ("up/secret2", false), ("", false), ("link", false)]
    {
        let said = one(&world, json!({"output": "o", "do": [format!("child {path}")]})).await;
        assert_eq!(said == "ok", opens, "{path}: {said}");
    }
    assert_eq!(std::fs::read_to_string(world.folder.path().join("secret")).unwrap(), "outside");
    assert!(!world.folder.path().join("secret2").exists());
}

#[tokio::test]
async fn appends_add_at_the_end() {
    let world = World::new(Setup::default());
    std::fs::write(world.work("log"), "a").unwrap();
    world.says(json!({"append": "log", "do": ["append b", "append c"]})).await;
    assert_eq!(std::fs::read_to_string(world.work("log")).unwrap(), "abc");
}

#[tokio::test]
async fn what_a_component_named_designates_nothing_outside() {
    let world = World::new(Setup::default());
    std::fs::write(world.work("a.txt"), "x").unwrap();
    let mut options = configuration(json!({"do": ["entry /file"], "file": "a.txt"}));
    let kiln_plan::Data::Map(map) = &mut options.value.data else { unreachable!() };
    let file: &mut Value = map.get_mut("file").unwrap();
    file.marks.origin = Origin::Component;
    let scope = world.run.build("b", "x", "probe");
    scope
        .provision(&step(Kind::Provisioner), &options, None, info(Kind::Provisioner), world.cancel.clone())
        .await
        .unwrap();
    let said = world.seen.said().pop().unwrap();
    assert!(said.starts_with("ErrorCode::Denied") && said.contains("files.read"), "{said}");
}

#[tokio::test]
async fn missing_files_are_found_before_anything_starts() {
    let world = World::new(Setup::default());
    let found =
        world.validate(json!({"file": "gone", "directory": "gone", "key": "gone", "lazy": "gone"})).await;
    assert_eq!(found.len(), 3, "{found:?}");
    let found = world.validate(json!({"fiel": "x"})).await;
    assert_eq!(found[0].help.as_deref(), Some("did you mean `file`?"));
}

#[tokio::test]
async fn archives_and_digests_work() {
    let world = World::new(Setup::default());
    assert_eq!(one(&world, json!({"output": "a.tar.gz", "do": ["archive"]})).await, "true 2048");
    let empty = one(&world, json!({"do": ["digest "]})).await;
    assert_eq!(empty, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    // Nothing of it stays behind.
    assert_eq!(std::fs::read_dir(world.folder.path().join("tmp")).unwrap().count(), 0);
}
