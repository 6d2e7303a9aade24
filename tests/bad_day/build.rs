//! Days on which a build fails.

use kiln_tests::{Guest, Project, Sshd};
use std::process::Command;

/// A build of `source` with `body` in its build block.
fn project(source: &str, reference: &str, body: &str) -> Project {
    Project::with(&format!("{source}\nbuild {{\n  sources = [\"{reference}\"]\n{body}\n}}\n"))
}

#[track_caller]
fn nothing_left(project: &Project, output: &str) {
    assert!(!project.path(output).exists(), "{output} is left: {:?}", project.files());
    assert_eq!(project.processes(), Vec::<String>::new());
    let runs = project.kiln(&["cleanup"]).expect_code(0);
    assert!(!runs.out.contains("removed"), "something was left to clean up: {}", runs.out);
}

#[test]
fn bad_day_provisioner_exits_3() {
    let sshd = Sshd::start();
    let project = project(
        &sshd.source("x"),
        "source.null.x",
        "  provisioner \"shell\" {\n    inline = [\"echo before\", \"exit 3\", \"echo after\"]\n  }",
    );
    let seen = project.build(&[]).expect_code(1);
    seen.expect(&["null.x: before", "3", "template.pkr.hcl:11"]).expect_not("null.x: after");
}

#[test]
fn bad_day_wrong_password() {
    let sshd = Sshd::start();
    let source = format!(
        "source \"null\" \"x\" {{\n  ssh_host = \"127.0.0.1\"\n  ssh_port = {}\n  ssh_username = \"{}\"\n  ssh_password = \"surely-not\"\n}}",
        sshd.port,
        kiln_tests::user()
    );
    let project =
        project(&source, "source.null.x", "  provisioner \"shell\" {\n    inline = [\"true\"]\n  }");
    let begun = std::time::Instant::now();
    let seen = project.build(&[]).expect_code(1);
    seen.expect(&["password"]).expect_not("surely-not");
    // Not the five minutes of ssh_timeout: a refusal is an answer.
    assert!(begun.elapsed().as_secs() < 100, "took {:?}", begun.elapsed());
}

#[test]
fn bad_day_secret_with_a_quote() {
    let sshd = Sshd::start();
    let project = project(
        &format!("variable \"secret\" {{\n  type = string\n  sensitive = true\n}}\n{}", sshd.source("x")),
        "source.null.x",
        "  provisioner \"shell\" {\n    environment_vars = [\"TOKEN=${var.secret}\"]\n    \
         inline = [\"printf %s \\\"$TOKEN\\\" | sha256sum\", \"echo it is $TOKEN\"]\n  }",
    );
    let secret = "it's a \"quoted\" $ecret; `id` \\";
    let digest = {
        use std::io::Write;
        let mut child = Command::new("sha256sum")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(secret.as_bytes()).unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
    };
    let assignment = format!("secret={secret}");
    let seen = project.build(&["-var", &assignment]).expect_code(0);
    seen.expect(&[digest.split(' ').next().unwrap(), "it is <sensitive>"]).expect_not("$ecret;");
}

#[test]
fn bad_day_checksum_mismatch() {
    let project = project(
        "source \"qemu\" \"vm\" {\n  iso_url = \"disk.img\"\n  iso_checksum = \"sha256:0000000000000000000000000000000000000000000000000000000000000000\"\n  \
         disk_image = true\n  headless = true\n  ssh_username = \"x\"\n  ssh_password = \"x\"\n}",
        "source.qemu.vm",
        "",
    );
    project.write("disk.img", &"x".repeat(4096));
    let seen = project.build(&[]).expect_code(1);
    seen.expect(&["checksum", "disk.img", "template.pkr.hcl:"]);
    assert_eq!(project.read("disk.img").len(), 4096, "the user's own file was touched");
    nothing_left(&project, "output-vm");
}

#[test]
fn bad_day_output_directory_exists() {
    let project = project(
        "source \"qemu\" \"vm\" {\n  iso_url = \"disk.img\"\n  iso_checksum = \"none\"\n  disk_image = true\n  \
         headless = true\n  ssh_username = \"x\"\n  ssh_password = \"x\"\n}",
        "source.qemu.vm",
        "",
    );
    project.write("disk.img", "x");
    project.write("output-vm/precious", "mine");
    let seen = project.build(&[]).expect_code(1);
    seen.expect(&["output-vm", "-force"]);
    assert_eq!(project.read("output-vm/precious"), "mine");
}

