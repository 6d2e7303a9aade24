//! Cases with a machine, and their floors: the same work by QEMU, OpenSSH and qemu-img alone.

use super::measure::{self, Sample};
use super::{Bar, Bench, Case, Contender, Series, find, idle, median};
use crate::demo;
use crate::guest::{self, Guest};
use crate::launch::Launch;
use crate::machine::{Machine, Parts};
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::thread;
use std::time::Duration;

/// Longer than any build of these cases takes.
const LIMIT: Duration = Duration::from_secs(300);
const NONCE: &str = "0123456789abcdef";

/// examples/demo: an image is booted, changed over SSH, and recorded.
pub(crate) fn disk(bench: &Bench) -> Result<Case<'_>> {
    let guest = Rc::new(guest::make(&bench.tree, &guest::TINY)?);
    let contenders = contenders(bench, &guest, "disk", disk_arguments, disk_floor);
    Ok(Case {
        title: "`examples/demo`: a disk image is booted, provisioned, shut down, checksummed and compressed"
            .to_owned(),
        rounds: 5,
        contenders,
        floor: Some("floor"),
        bars: |series| {
            let Some((kiln, packer)) = over_floor(series) else { return Vec::new() };
            vec![
                Bar::at_most("kiln minus floor", kiln, 1.0, "s"),
                Bar::at_most("the same as a part of Packer minus floor", kiln / packer, 0.25, "of it"),
                idle_bar(series),
            ]
        },
    })
}

/// examples/iso: 150 characters are typed at a boot prompt, and a system is installed.
pub(crate) fn iso(bench: &Bench) -> Result<Case<'_>> {
    let guest = Rc::new(guest::make(&bench.tree, &guest::TINY)?);
    let contenders = contenders(bench, &guest, "iso", iso_arguments, iso_floor);
    Ok(Case {
        title: "`examples/iso`: a boot command of 150 characters, an installation with answers over HTTP"
            .to_owned(),
        rounds: 3,
        contenders,
        floor: Some("floor"),
        bars: |series| {
            let Some((kiln, _)) = over_floor(series) else { return Vec::new() };
            vec![Bar::at_most("kiln minus floor", kiln, 2.0, "s"), idle_bar(series)]
        },
    })
}

/// How much of kiln's build nothing worked.
fn idle_bar(series: &[Series]) -> Bar {
    let share =
        find(series, "kiln").map_or(f64::NAN, |kiln| median(kiln.samples.iter().map(|s| s.idle).collect()));
    Bar::at_most("neither guest nor tool works", share * 100.0, 3.0, "% of the build")
}

/// The medians of kiln minus floor and Packer minus floor.
fn over_floor(series: &[Series]) -> Option<(f64, f64)> {
    let floor = find(series, "floor")?;
    Some((median(find(series, "kiln")?.minus(floor)), median(find(series, "Packer")?.minus(floor))))
}

type Arguments = fn(&Bench, &Guest, &Path) -> Vec<String>;
type Floor = fn(&Bench, &Guest, &Path) -> Result<()>;

/// The two tools and the floor, each with a folder that is new for every run.
fn contenders<'a>(
    bench: &'a Bench,
    guest: &Rc<Guest>,
    name: &'static str,
    arguments: Arguments,
    floor: Floor,
) -> Vec<Contender<'a>> {
    let build = |launch: fn(&Bench) -> Launch, flag: &'static str| {
        let guest = Rc::clone(guest);
        move || {
            let work = fresh(&bench.work, name)?;
            let build = launch(bench).args(["build", flag]).args(arguments(bench, &guest, &work));
            measure::run(build.dir(&bench.tree.root), &bench.work)
        }
    };
    let logged = build(Bench::kiln, "--log-format=json");
    let kiln = move || {
        let sample = logged()?;
        Ok(Sample { idle: idle::share(&measure::log(&bench.work))?, ..sample })
    };
    let kiln = Contender { name: "kiln", run: Box::new(kiln) };
    let packer = Contender { name: "Packer", run: Box::new(build(Bench::packer, "-color=false")) };
    let guest = Rc::clone(guest);
    let run = move || {
        let work = fresh(&bench.work, name)?;
        Sample::timed(|| floor(bench, &guest, &work))
    };
    vec![kiln, packer, Contender { name: "floor", run: Box::new(run) }]
}

fn fresh(work: &Path, name: &str) -> Result<PathBuf> {
    let dir = work.join(name);
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir)?;
    fs::write(dir.join("nonce-file"), format!("{NONCE}-file\n"))?;
    Ok(dir)
}

fn disk_arguments(_: &Bench, guest: &Guest, work: &Path) -> Vec<String> {
    let mut arguments = demo::arguments(guest, work, NONCE);
    arguments.push("examples/demo".to_owned());
    arguments
}

