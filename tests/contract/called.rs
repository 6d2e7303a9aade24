//! Every function called by the generated guest: refused where it should be, let in where it may.

use crate::functions::{Function, all};
use crate::world::{Answer, Got, KINDS, World};
use kiln_host::Class;
use kiln_plan::Kind;
use kiln_tests::Sshd;
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;

/// The grants that functions ask for, with what the guest's arguments name.
const GRANTS: &[(&str, &[&str])] = &[
    ("exec", &["true"]),
    ("http", &["http://127.0.0.1:1"]),
    ("hypervisor", &[]),
    ("hypervisor.monitor", &[]),
    ("secrets.reveal", &[]),
    ("session.forward", &[]),
];

/// Functions that a guest cannot reach yet: what gives their handles is specified and not
/// implemented.
const UNREACHED: &[&str] = &[
    "session-proxy.[method]proxy.host-key",
    "session-proxy.[method]proxy.port",
    "session-proxy.[method]proxy.private-key",
    "transfers.[method]response.body",
    "transfers.[method]response.header",
    "transfers.[method]response.status",
];

struct Judge {
    classes: BTreeMap<String, Class>,
    problems: Vec<String>,
}

impl Judge {
    fn new(functions: &[Function]) -> Self {
        Self { classes: functions.iter().map(|f| (f.full(), f.class)).collect(), problems: Vec::new() }
    }

    fn wrong(&mut self, place: &str, function: &Function, got: &Got) {
        self.problems.push(format!("{place}: {} ({}): {got:?}", function.full(), function.words));
    }

    /// What is unreachable must need something that is itself no one's by default.
    fn excusable(&self, needs: &str) -> bool {
        self.classes.get(needs).is_none_or(|class| *class != Class::Always)
    }

    /// The gate judged by the right that the table names.
    fn gates(&mut self, place: &str, answer: &Answer) {
        for record in &answer.records {
            let designated = record.class == Class::Designation
                && ["downloads.fetch", "exec.run", "exec.start"].contains(&record.function);
            match self.classes.get(record.function) {
                Some(class) if *class == record.class || designated => {}
                other => self.problems.push(format!(
                    "{place}: {} was judged as {:?}, its class is {other:?}",
                    record.function, record.class
                )),
            }
        }
    }

    #[track_caller]
    fn end(self) {
        assert!(self.problems.is_empty(), "{} problems:\n{}", self.problems.len(), self.problems.join("\n"));
    }
}

/// Where a function's outputs come from: a designation is what the template names, the rest may
/// work on scratch.
fn own(function: &Function) -> Json {
    json!({"output-from": if function.class == Class::Designation { "configuration" } else { "scratch" }})
}

/// Without any designation and grant.
#[tokio::test]
async fn nothing_is_reached_that_was_not_given() {
    let cache = tempfile::tempdir().unwrap();
    let world = World::new(cache.path(), &[], false);
    let functions = all();
    let mut judge = Judge::new(&functions);
    for kind in KINDS {
        for function in &functions {
            let place = format!("{kind}");
            let answer = world.call(kind, &function.full(), &own(function)).await;
            judge.gates(&place, &answer);
            let fits = match (&function.class, &answer.got) {
                (_, Got::Broke(_)) => false,
                (_, Got::Unreachable(needs, _)) => judge.excusable(needs),
                (Class::Always, got) => !matches!(got, Got::Refused(_)),
                (Class::Role, got) => got.is_for_others() != function.is_for(kind),
                (Class::Designation, got) => match got {
                    Got::Refused(_) | Got::Nothing => true,
                    Got::Error(code, _) => code == "notfound",
                    _ => false,
                },
                (Class::Grant, Got::Refused(message)) => {
                    message.contains(function.grant.as_deref().unwrap_or("?"))
                        && message.contains("needs the grant")
                }
                (Class::Grant, _) => false,
            };
            if !fits {
                judge.wrong(&place, function, &answer.got);
            }
        }
    }
    judge.end();
}

/// In `validate` only what needs no authority works, in every kind of component and with every
/// grant and designation.
#[tokio::test]
async fn validate_reaches_nothing() {
    let cache = tempfile::tempdir().unwrap();
    let world = designating(World::new(cache.path(), GRANTS, true));
    let functions = all();
    let mut judge = Judge::new(&functions);
    for kind in KINDS {
        for function in &functions {
            let place = format!("validate of a {kind}");
            for pointer in ["/file", "/output"] {
                let mut options = own(function);
                options["pointer"] = pointer.into();
                let answer = world.validate(kind, &function.full(), &options).await;
                judge.gates(&place, &answer);
                let fits = match (&function.class, &answer.got) {
                    (_, Got::Broke(_)) => false,
                    (_, Got::Unreachable(needs, _)) => judge.excusable(needs),
                    (Class::Always, got) => !matches!(got, Got::Refused(_)),
                    (_, got) => matches!(got, Got::Refused(_)),
                };
                if !fits {
                    judge.wrong(&place, function, &answer.got);
                }
            }
        }
    }
    judge.end();
}

/// Options that name a file, an output, and a way to make a server.
fn designating(mut world: World) -> World {
    std::fs::write(world.folder.path().join("work/there"), "content").unwrap();
    for (name, value) in [
        ("file", json!("there")),
        ("output", json!("made")),
        ("source", json!("there")),
        ("http_content", json!({"/x": "x"})),
    ] {
        world.options[name] = value;
    }
    world
}

