//! A real sshd on loopback that accepts one key, for builds without a machine.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A running sshd; it ends with the value.
pub struct Sshd {
    child: Child,
    dir: TempDir,
    /// Its port on 127.0.0.1.
    pub port: u16,
}

impl Sshd {
    /// Starts one.
    ///
    /// # Panics
    /// If OpenSSH's server is not installed; it says which package has it.
    pub fn start() -> Self {
        const SSHD: &str = "/usr/sbin/sshd";
        assert!(fs::metadata(SSHD).is_ok(), "{SSHD} is missing; run `apt-get install openssh-server`");
        let dir = TempDir::with_prefix("kiln-sshd-").unwrap();
        for name in ["host", "user"] {
            let done = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(dir.path().join(name))
                .status();
            assert!(done.unwrap().success());
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let at = |name: &str| dir.path().join(name).display().to_string();
        let config = format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile {}\nStrictModes no\n\
             UsePAM no\nPermitRootLogin yes\nPasswordAuthentication yes\nMaxStartups 100\nMaxSessions 100\n\
             Subsystem sftp internal-sftp\n",
            at("host"),
            at("user.pub"),
            at("pid")
        );
        fs::write(dir.path().join("config"), config).unwrap();
        let _ = fs::create_dir_all("/run/sshd");
        let child = Command::new(SSHD)
            .args(["-D", "-e", "-f", &at("config")])
            .stdin(Stdio::null())
            .stderr(fs::File::create(dir.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let sshd = Self { child, dir, port };
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let log = fs::read_to_string(sshd.dir.path().join("log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "sshd does not listen: {log}");
            std::thread::sleep(Duration::from_millis(20));
        }
        sshd
    }

    /// The private key that logs in.
    pub fn key(&self) -> PathBuf {
        self.dir.path().join("user")
    }

    /// A source of the null builder that logs in here.
    pub fn source(&self, name: &str) -> String {
        format!(
            "source \"null\" \"{name}\" {{\n  ssh_host = \"127.0.0.1\"\n  ssh_port = {}\n  ssh_username = \"{}\"\n  \
             ssh_private_key_file = \"{}\"\n}}\n",
            self.port,
            crate::user(),
            self.key().display()
        )
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