fn iso_arguments(_: &Bench, guest: &Guest, work: &Path) -> Vec<String> {
    vec![
        "-var".to_owned(),
        format!("iso={}", guest.disk.with_extension("iso").display()),
        "-var".to_owned(),
        format!("out={}", work.join("image").display()),
        "examples/iso".to_owned(),
    ]
}

fn disk_floor(bench: &Bench, guest: &Guest, work: &Path) -> Result<()> {
    let disk = work.join("disk.qcow2");
    image(&["create", "-q", "-f", "qcow2", "-F", "qcow2", "-b"], &[&guest.disk.canonicalize()?, &disk])?;
    let mut machine = Machine::start(&Parts { dir: work, disk: &disk, cdrom: None, key: &guest.key })?;
    machine.wait_for_ssh(1, LIMIT)?;
    machine.log_in()?;
    machine.pipe("cat > nonce-file", &work.join("nonce-file"))?;
    machine.ssh(&format!("echo {NONCE}-shell > nonce-shell")).quiet().run()?;
    let script = format!("cat > s; chmod +x s; sudo env NONCE={NONCE} ./s; rm -f s");
    machine.pipe(&script, &bench.tree.root.join("examples/demo/setup.sh"))?;
    fs::write(work.join("nonce-shell-local"), format!("{NONCE}-shell-local\n"))?;
    machine.pipe("cat > nonce-shell-local", &work.join("nonce-shell-local"))?;
    power_off(&mut machine)?;
    let result = work.join("demo.qcow2");
    image(&["convert", "-W", "-m", "16", "-O", "qcow2"], &[&disk, &result])?;
    let record = "sha256sum demo.qcow2 > demo.sha256 & sha512sum demo.qcow2 > demo.sha512 & \
        tar -c demo.qcow2 | pigz -1 -p 2 > demo.tar.gz; wait";
    Launch::new("sh").args(["-c", record]).dir(work).quiet().run()
}

fn iso_floor(bench: &Bench, guest: &Guest, work: &Path) -> Result<()> {
    let answers = fs::read(bench.tree.root.join("examples/iso/http/answers"))?;
    let port = serve(answers)?;
    let disk = work.join("disk.qcow2");
    image(&["create", "-q", "-f", "qcow2"], &[&disk, Path::new("512M")])?;
    let iso = guest.disk.with_extension("iso");
    let parts = Parts { dir: work, disk: &disk, cdrom: Some(&iso), key: &guest.key };
    let mut machine = Machine::start(&parts)?;
    // The prompt is there after 1.2 s; what is typed earlier is lost in the firmware.
    thread::sleep(Duration::from_millis(1800));
    machine.type_line(&boot_line(bench, port)?)?;
    // One lease for the installer, one for what it installed.
    machine.wait_for_ssh(2, LIMIT)?;
    machine.log_in()?;
    let check = "grep -q installed-by-iso /etc/installed && test $(hostname) = installed";
    machine.ssh(check).quiet().run()?;
    power_off(&mut machine)?;
    image(&["convert", "-W", "-m", "16", "-O", "qcow2"], &[&disk, &work.join("installed.qcow2")])
}

/// What examples/iso types, with the address of our server.
fn boot_line(bench: &Bench, port: u16) -> Result<String> {
    let template = fs::read_to_string(bench.tree.root.join("examples/iso/iso.pkr.hcl"))?;
    let line = template.lines().find(|line| line.trim_start().starts_with("boot_command"));
    let text = line.and_then(|line| line.split('"').nth(1)).context("examples/iso has no boot_command")?;
    let text = text.replace("{{ .HTTPIP }}", "10.0.2.2").replace("{{ .HTTPPort }}", &port.to_string());
    let text = text.strip_suffix("<enter>").context("the boot_command of examples/iso has no <enter>")?;
    ensure!(!text.contains(['{', '<']), "the boot_command of examples/iso needs more than typing: {text}");
    Ok(text.to_owned())
}

/// Answer every HTTP request on a port of loopback with the same bytes, until xtask ends.
fn serve(body: Vec<u8>) -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let head = format!("HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
        }
    });
    Ok(port)
}

fn power_off(machine: &mut Machine) -> Result<()> {
    // The connection may end before the exit code arrives.
    let _ = machine.ssh("sudo poweroff").output();
    machine.wait_stopped(LIMIT)
}

fn image(arguments: &[&str], files: &[&Path]) -> Result<()> {
    let status = Launch::new("qemu-img")
        .args(arguments)
        .args(files)
        .into_command()
        .stdout(std::process::Stdio::null())
        .status()?;
    if !status.success() {
        bail!("qemu-img {}: {status}", arguments.join(" "));
    }
    Ok(())
}
