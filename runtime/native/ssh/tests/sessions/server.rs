//! Real SSH servers for tests, gone with their handle.

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use kiln_ssh::{ConnectOptions, KeyKind, KeyPair, Login, Session, connect};

pub(crate) struct Server {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) port: u16,
    pub(crate) key: KeyPair,
    child: Option<Child>,
    extra: String,
    dropbear: bool,
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn program(path: &str, package: &str) -> PathBuf {
    assert!(Path::new(path).exists(), "{path} is missing: apt-get install {package}");
    path.into()
}

pub(crate) fn user() -> String {
    let id = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(id.stdout).unwrap().trim().to_owned()
}

fn private(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

impl Server {
    /// sshd with more lines of configuration.
    pub(crate) fn sshd(extra: &str) -> Self {
        let server = Self::prepare(extra, false);
        server.write_config();
        server.started()
    }

    /// Dropbear, which has scp but no SFTP server.
    pub(crate) fn dropbear() -> Self {
        Self::prepare("", true).started()
    }

    fn prepare(extra: &str, dropbear: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = KeyPair::generate(KeyKind::Ed25519, "test").unwrap();
        let server = Self { dir, port: free_port(), key, child: None, extra: extra.into(), dropbear };
        server.new_host_key();
        std::fs::write(server.path("authorized"), format!("{}\n", server.key.public)).unwrap();
        server
    }

    fn started(mut self) -> Self {
        self.start();
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn new_host_key(&self) {
        private(&self.path("host"), &KeyPair::generate(KeyKind::Ed25519, "host").unwrap().private);
    }

    /// `SHLVL` keeps bash from reading the start files of whoever runs the tests, which may take seconds.
    fn write_config(&self) {
        let dir = self.dir.path().display();
        let config = format!(
            "Port {}\nListenAddress 127.0.0.1\nHostKey {dir}/host\nAuthorizedKeysFile {dir}/authorized\n\
             PidFile none\nUsePAM no\nStrictModes no\nPermitRootLogin yes\nMaxStartups 200\n\
             Subsystem sftp internal-sftp\nSetEnv SHLVL=5\n{}\n",
            self.port, self.extra
        );
        std::fs::write(self.path("sshd_config"), config).unwrap();
    }

    pub(crate) fn start(&mut self) {
        let mut command = if self.dropbear { self.dropbear_command() } else { self.sshd_command() };
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(command.spawn().unwrap());
        let limit = Instant::now() + Duration::from_secs(10);
        while !self.greets() {
            assert!(Instant::now() < limit, "the SSH server did not start");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn sshd_command(&self) -> Command {
        let _ = std::fs::create_dir_all("/run/sshd");
        let mut command = Command::new(program("/usr/sbin/sshd", "openssh-server"));
        command.args(["-D", "-e", "-f"]).arg(self.path("sshd_config"));
        command
    }

    /// Dropbear reads keys from the home directory only, so it gets one of its own, in a mount namespace of its own, where
    /// OpenSSH's SFTP server is hidden.
    fn dropbear_command(&self) -> Command {
        use std::os::unix::fs::PermissionsExt;
        let keys = self.path("home/.ssh");
        std::fs::create_dir_all(&keys).unwrap();
        std::fs::copy(self.path("authorized"), keys.join("authorized_keys")).unwrap();
        for (path, mode) in
            [(keys.clone(), 0o700), (self.path("home"), 0o700), (keys.join("authorized_keys"), 0o600)]
        {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        let _ = std::fs::remove_file(self.path("dropbear-host"));
        let made = Command::new(program("/usr/bin/dropbearkey", "dropbear-bin"))
            .args(["-t", "ed25519", "-f"])
            .arg(self.path("dropbear-host"))
            .output()
            .unwrap();
        assert!(made.status.success());
        let dropbear = program("/usr/sbin/dropbear", "dropbear-bin");
        let script = format!(
            "mount --bind {dir}/home ~{user} && \
             if test -e /usr/lib/sftp-server; then mount --bind /dev/null /usr/lib/sftp-server; fi && exec {dropbear} -F -E -s -p 127.0.0.1:{port} -r {dir}/dropbear-host \
             -P {dir}/dropbear.pid",
            dir = self.dir.path().display(),
            user = user(),
            dropbear = dropbear.display(),
            port = self.port,
        );
        let mut command = Command::new(program("/usr/bin/unshare", "util-linux"));
        command.arg("--mount");
        if user() != "root" {
            command.arg("--map-root-user");
        }
        command.args(["sh", "-c", &script]);
        command
    }

    fn greets(&self) -> bool {
        TcpStream::connect(("127.0.0.1", self.port)).is_ok_and(|stream| {
            let mut line = String::new();
            stream.set_read_timeout(Some(Duration::from_secs(1))).is_ok()
                && BufReader::new(stream).read_line(&mut line).is_ok()
                && line.starts_with("SSH-")
        })
    }

    /// Kills the listener; connections that it has accepted live on in children of their own.
    pub(crate) fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    pub(crate) fn options(&self) -> ConnectOptions {
        let mut options =
            ConnectOptions::new("127.0.0.1", self.port, Login::key(user(), self.key.private.clone()));
        options.timeouts.total = Duration::from_secs(20);
        options.timeouts.auth_retry = Duration::from_millis(50);
        options.handshake_attempts = 2;
        options
    }

    pub(crate) async fn session(&self) -> Session {
        connect(self.options()).await.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}
