//! The functions of `kiln:host` as `wit/` describes them. Main type: [`Function`].

use kiln_host::{Class, IMPORTS};
use std::collections::{BTreeMap, BTreeSet};
use wit_parser::{Docs, Resolve};

/// A function with what its description ends with: `(role: builders)`, `(grant: `http`, …)`.
#[derive(Debug, Clone)]
pub struct Function {
    pub interface: String,
    /// As the component model writes it: `[method]file.read`.
    pub name: String,
    pub class: Class,
    /// The whole of the parenthesis.
    pub words: String,
    /// The grant by name; for a plain `(grant)` that of the interface.
    pub grant: Option<String>,
}

impl Function {
    /// `interface.function`, as in traces.
    pub fn full(&self) -> String {
        format!("{}.{}", self.interface, self.name)
    }

    /// Whether a role function is for this kind of component; without a list it is for all.
    pub fn is_for(&self, kind: kiln_plan::Kind) -> bool {
        use kiln_plan::Kind::{Builder, DataSource, PostProcessor, Provisioner};
        let word = match kind {
            Builder => "builders",
            Provisioner => "provisioners",
            PostProcessor => "post-processors",
            DataSource => "data sources",
        };
        self.words.strip_prefix("role:").is_none_or(|list| list.contains(word))
    }
}

/// Every function of every interface of the package `kiln:host`.
pub fn all() -> Vec<Function> {
    let mut resolve = Resolve::default();
    let wit = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    resolve.push_dir(&wit).unwrap();
    let mut all = Vec::new();
    for (_, interface) in &resolve.interfaces {
        let package = &resolve.packages[interface.package.unwrap()].name;
        if (package.namespace.as_str(), package.name.as_str()) != ("kiln", "host") {
            continue;
        }
        let own = interface.name.clone().unwrap();
        let whole = interface.docs.contents.as_deref().and_then(grant_in);
        for function in interface.functions.values() {
            let words = last_words(&function.docs).unwrap_or_else(|| {
                panic!("the description of {own}.{} ends with no class in parentheses", function.name)
            });
            let class = class_of(&words).unwrap();
            let grant = (class == Class::Grant).then(|| {
                grant_in(&words).or_else(|| whole.clone()).unwrap_or_else(|| {
                    panic!("neither {own}.{} nor its interface names the grant", function.name)
                })
            });
            all.push(Function { interface: own.clone(), name: function.name.clone(), class, words, grant });
        }
    }
    all
}

/// The last parenthesis that begins with the word of a class.
fn last_words(docs: &Docs) -> Option<String> {
    let text = docs.contents.as_deref()?.split_whitespace().collect::<Vec<_>>().join(" ");
    let (_, last) = text.rsplit_once('(')?;
    let words = last.strip_suffix(')')?.to_owned();
    class_of(&words).is_some().then_some(words)
}

fn class_of(words: &str) -> Option<Class> {
    Some(match words.split([':', ';', ',', ' ']).next()? {
        "always" => Class::Always,
        "role" => Class::Role,
        "designation" => Class::Designation,
        "grant" => Class::Grant,
        _ => return None,
    })
}

/// The name in ``grant: `name` ``.
fn grant_in(text: &str) -> Option<String> {
    let (_, after) = text.split_once("grant: `")?;
    Some(after.split_once('`')?.0.to_owned())
}

#[test]
fn the_table_says_what_wit_says() {
    let told: BTreeMap<_, _> = all().into_iter().map(|f| (f.full(), f.class)).collect();
    let table: BTreeMap<_, _> =
        IMPORTS.iter().map(|i| (format!("{}.{}", i.interface, i.function), i.class)).collect();
    assert_eq!(table.len(), IMPORTS.len(), "a function is in the table twice");
    let names: BTreeSet<_> = told.keys().chain(table.keys()).collect();
    let wrong: Vec<_> = names
        .into_iter()
        .filter(|name| told.get(*name) != table.get(*name))
        .map(|name| format!("{name}: wit/ {:?}, table {:?}", told.get(name), table.get(name)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(told.len() > 150, "only {} functions were found", told.len());
}
