//! A QEMU machine without a build tool: start it, wait for SSH, run commands, see it stop. Main
//! type: [`Machine`], used to check what a build made and as the floor of the benchmarks.
//!
//! The process dies with xtask, and its port is bound to loopback.

use crate::launch::Launch;
use anyhow::{Context, Result, bail};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A running machine; dropping it ends the process.
pub(crate) struct Machine {
    child: Child,
    dir: PathBuf,
    port: u16,
    login: Vec<String>,
}

/// What a machine is made of. Everything it writes is below `dir`.
pub(crate) struct Parts<'a> {
    pub(crate) dir: &'a Path,
    /// qcow2, written to.
    pub(crate) disk: &'a Path,
    pub(crate) cdrom: Option<&'a Path>,
    /// Private key of the user `kiln`.
    pub(crate) key: &'a Path,
}

impl Machine {
    /// Start QEMU; returns when the process runs, not when the guest does.
    pub(crate) fn start(parts: &Parts<'_>) -> Result<Self> {
        let port = free_port()?;
        let dir = parts.dir.to_path_buf();
        let drive =
            format!("file={},if=virtio,format=qcow2,cache=unsafe,discard=unmap", parts.disk.display());
        let net = format!("user,id=net,hostfwd=tcp:127.0.0.1:{port}-:22");
        let dump =
            format!("filter-dump,id=dump,netdev=net,maxlen=600,file={}", dir.join("packets").display());
        let mut launch = Launch::new("qemu-system-x86_64")
            .args(["-machine", "pc", "-accel", "tcg", "-m", "512", "-display", "none", "-vga", "std"])
            .args(["-drive", &drive, "-netdev", &net, "-device", "virtio-net,netdev=net", "-object", &dump])
            .arg_path("-serial", Path::new(&format!("file:{}", dir.join("serial").display())))
            .args(["-qmp", &format!("unix:{},server,nowait", dir.join("qmp").display())]);
        if let Some(cd) = parts.cdrom {
            launch = launch.arg_path("-cdrom", cd).args(["-boot", "once=d"]);
        }
        let log = File::create(dir.join("qemu.log"))?;
        let mut command = launch.into_command();
        command.stdout(Stdio::null()).stderr(log);
        die_with_us(&mut command);
        let child = command.spawn().context("could not start qemu-system-x86_64")?;
        let mut login = Vec::new();
        for option in [
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
            "LogLevel=ERROR",
            "BatchMode=yes",
            "ConnectTimeout=30",
        ] {
            login.extend(["-o".to_owned(), option.to_owned()]);
        }
        login.extend(["-i".to_owned(), parts.key.display().to_string()]);
        login.extend(["-o".to_owned(), format!("ControlPath={}", dir.join("mux").display())]);
        login.extend(["-p".to_owned(), port.to_string(), "kiln@127.0.0.1".to_owned()]);
        Ok(Self { child, dir, port, login })
    }

