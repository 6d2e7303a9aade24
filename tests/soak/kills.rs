//! kiln ended at any moment: whatever the signal, after `kiln cleanup` nothing is left.

use crate::Rounds;
use kiln_tests::{Guest, Project, wait_until};
use std::time::Duration;

const TEMPLATE: &str = r#"
source "null" "x" {
  communicator = "none"
}
source "file" "y" {
  content = "made"
  target  = "made/by/file.txt"
}
build {
  sources = ["source.null.x", "source.file.y"]
  provisioner "shell-local" {
    inline = ["sleep 0.3; echo one", "sleep 0.3 & sleep 0.2; wait"]
  }
  provisioner "shell-local" {
    inline = ["sleep 0.3"]
  }
}
"#;

#[test]
#[ignore = "long: cargo xtask soak kills"]
fn kills_at_any_moment_leave_nothing() {
    let mut rounds = Rounds::new("kills");
    while rounds.next() {
        let project = Project::with(TEMPLATE);
        let signal = ["INT", "TERM", "KILL"][rounds.below(3)];
        let delay = rounds.below(1500);
        let running = project.start(&["build", "template.pkr.hcl"]);
        std::thread::sleep(Duration::from_millis(delay as u64));
        running.signal(signal);
        let seen = running.finish();
        let told = format!("{signal} after {delay} ms: {seen:?}");
        let alive = || project.processes();
        wait_until("end of the children", || alive().is_empty(), || format!("{told}\n{:?}", alive()));
        project.kiln(&["cleanup"]).expect_code(0);
        let left: Vec<_> =
            std::fs::read_dir(project.path("tmp")).unwrap().flatten().map(|e| e.path()).collect();
        assert!(left.is_empty(), "{told}\ntemporary files are left: {left:?}");
        // A build that ended before the signal came keeps its artifact; no other may.
        let finished = seen.out.contains("y' finished") || seen.code == Some(0);
        assert!(finished || !project.path("made/by/file.txt").exists(), "{told}\n{:?}", project.files());
        let again = project.kiln(&["cleanup"]).expect_code(0);
        assert!(!again.out.contains("removed"), "{told}\nnot idempotent: {}", again.out);
    }
}

#[test]
#[ignore = "long: cargo xtask soak kills"]
fn kills_of_a_machine_at_any_moment_leave_nothing() {
    let mut rounds = Rounds::new("kills of a machine");
    let source = Guest::tiny().source("disk_compression = true");
    let template = format!(
        "{source}\nbuild {{\n  sources = [\"source.qemu.vm\"]\n  provisioner \"shell\" {{\n    inline = [\"sleep 1\"]\n  }}\n  \
         post-processor \"checksum\" {{\n    checksum_types = [\"sha256\"]\n  }}\n}}\n"
    );
    while rounds.next() {
        let project = Project::with(&template);
        let signal = ["INT", "TERM", "KILL"][rounds.below(3)];
        let delay = rounds.below(25_000);
        let running = project.start(&["build", "template.pkr.hcl"]);
        std::thread::sleep(Duration::from_millis(delay as u64));
        // A build that is faster than that has ended.
        let _ = running.try_signal(signal);
        let seen = running.finish();
        let told = format!("{signal} after {delay} ms: {seen:?}");
        let alive = || project.processes();
        wait_until("end of the children", || alive().is_empty(), || format!("{told}\n{:?}", alive()));
        project.kiln(&["cleanup"]).expect_code(0);
        let left: Vec<_> =
            std::fs::read_dir(project.path("tmp")).unwrap().flatten().map(|e| e.path()).collect();
        assert!(left.is_empty(), "{told}\ntemporary files are left: {left:?}");
        assert!(!project.path("output-vm/.kiln-incomplete").exists(), "{told}\n{:?}", project.files());
        let again = project.kiln(&["cleanup"]).expect_code(0);
        assert!(!again.out.contains("removed"), "{told}\nnot idempotent: {}", again.out);
    }
}