/// A build whose output is on a file system of so many megabytes, in a user and mount namespace of
/// its own.
fn on_a_small_disk(megabytes: u32, more: &str, body: &str) -> kiln_tests::Finished {
    let source = Guest::tiny().source(&format!("output_directory = \"full/output\"\n  {more}"));
    let project = project(&source, "source.qemu.vm", body);
    std::fs::create_dir(project.path("full")).unwrap();
    let kiln = project.command(&[]).get_program().to_owned();
    let mut command = Command::new("unshare");
    project.prepare(&mut command);
    let mount = format!("mount -t tmpfs -o size={megabytes}m tmpfs full");
    let words = format!("{mount} && \"$0\" build template.pkr.hcl; code=$?; ls full; exit $code");
    command.args(["-rm", "sh", "-c", &words]);
    command.arg(kiln);
    let seen = kiln_tests::Running::start(command).finish().expect_code(1);
    assert!(!seen.out.ends_with("output\n"), "the output directory is left: {}", seen.out);
    seen
}

#[test]
fn bad_day_disk_full_in_output() {
    let seen = on_a_small_disk(1, "skip_compaction = true", "");
    let text = format!("{}{}", seen.out, seen.err).to_lowercase();
    assert!(text.contains("no space left") || text.contains("disk is full"), "{text}");
}

/// The image fits, but not what the guest writes: QEMU would hold the machine still for ever.
#[test]
fn bad_day_disk_full_while_the_guest_runs() {
    let size = std::fs::metadata(Guest::tiny().disk).unwrap().len().div_ceil(1 << 20) + 8;
    let seen = on_a_small_disk(
        size.try_into().unwrap(),
        "disk_size = \"1G\"\n  skip_compaction = true",
        "  provisioner \"shell\" {\n    inline = [\"sudo dd if=/dev/urandom of=/dev/vda bs=1M count=64 seek=300 conv=fsync\"]\n  }",
    );
    seen.expect(&["the disk is full", "KiB are free for", "full/output", "template.pkr.hcl"]);
}

#[test]
fn bad_day_sshd_never_comes_up() {
    // An empty disk: the firmware finds nothing to boot and says so on the screen.
    let project = project(
        "source \"qemu\" \"vm\" {\n  iso_url = \"disk.img\"\n  iso_checksum = \"none\"\n  disk_image = true\n  format = \"raw\"\n  \
         accelerator = \"tcg\"\n  headless = true\n  ssh_username = \"x\"\n  ssh_password = \"x\"\n  ssh_timeout = \"12s\"\n}",
        "source.qemu.vm",
        "  provisioner \"shell\" {\n    inline = [\"true\"]\n  }",
    );
    project.write("disk.img", &"\0".repeat(1 << 20));
    let seen = project.build(&[]).expect_code(1);
    let text = seen.out.clone();
    seen.expect(&["SSH", "screen", "serial", "banner"]);
    let shot = text.split_whitespace().find(|word| word.trim_end_matches([',', '.', ')']).ends_with(".png"));
    let shot = shot
        .unwrap_or_else(|| panic!("no screenshot named in\n{text}"))
        .trim_matches(['`', ',', '.', ')', '(']);
    let png = std::fs::read(project.path(shot)).unwrap_or_else(|e| panic!("{shot}: {e}"));
    assert!(png.starts_with(b"\x89PNG"), "{shot} is no PNG");
    nothing_left(&project, "output-vm");
}

#[test]
fn bad_day_vm_dies_in_the_middle() {
    let guest = Guest::tiny();
    let project = project(
        &guest.source(""),
        "source.qemu.vm",
        "  provisioner \"shell\" {\n    inline = [\"echo provisioning-now\", \"sleep 60\"]\n  }",
    );
    let running = project.start(&["build", "template.pkr.hcl"]);
    running.wait_for("provisioning-now");
    let qemu = project.processes().into_iter().find(|p| p.contains("qemu-system")).expect("a running QEMU");
    let pid = qemu.split(':').next().unwrap().to_owned();
    assert!(Command::new("kill").args(["-9", &pid]).status().unwrap().success());
    let begun = std::time::Instant::now();
    let seen = running.finish().expect_code(1);
    assert!(begun.elapsed().as_secs() < 45, "noticed only after {:?}", begun.elapsed());
    let text = seen.out.to_lowercase();
    assert!(text.contains("machine") || text.contains("qemu") || text.contains("connection"), "{text}");
    nothing_left(&project, "output-vm");
}

#[test]
fn bad_day_guest_reboots_in_a_script() {
    let guest = Guest::tiny();
    let project = project(
        &guest.source(""),
        "source.qemu.vm",
        "  provisioner \"shell\" {\n    expect_disconnect = true\n    inline = [\"cat /proc/sys/kernel/random/boot_id\", \"sudo reboot\", \"sleep 30\"]\n  }\n  \
         provisioner \"shell\" {\n    inline = [\"echo after-the-reboot\", \"cat /proc/sys/kernel/random/boot_id\"]\n  }",
    );
    let seen = project.build(&[]).expect_code(0).expect(&["after-the-reboot"]);
    let ids: Vec<&str> = seen
        .out
        .lines()
        .filter_map(|line| line.split_whitespace().last())
        .filter(|word| word.len() == 36 && word.matches('-').count() == 4)
        .collect();
    assert_eq!(ids.len(), 2, "{}", seen.out);
    assert_ne!(ids[0], ids[1], "the guest did not reboot");
}