    /// Wait until sshd answers. QEMU's user network accepts a connection before the guest listens
    /// and repeats what is early only after seconds, so nobody calls before the guest has its lease.
    /// `leases` is how many the guest takes until then: one per boot with a network.
    pub(crate) fn wait_for_ssh(&mut self, leases: usize, limit: Duration) -> Result<()> {
        let end = Instant::now() + limit;
        let mut leased = false;
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait()? {
                bail!("the machine stopped ({status}) before SSH came up; {}", self.last_words());
            }
            leased = leased || self.leases() >= leases;
            if leased && self.banner() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(20));
        }
        bail!("no SSH after {} s; {}", limit.as_secs(), self.last_words())
    }

    /// How many DHCP ACKs (message type 5, RFC 2132 section 9.6) the packets so far hold.
    fn leases(&self) -> usize {
        let packets = std::fs::read(self.dir.join("packets")).unwrap_or_default();
        packets.windows(7).filter(|bytes| **bytes == [0x63, 0x82, 0x53, 0x63, 53, 1, 5]).count()
    }

    fn banner(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)) else { return false };
        let mut start = [0; 4];
        let _ = stream.set_read_timeout(Some(Duration::from_secs(3)));
        stream.read_exact(&mut start).is_ok() && &start == b"SSH-"
    }

    fn last_words(&self) -> String {
        let read = |name: &str| {
            let text = std::fs::read(self.dir.join(name)).unwrap_or_default();
            String::from_utf8_lossy(&text[text.len().saturating_sub(1500)..]).into_owned()
        };
        format!("serial console: {}\nqemu: {}", read("serial"), read("qemu.log"))
    }

    /// `ssh` with what it needs to log in.
    pub(crate) fn ssh(&self, command: &str) -> Launch {
        Launch::new("ssh").args(&self.login).args([command])
    }

    /// Keep one connection open for all that follows, as OpenSSH's ControlMaster does.
    pub(crate) fn log_in(&self) -> Result<()> {
        let master = ["-o", "ControlMaster=yes", "-o", "ControlPersist=60", "-f", "-N"];
        Launch::new("ssh").args(master).args(&self.login).quiet().run()
    }

    /// Send a command with a file as its stdin.
    pub(crate) fn pipe(&self, command: &str, file: &Path) -> Result<()> {
        let mut ssh = self.ssh(command).into_command();
        let status = ssh.stdin(File::open(file)?).status()?;
        if !status.success() {
            bail!("ssh {command}: {status}");
        }
        Ok(())
    }

    /// Type ASCII text at about 200 keys a second, and Enter.
    pub(crate) fn type_line(&self, text: &str) -> Result<()> {
        let socket = UnixStream::connect(self.dir.join("qmp")).context("QMP socket")?;
        socket.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut qmp = Qmp { reader: BufReader::new(socket.try_clone()?), socket };
        qmp.line()?;
        qmp.execute(r#"{"execute":"qmp_capabilities"}"#)?;
        for key in text.chars().chain(['\n']) {
            for down in [true, false] {
                let events = key_events(key, down)?;
                qmp.execute(&format!(
                    r#"{{"execute":"input-send-event","arguments":{{"events":[{events}]}}}}"#
                ))?;
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Wait until the process has ended by itself.
    pub(crate) fn wait_stopped(&mut self, limit: Duration) -> Result<()> {
        let end = Instant::now() + limit;
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait()? {
                if status.success() {
                    return Ok(());
                }
                bail!("qemu ended with {status}; {}", self.last_words());
            }
            thread::sleep(Duration::from_millis(10));
        }
        bail!("the machine did not power off within {} s", limit.as_secs())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One connection to QEMU's monitor: <https://www.qemu.org/docs/master/interop/qmp-spec.html>.
struct Qmp {
    socket: UnixStream,
    reader: BufReader<UnixStream>,
}

impl Qmp {
    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.reader.read_line(&mut line).context("QMP")?;
        Ok(line)
    }

    fn execute(&mut self, command: &str) -> Result<()> {
        writeln!(self.socket, "{command}")?;
        loop {
            let answer = self.line()?;
            if answer.contains("\"return\"") {
                return Ok(());
            }
            if answer.is_empty() || answer.contains("\"error\"") {
                bail!("QMP {command}: {answer}");
            }
        }
    }
}

/// The events of one key of a US keyboard, by the names of QEMU's `QKeyCode`.
fn key_events(key: char, down: bool) -> Result<String> {
    let (name, shift) = match key {
        'a'..='z' | '0'..='9' => (key.to_string(), false),
        'A'..='Z' => (key.to_ascii_lowercase().to_string(), true),
        ' ' => ("spc".to_owned(), false),
        '\n' => ("ret".to_owned(), false),
        '.' => ("dot".to_owned(), false),
        '/' => ("slash".to_owned(), false),
        '=' => ("equal".to_owned(), false),
        '-' => ("minus".to_owned(), false),
        ':' => ("semicolon".to_owned(), true),
        other => bail!("no key for {other:?}"),
    };
    let event = |code: &str| {
        format!(r#"{{"type":"key","data":{{"down":{down},"key":{{"type":"qcode","data":"{code}"}}}}}}"#)
    };
    Ok(match (shift, down) {
        (false, _) => event(&name),
        (true, true) => format!("{},{}", event("shift"), event(&name)),
        (true, false) => format!("{},{}", event(&name), event("shift")),
    })
}

/// A port of loopback that was free a moment ago.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Let the kernel end a child when the thread that starts it is gone; ours lives as long as xtask.
#[expect(unsafe_code, reason = "std has no way to run prctl in the child")]
pub(crate) fn die_with_us(command: &mut std::process::Command) {
    // SAFETY: prctl is async-signal-safe and touches only the new process.
    unsafe {
        command.pre_exec(|| {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            Ok(())
        });
    }
}
