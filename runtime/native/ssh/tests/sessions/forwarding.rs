use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use kiln_ssh::{
    Bastion, Dialer, Dialling, Error, ExecOptions, HostKeyPolicy, Login, Proxy, Session, TcpDialer, Tunnel,
    connect,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::server::{Server, free_port, user};

async fn output(session: &Session, command: &str) -> String {
    let finished = session.exec(command, ExecOptions::default()).await.unwrap().collect(9999).await.unwrap();
    String::from_utf8(finished.stdout).unwrap()
}

/// Remembers where it was asked to connect.
#[derive(Default)]
struct Noting(std::sync::Mutex<Vec<u16>>);

impl Dialer for Noting {
    fn dial(&self, host: &str, port: u16) -> Dialling {
        self.0.lock().unwrap().push(port);
        TcpDialer.dial(host, port)
    }
}

#[tokio::test]
async fn through_a_bastion_with_its_own_login() {
    let (bastion, target) = (Server::sshd(""), Server::sshd(""));
    let mut options = target.options();
    let noting = Arc::new(Noting::default());
    options.dialer = Arc::clone(&noting) as Arc<dyn Dialer>;
    options.bastion = Some(Bastion {
        host: "127.0.0.1".into(),
        port: bastion.port,
        login: Login::key(user(), bastion.key.private.clone()),
        host_key: HostKeyPolicy::TrustOnFirstUse,
    });
    let session = connect(options.clone()).await.unwrap();
    let seen = output(&session, "echo $SSH_CONNECTION").await;
    assert!(seen.trim().ends_with(&target.port.to_string()), "{seen}");
    assert_eq!(*noting.0.lock().unwrap(), [bastion.port], "only the bastion is dialled from here");
    options.bastion.as_mut().unwrap().login = Login::key(user(), target.key.private.clone());
    let error = connect(options).await.unwrap_err();
    assert!(matches!(error, Error::Authentication(_)), "{error}");
    assert!(error.to_string().contains(&bastion.port.to_string()), "{error}");
}

#[tokio::test]
async fn a_bastion_that_cannot_reach_the_machine_says_so() {
    let bastion = Server::sshd("");
    let mut options = bastion.options();
    options.port = free_port();
    options.timeouts.total = Duration::from_millis(700);
    options.bastion = Some(Bastion {
        host: "127.0.0.1".into(),
        port: bastion.port,
        login: options.login.clone(),
        host_key: HostKeyPolicy::TrustOnFirstUse,
    });
    let error = connect(options).await.unwrap_err();
    assert!(error.to_string().contains("the bastion could not connect"), "{error}");
}

/// A SOCKS5 server that takes one user, for one connection at a time.
async fn socks(listener: TcpListener, served: Arc<AtomicUsize>) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let served = Arc::clone(&served);
        tokio::spawn(async move {
            let mut hello = [0; 4];
            stream.read_exact(&mut hello).await?;
            assert_eq!(hello, [5, 2, 0, 2]);
            stream.write_all(&[5, 2]).await?;
            let mut login = [0; 11];
            stream.read_exact(&mut login).await?;
            if &login != b"\x01\x04user\x04pass" {
                return stream.write_all(&[1, 1]).await;
            }
            stream.write_all(&[1, 0]).await?;
            let mut request = [0; 10];
            stream.read_exact(&mut request).await?;
            assert_eq!(request[..8], [5, 1, 0, 1, 127, 0, 0, 1]);
            let mut target =
                TcpStream::connect(("127.0.0.1", u16::from_be_bytes([request[8], request[9]]))).await?;
            stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
            served.fetch_add(1, Ordering::SeqCst);
            tokio::io::copy_bidirectional(&mut stream, &mut target).await.map(|_| ())
        });
    }
}

#[tokio::test]
async fn through_a_socks_proxy() {
    let server = Server::sshd("");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = Arc::new(AtomicUsize::new(0));
    tokio::spawn(socks(listener, Arc::clone(&served)));
    let mut options = server.options();
    let proxy = |password: &str| Proxy {
        host: "127.0.0.1".into(),
        port,
        login: Some(("user".into(), password.into())),
    };
    options.proxy = Some(proxy("pass"));
    let session = connect(options.clone()).await.unwrap();
    assert_eq!(output(&session, "echo through").await, "through\n");
    assert_eq!(served.load(Ordering::SeqCst), 1);
    options.proxy = Some(proxy("evil"));
    let error = connect(options).await.unwrap_err();
    assert!(error.to_string().contains("refused the user name"), "{error}");
}

