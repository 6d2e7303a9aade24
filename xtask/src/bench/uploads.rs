//! Cases that copy files to an sshd on this computer: kiln and Packer through a null builder and the
//! file provisioner, OpenSSH in each of its own ways.

use super::measure;
use super::{Bar, Bench, Case, Contender, Series, find};
use crate::demo::hash;
use crate::launch::Launch;
use crate::machine::{die_with_us, free_port};
use anyhow::{Context, Result, bail, ensure};
use sha2::Sha256;
use std::fs::{self, File};
use std::io::Read;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

/// Bytes of the large file, where there is room for it twice in memory; else a quarter.
const LARGE: u64 = 256 << 20;
const SMALL_FILES: usize = 2000;

/// An sshd of its own for one case, with the folder that both ends use.
struct Server {
    child: Child,
    dir: PathBuf,
    port: u16,
    user: String,
}

/// One big file.
pub(crate) fn large(bench: &Bench) -> Result<Case<'_>> {
    let server = Rc::new(Server::start(bench)?);
    let size = if room(&server.dir)? > 3 * LARGE { LARGE } else { LARGE / 4 };
    let from = server.dir.join("large");
    let mut random = File::open("/dev/urandom")?.take(size);
    std::io::copy(&mut random, &mut File::create(&from)?)?;
    let to = server.dir.join("uploaded");
    let digest = hash::<Sha256>(File::open(&from)?)?;
    let check = move |to: &Path| -> Result<()> {
        ensure!(hash::<Sha256>(File::open(to)?)? == digest, "other bytes arrived at {}", to.display());
        fs::remove_file(to).context("removing what was uploaded")
    };
    let (source, destination) = (from.display().to_string(), to.display().to_string());
    let template = bench.template("upload.pkr.hcl", &server.template(&source, &destination))?;
    let tool = |launch: fn(&Bench) -> Launch| {
        let template = template.clone();
        move || launch(bench).args(["build"]).args([&template])
    };
    let ssh = Rc::clone(&server);
    let scp = |mode: &'static str| {
        let (server, source, destination) = (Rc::clone(&server), source.clone(), destination.clone());
        move || server.scp(&[mode], &source, &destination)
    };
    let cat = {
        let (source, destination) = (source.clone(), destination.clone());
        move || ssh.shell(&format!("cat > {destination}"), &format!("< {source}"))
    };
    Ok(Case {
        title: format!("a file of {} MiB of random bytes to a local sshd", size >> 20),
        rounds: 5,
        contenders: vec![
            upload(bench, "kiln", tool(Bench::kiln), to.clone(), check.clone()),
            upload(bench, "Packer", tool(Bench::packer), to.clone(), check.clone()),
            upload(bench, "scp -O", scp("-O"), to.clone(), check.clone()),
            upload(bench, "scp -s", scp("-s"), to.clone(), check.clone()),
            upload(bench, "ssh cat", cat, to, check.clone()),
        ],
        floor: None,
        bars: |series| bars(series, &["scp -O", "scp -s", "ssh cat"], 3.0),
    })
}

/// Many small files.
pub(crate) fn small(bench: &Bench) -> Result<Case<'_>> {
    let server = Rc::new(Server::start(bench)?);
    let from = server.dir.join("small");
    fs::create_dir_all(&from)?;
    for n in 0..SMALL_FILES {
        fs::write(from.join(format!("file-{n:04}")), vec![b'x'; 1024 + n * 3072 / SMALL_FILES])?;
    }
    let to = server.dir.join("uploaded");
    fs::create_dir_all(&to)?;
    let check = |to: &Path| -> Result<()> {
        let count = files_below(to);
        ensure!(count == SMALL_FILES, "{count} files of {SMALL_FILES} arrived");
        fs::remove_dir_all(to)?;
        fs::create_dir_all(to).context("removing what was uploaded")
    };
    let (source, destination) = (from.display().to_string(), to.display().to_string());
    let text = server.template(&format!("{source}/"), &format!("{destination}/"));
    let template = bench.template("upload-small.pkr.hcl", &text)?;
    let tool = |launch: fn(&Bench) -> Launch| {
        let template = template.clone();
        move || launch(bench).args(["build"]).args([&template])
    };
    let scp = |mode: &'static str| {
        let (server, source, destination) = (Rc::clone(&server), source.clone(), destination.clone());
        move || server.scp(&[mode, "-r"], &source, &destination)
    };
    let tar = {
        let (server, source, destination) = (Rc::clone(&server), source.clone(), destination.clone());
        move || {
            let ssh = server.ssh(&format!("tar -x -C {destination}"));
            Launch::new("bash").args(["-c", &format!("set -o pipefail; tar -c -C {source} . | {ssh}")])
        }
    };
    Ok(Case {
        title: "2,000 files of 1 to 4 KiB to a local sshd".to_owned(),
        rounds: 5,
        contenders: vec![
            upload(bench, "kiln", tool(Bench::kiln), to.clone(), check),
            upload(bench, "Packer", tool(Bench::packer), to.clone(), check),
            upload(bench, "tar \\| ssh tar", tar, to.clone(), check),
            upload(bench, "scp -O -r", scp("-O"), to.clone(), check),
            upload(bench, "scp -s -r", scp("-s"), to, check),
        ],
        floor: None,
        bars: |series| bars(series, &["tar \\| ssh tar"], 2.0),
    })
}

