//! Grants that functions ask for beside their own, depending on their arguments; and what may be
//! sealed.

use crate::world::{Got, World};
use kiln_plan::Kind;
use serde_json::json;

/// Everything but the grant that the call is about.
const OTHERS: &[(&str, &[&str])] = &[
    ("exec", &["*"]),
    ("http", &["http://127.0.0.1:1"]),
    ("hypervisor", &[]),
    ("hypervisor.monitor", &[]),
    ("secrets.reveal", &[]),
    ("session.forward", &[]),
    ("ssh", &["10.0.0.0/8:22", "[::1]:*"]),
];

fn with<'a>(grant: &'a str, targets: &'a [&'a str]) -> Vec<(&'a str, &'a [&'a str])> {
    let others = OTHERS.iter().filter(|(name, _)| *name != grant).copied();
    others.chain([(grant, targets)]).collect()
}

#[track_caller]
fn refused_for(got: &Got, line: &str) {
    let Got::Refused(message) = got else { panic!("not refused: {got:?}") };
    assert!(message.contains(&format!("needs the grant `{line}`")), "{message}");
}

/// An address that a builder made up is dialled only with a grant for it.
#[tokio::test]
async fn ssh_goes_where_it_was_granted() {
    let cache = tempfile::tempdir().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    listener.set_nonblocking(true).unwrap();
    let options = json!({
        "host": "127.0.0.1", "port": port.to_string(), "ssh_username": "x", "ssh_password": "a-password",
        "ssh_timeout": "1s", "ssh_handshake_attempts": 1,
    });
    let world = World::new(cache.path(), OTHERS, true);
    let got = world.call(Kind::Builder, "ssh", &options).await;
    refused_for(&got.got, &format!("ssh = [\"127.0.0.1/32:{port}\"]"));
    assert!(listener.accept().is_err(), "it was dialled");
    let target = format!("127.0.0.0/8:{port}");
    let world = World::new(cache.path(), &with("ssh", &[&target]), true);
    let got = world.call(Kind::Builder, "ssh", &options).await;
    assert!(matches!(got.got, Got::Error(..)), "{:?}", got.got);
    assert!(listener.accept().is_ok(), "it was not dialled");
    // A name is not an address: it could lead anywhere.
    let mut named = options.clone();
    named["host"] = "localhost".into();
    let got = world.call(Kind::Builder, "ssh", &named).await;
    assert!(matches!(&got.got, Got::Error(code, _) if code == "invalid"), "{:?}", got.got);
    // What the user wrote needs no grant.
    let world = World::new(cache.path(), OTHERS, true);
    let mut written = options;
    written["ssh_host"] = "127.0.0.1".into();
    written["ssh_port"] = port.into();
    let got = world.call(Kind::Builder, "ssh", &written).await;
    assert!(matches!(got.got, Got::Error(..)) && listener.accept().is_ok(), "{:?}", got.got);
}

/// Arguments that reach QEMU and its tools as they are, and the host's bridges.
#[tokio::test]
async fn raw_arguments_and_bridges_are_grants_of_their_own() {
    let cache = tempfile::tempdir().unwrap();
    let arguments = json!({ "output-from": "scratch", "qemuargs": [["-device", "x"]] });
    let bridge = json!({ "output-from": "scratch", "net_bridge": "br0" });
    let scratch = json!({ "output-from": "scratch" });
    for (call, options, grant) in [
        ("raw image", &scratch, "hypervisor.raw-args"),
        ("raw machine", &arguments, "hypervisor.raw-args"),
        ("raw machine", &bridge, "hypervisor.bridge"),
    ] {
        let world = World::new(cache.path(), OTHERS, true);
        let got = world.call(Kind::Builder, call, options).await;
        refused_for(&got.got, &format!("\"{grant}\" = true"));
        let world = World::new(cache.path(), &with(grant, &[]), true);
        let got = world.call(Kind::Builder, call, options).await;
        assert_eq!(got.got, Got::Ok, "{call} {grant}");
        // That grant alone is not enough.
        let world = World::new(cache.path(), &[(grant, &[])], true);
        refused_for(&world.call(Kind::Builder, call, options).await.got, "hypervisor = true");
    }
    let world = World::new(cache.path(), OTHERS, true);
    assert_eq!(world.call(Kind::Builder, "raw machine", &scratch).await.got, Got::Ok);
}

/// A sealed letter would mask that letter in all output of the run.
#[tokio::test]
async fn guests_seal_no_common_texts() {
    let cache = tempfile::tempdir().unwrap();
    let world = World::new(cache.path(), &[], false);
    for text in ["", "e", "Build", "1234567", "      e      ", "\n\n\n\n\n\n\n\n\n"] {
        let got = world.call(Kind::Provisioner, "seal", &json!({ "text": text })).await;
        assert!(matches!(&got.got, Got::Error(code, _) if code == "invalid"), "{text:?}: {:?}", got.got);
    }
    assert_eq!(world.call(Kind::Provisioner, "seal", &json!({ "text": "12345678" })).await.got, Got::Ok);
}