/// Not let in. That an output has nothing which this build made is said about the output.
fn refused(got: &Got) -> bool {
    match got {
        Got::Refused(message) => !message.contains("was not made by this build"),
        Got::Broke(_) => true,
        _ => false,
    }
}

/// With everything that the template may name and the user may grant, no function is refused to
/// those whom it is for, and each is reached.
#[tokio::test]
async fn what_was_given_works() {
    let cache = tempfile::tempdir().unwrap();
    let sshd = Sshd::start();
    let mut world = designating(World::new(cache.path(), GRANTS, true));
    for (name, value) in [
        ("ssh_host", json!("127.0.0.1")),
        ("ssh_port", json!(sshd.port)),
        ("ssh_username", json!(kiln_tests::user())),
        ("ssh_private_key_file", json!(sshd.key())),
    ] {
        world.options[name] = value;
    }
    let functions = all();
    let mut judge = Judge::new(&functions);
    let mut unreached = BTreeSet::new();
    let mut table = String::from("\n");
    for function in &functions {
        let full = function.full();
        let mut last = None;
        'found: for kind in KINDS.into_iter().filter(|kind| function.is_for(*kind)) {
            for pointer in ["/output", "/file", "/source"] {
                let mut options = own(function);
                options["pointer"] = pointer.into();
                let answer = world.call(kind, &full, &options).await;
                judge.gates(&full, &answer);
                let reached = answer.records.iter().any(|record| record.function == full);
                let works = reached && !refused(&answer.got) && !matches!(answer.got, Got::Unreachable(..));
                last = Some(answer.got);
                if works {
                    break 'found;
                }
                if function.class != Class::Designation {
                    break;
                }
            }
        }
        let got = last.unwrap();
        match &got {
            Got::Unreachable(..) => {
                unreached.insert(full.clone());
            }
            got if refused(got) => judge.wrong("given", function, got),
            _ => {}
        }
        table.push_str(&format!("{full:54} {:62} {}\n", function.words, got.short()));
    }
    let (total, missed) = (functions.len(), unreached.len());
    table.push_str(&format!("{total} functions, {} called, {missed} not implemented yet\n", total - missed));
    // Not by `print!`, which the test harness keeps to itself: the table is to be seen.
    std::io::stdout().write_all(table.as_bytes()).unwrap();
    judge.end();
    assert_eq!(unreached, UNREACHED.iter().map(|name| (*name).to_owned()).collect());
}

/// Each function of the class grant: refused with every grant but its own, let in with its own (and
/// the one that its handle comes from).
#[tokio::test]
async fn one_grant_opens_what_it_names_and_no_more() {
    let cache = tempfile::tempdir().unwrap();
    let functions: Vec<_> = all().into_iter().filter(|f| f.class == Class::Grant).collect();
    let mut judge = Judge::new(&all());
    for (grant, _) in GRANTS {
        let theirs: Vec<_> = functions.iter().filter(|f| f.grant.as_deref() == Some(*grant)).collect();
        assert!(!theirs.is_empty(), "no function needs {grant}");
        let only: Vec<_> = GRANTS
            .iter()
            .filter(|(name, _)| name == grant || (*grant == "hypervisor.monitor" && *name == "hypervisor"))
            .copied()
            .collect();
        let others: Vec<_> = GRANTS.iter().filter(|(name, _)| name != grant).copied().collect();
        let with = World::new(cache.path(), &only, true);
        let without = World::new(cache.path(), &others, true);
        for function in theirs {
            let answer = with.call(Kind::Builder, &function.full(), &own(function)).await;
            // A session needs a machine; that function is called where one is connected.
            if matches!(answer.got, Got::Refused(_) | Got::Broke(_)) {
                judge.wrong(&format!("with {grant}"), function, &answer.got);
            }
            let answer = without.call(Kind::Builder, &function.full(), &own(function)).await;
            let refused = match &answer.got {
                Got::Refused(message) => message.contains(grant) && message.contains("needs the grant"),
                Got::Unreachable(_, how) => {
                    how.contains("needs the grant") || function.interface.starts_with("session")
                }
                _ => false,
            };
            if !refused {
                judge.wrong(&format!("without {grant}"), function, &answer.got);
            }
        }
    }
    judge.end();
}

/// The session functions in a provisioner, whose session a builder made; and `forward` without its
/// grant.
#[tokio::test]
async fn a_session_comes_with_the_role() {
    let cache = tempfile::tempdir().unwrap();
    let sshd = Sshd::start();
    let mut world = World::new(cache.path(), &[], true);
    for (name, value) in [
        ("ssh_host", json!("127.0.0.1")),
        ("ssh_port", json!(sshd.port)),
        ("ssh_username", json!(kiln_tests::user())),
        ("ssh_private_key_file", json!(sshd.key())),
    ] {
        world.options[name] = value;
    }
    let functions = all();
    let mut judge = Judge::new(&functions);
    for function in functions.iter().filter(|f| f.name.starts_with("[method]session.") || f.name == "serve") {
        let answer = world.called(Kind::Provisioner, &function.full(), &own(function), true).await;
        judge.gates("a provisioner with a session", &answer);
        let fits = match (&function.class, &answer.got) {
            (Class::Grant, Got::Refused(message)) => message.contains("\"session.forward\" = true"),
            (Class::Role, got) => !matches!(got, Got::Refused(_) | Got::Broke(_) | Got::Unreachable(..)),
            _ => false,
        };
        if !fits {
            judge.wrong("a provisioner with a session", function, &answer.got);
        }
    }
    judge.end();
}