async fn answer_once(listener: TcpListener, answer: &'static [u8]) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let mut question = [0; 4];
        stream.read_exact(&mut question).await.unwrap();
        assert_eq!(&question, b"ping");
        stream.write_all(answer).await.unwrap();
    }
}

async fn ask(port: u16) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(b"ping").await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn tunnels_both_ways_and_after_a_reconnection() {
    let server = Server::sshd("");
    let service = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = service.local_addr().unwrap().port();
    tokio::spawn(answer_once(service, b"pong"));
    let (local, remote) = (free_port(), free_port());
    let mut options = server.options();
    options.local_tunnels = vec![format!("{local}:127.0.0.1:{target}").parse().unwrap()];
    options.remote_tunnels = vec![format!("{remote}:127.0.0.1:{target}").parse().unwrap()];
    let session = connect(options).await.unwrap();
    assert_eq!(ask(local).await, b"pong");
    assert_eq!(ask(remote).await, b"pong");
    session.reconnect(Duration::from_secs(10), kiln_ssh::HostKeyChange::Refuse).await.unwrap();
    assert_eq!(ask(local).await, b"pong");
    assert_eq!(ask(remote).await, b"pong");
    session.close().await;
    drop(session);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(TcpStream::connect(("127.0.0.1", local)).await.is_err(), "the listener ends with the session");
}

#[test]
fn tunnels_are_read() {
    let tunnel: Tunnel = "8080:example.org:80".parse().unwrap();
    assert_eq!((tunnel.listen, tunnel.host.as_str(), tunnel.port), (8080, "example.org", 80));
    let tunnel: Tunnel = "8080:[::1]:80".parse().unwrap();
    assert_eq!(tunnel.host, "::1");
    for bad in ["", "80", "80:host", "x:host:80", "80::80", "80:host:0", "80:host:99999"] {
        assert!(bad.parse::<Tunnel>().is_err(), "{bad}");
    }
}

/// A real agent holding one key, gone with its handle.
struct Agent(std::process::Child, std::path::PathBuf);

impl Agent {
    fn with(server: &Server) -> Self {
        let socket = server.path("agent");
        let child = std::process::Command::new("ssh-agent")
            .args(["-D", "-a"])
            .arg(&socket)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let agent = Self(child, socket);
        let limit = std::time::Instant::now() + Duration::from_secs(5);
        while !agent.1.exists() {
            assert!(std::time::Instant::now() < limit, "ssh-agent did not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        let key = server.path("key");
        std::fs::write(&key, &server.key.private).unwrap();
        std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let added = std::process::Command::new("ssh-add")
            .arg("-q")
            .arg(&key)
            .env("SSH_AUTH_SOCK", &agent.1)
            .status()
            .unwrap();
        assert!(added.success());
        agent
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_logs_in_and_is_forwarded_only_when_asked() {
    let server = Server::sshd("");
    let agent = Agent::with(&server);
    let mut options = server.options();
    options.login = Login { user: user(), agent: Some(agent.1.clone()), ..Login::default() };
    let session = connect(options.clone()).await.unwrap();
    assert_eq!(output(&session, "echo \"[$SSH_AUTH_SOCK]\"").await, "[]\n");
    options.forward_agent = Some(agent.1.clone());
    let session = connect(options).await.unwrap();
    let listed = output(&session, "ssh-add -L").await;
    assert!(listed.starts_with("ssh-ed25519 "), "{listed}");
    let mut options = server.options();
    options.login = Login { user: user(), agent: Some("/nonexistent".into()), ..Login::default() };
    let error = connect(options).await.unwrap_err();
    assert!(error.to_string().contains("agent (not usable"), "{error}");
}

/// A port that is opened while the session lives, and closes with it.
#[tokio::test]
async fn a_port_leads_into_the_machine_as_long_as_the_session_lives() {
    let server = Server::sshd("");
    let inside = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let there = inside.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = inside.accept().await {
            stream.write_all(b"inside").await.unwrap();
        }
    });
    let session = server.session().await;
    let port = session.forward("127.0.0.1", there).await.unwrap();
    let other = session.forward("127.0.0.1", there).await.unwrap();
    assert_ne!(port, other);
    for port in [port, other] {
        let mut text = String::new();
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "inside");
    }
    session.close().await;
    let closed = async {
        while TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), closed).await.unwrap();
}
