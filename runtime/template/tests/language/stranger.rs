//! A stranger's template: what looking at it and checking it touches, noted by the environment.

use super::world::{Components, World, shown};
use kiln_plan::{Diagnostic, Value};
use kiln_template::{
    DataRequest, Environment, FileKind, Filters, Input, Mode, ReadData, SecretQuery, VariableInputs, load,
};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

/// A world that notes every access.
#[derive(Debug)]
struct Watched {
    world: World,
    noted: Mutex<BTreeSet<String>>,
}

impl Watched {
    fn new() -> Arc<Self> {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/stranger");
        Arc::new(Self { world: World::new(root), noted: Mutex::default() })
    }

    fn note(&self, what: &str, name: impl std::fmt::Display) {
        self.noted.lock().expect("no test panics in it").insert(format!("{what} {name}"));
    }

    fn noted(&self) -> Vec<String> {
        self.noted.lock().expect("no test panics in it").iter().cloned().collect()
    }
}

impl Environment for Watched {
    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        self.note("read", path.display());
        self.world.read(path, limit)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<(String, FileKind)>> {
        self.note("list", directory.display());
        self.world.list(directory)
    }

    fn kind(&self, path: &Path) -> io::Result<FileKind> {
        self.note("look at", path.display());
        self.world.kind(path)
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.note("variable", name);
        self.world.variable(name)
    }

    fn working_directory(&self) -> PathBuf {
        self.world.working_directory()
    }

    fn home(&self) -> Option<PathBuf> {
        self.world.home()
    }

    fn now(&self) -> SystemTime {
        self.world.now()
    }

    fn started(&self) -> SystemTime {
        self.world.started()
    }

    fn random(&self, bytes: &mut [u8]) {
        self.world.random(bytes);
    }

    fn secret(&self, query: &SecretQuery) -> Result<String, String> {
        self.note("secret", format!("{query:?}"));
        Ok("hush".to_owned())
    }
}

/// Data sources that must not run.
struct Never;

impl ReadData for Never {
    fn read(&self, requests: Vec<DataRequest>) -> Vec<Result<Value, Box<Diagnostic>>> {
        requests.iter().map(|_| Ok(Value::text("ran"))).collect()
    }
}

/// Everything in the folder that is looked at, which is all that a stranger's template names.
const TOUCHED: [&str; 7] = [
    "list stranger",
    "look at stranger",
    "read stranger/a.tpl",
    "read stranger/b.txt",
    "read stranger/t.pkr.hcl",
    "variable NAMED",
    "variable PKR_VAR_v",
];

#[test]
fn looking_touches_only_what_the_template_names() {
    for mode in [Mode::Build, Mode::Inspect] {
        let watched = Watched::new();
        let template = load(Input::Path(Path::new("stranger")), watched.clone())
            .unwrap_or_else(|(s, d)| panic!("{}", shown(&s, &d)));
        let (evaluated, found) = template.evaluate(&VariableInputs::default(), &Components, None, mode);
        assert_eq!(shown(evaluated.sources(), &found), "");
        evaluated.inspect();
        let (plan, found) = evaluated.plan(&Filters::default(), &Components);
        assert_eq!(shown(evaluated.sources(), &found), "");
        assert_eq!(plan.builds.len(), 1);
        assert_eq!(watched.noted(), TOUCHED);
    }
}

#[test]
fn syntax_alone_reads_only_the_templates() {
    let watched = Watched::new();
    load(Input::Path(Path::new("stranger")), watched.clone()).expect("it is right");
    assert_eq!(watched.noted(), ["list stranger", "look at stranger", "read stranger/t.pkr.hcl"]);
}

#[test]
fn secrets_are_asked_for_where_data_sources_run() {
    let watched = Watched::new();
    let text = "locals {\n  s = \"<${vault(\"p\", \"k\")}>\"\n  c = consul_key(\"c\")\n  a = aws_secretsmanager(\"n\", null)\n}";
    let template = load(Input::Text { name: "t", text }, watched.clone()).expect("it is right");
    let (evaluated, found) =
        template.evaluate(&VariableInputs::default(), &Components, Some(&Never), Mode::Build);
    assert_eq!(shown(evaluated.sources(), &found), "");
    assert_eq!(
        watched.noted(),
        [
            r#"secret Aws { name: "n", key: None }"#,
            r#"secret Consul { key: "c" }"#,
            r#"secret Vault { path: "p", key: "k" }"#
        ]
    );
    assert_eq!(evaluated.expression("local.s").ok().as_deref(), Some("<sensitive>"));
    assert_eq!(evaluated.expression("local.s == \"<hush>\" ? 1 : 0").ok().as_deref(), Some("<sensitive>"));
    let (plan, _) = evaluated.plan(&Filters::default(), &Components);
    assert_eq!(plan.sensitive, ["<hush>", "hush"]);
}