/// A contender that uploads; what arrived is checked and removed outside of the measured time.
fn upload<'a>(
    bench: &'a Bench,
    name: &'static str,
    launch: impl Fn() -> Launch + 'a,
    to: PathBuf,
    check: impl Fn(&Path) -> Result<()> + 'a,
) -> Contender<'a> {
    let run = move || {
        let sample = measure::run(launch(), &bench.work)?;
        check(&to)?;
        Ok(sample)
    };
    Contender { name, run: Box::new(run) }
}

fn bars(series: &[Series], rivals: &[&str], times: f64) -> Vec<Bar> {
    let best =
        rivals.iter().filter_map(|name| find(series, name)).map(Series::median).fold(f64::NAN, f64::min);
    let (Some(kiln), Some(packer)) = (find(series, "kiln"), find(series, "Packer")) else {
        return Vec::new();
    };
    vec![
        Bar::at_least("speed against the best of OpenSSH", 100.0 * best / kiln.median(), 95.0, " %"),
        Bar::at_least("times faster than Packer", packer.median() / kiln.median(), times, "x"),
    ]
}

fn files_below(dir: &Path) -> usize {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|entry| if entry.path().is_dir() { files_below(&entry.path()) } else { 1 }).sum()
}

/// Free bytes of the file system.
fn room(dir: &Path) -> Result<u64> {
    let text = Launch::new("df").args(["-B1", "--output=avail"]).args([dir]).output()?;
    text.lines().nth(1).and_then(|line| line.trim().parse().ok()).context("df")
}

impl Server {
    /// In memory where there is room, so that the disk is not what is measured.
    fn start(bench: &Bench) -> Result<Self> {
        let memory = Path::new("/dev/shm");
        let roomy = memory.is_dir() && room(memory)? > LARGE;
        let base = if roomy { memory.to_path_buf() } else { bench.work.clone() };
        let dir = base.join(format!("kiln-bench-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir)?;
        for name in ["host", "user"] {
            let file = dir.join(name);
            Launch::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .args([&file])
                .quiet()
                .run()?;
        }
        let port = free_port()?;
        let config = dir.join("sshd_config");
        let d = dir.display();
        fs::write(
            &config,
            format!(
                "Port {port}\nListenAddress 127.0.0.1\nHostKey {d}/host\nAuthorizedKeysFile {d}/user.pub\n\
                 PidFile none\nStrictModes no\nUsePAM no\nSubsystem sftp internal-sftp\n"
            ),
        )?;
        // sshd as root insists on its empty folder, which a service would have made.
        let _ = fs::create_dir_all("/run/sshd");
        let mut command = Launch::new("/usr/sbin/sshd").args(["-D", "-f"]).args([&config]).into_command();
        command.stdout(Stdio::null()).stderr(File::create(dir.join("sshd.log"))?);
        die_with_us(&mut command);
        let child = command.spawn().context("could not start sshd")?;
        let user = Launch::new("id").args(["-un"]).output()?.trim().to_owned();
        let server = Self { child, dir, port, user };
        server.wait()?;
        Ok(server)
    }

    fn wait(&self) -> Result<()> {
        let end = Instant::now() + Duration::from_secs(10);
        while Instant::now() < end {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(20));
        }
        bail!("sshd does not listen: {}", fs::read_to_string(self.dir.join("sshd.log")).unwrap_or_default())
    }

    /// A template that uploads one path.
    fn template(&self, source: &str, destination: &str) -> String {
        format!(
            r#"source "null" "up" {{
  communicator         = "ssh"
  ssh_host             = "127.0.0.1"
  ssh_port             = {}
  ssh_username         = "{}"
  ssh_private_key_file = "{}/user"
}}
build {{
  sources = ["source.null.up"]
  provisioner "file" {{
    source      = "{source}"
    destination = "{destination}"
  }}
}}
"#,
            self.port,
            self.user,
            self.dir.display()
        )
    }

    fn options(&self) -> String {
        let key = self.dir.join("user");
        format!(
            "-i {} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o BatchMode=yes",
            key.display()
        )
    }

    /// An ssh command line for a shell.
    fn ssh(&self, command: &str) -> String {
        format!("ssh {} -p {} {}@127.0.0.1 '{command}'", self.options(), self.port, self.user)
    }

    fn shell(&self, command: &str, redirect: &str) -> Launch {
        Launch::new("sh").args(["-c", &format!("{} {redirect}", self.ssh(command))])
    }

    fn scp(&self, modes: &[&str], source: &str, destination: &str) -> Launch {
        let options = self.options();
        Launch::new("scp")
            .args(options.split(' '))
            .args(["-q", "-P", &self.port.to_string()])
            .args(modes)
            .args([source, &format!("{}@127.0.0.1:{destination}", self.user)])
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.dir);
    }
}
