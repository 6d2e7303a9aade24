//! Measures one transfer: `throughput HOST PORT USER KEY-FILE MODE SIZE [REMOTE] [CIPHER]` prints seconds.
//!
//! MODE is `up-` or `down-` with `auto`, `sftp`, `scp` or `cat` (SIZE in MiB), `tree-` with `auto`, `sftp`, `scp` or `tar`
//! (SIZE in files of 1 to 4 KiB), or `exec` (SIZE commands, one after the other). Connecting and making the content are
//! part of no measurement; with `total` as the last word, connecting is.

use std::io::Write;
use std::time::Instant;

use kiln_ssh::{
    ConnectOptions, ExecOptions, FileSource, HostKeyPolicy, Login, Method, TransferOptions, connect,
};

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let total = args.last().is_some_and(|word| word == "total");
    if total {
        args.pop();
    }
    let [host, port, user, key, mode, size, rest @ ..] = args.as_slice() else {
        return Err("usage: throughput HOST PORT USER KEY-FILE MODE SIZE [REMOTE] [CIPHER] [total]".into());
    };
    let size: u64 = size.parse()?;
    let remote = rest.first().map_or("/dev/shm/kiln-throughput", String::as_str);
    #[expect(clippy::disallowed_methods, reason = "a measuring program that is given a path")]
    let mut options =
        ConnectOptions::new(host, port.parse()?, Login::key(user, std::fs::read_to_string(key)?));
    options.host_key = HostKeyPolicy::AcceptAny;
    options.ciphers = rest.get(1).into_iter().cloned().collect();
    let content = Content::make(mode, size)?;
    let mut start = Instant::now();
    let session = connect(options).await?;
    if !total {
        start = Instant::now();
    }
    content.run(&session, mode, size, remote).await?;
    println!("{:.4}", start.elapsed().as_secs_f64());
    session.close().await;
    Ok(())
}

/// What is made before the clock starts.
enum Content {
    File(std::fs::File),
    Tree(tempfile::TempDir),
    Nothing,
}

impl Content {
    fn make(mode: &str, size: u64) -> Result<Self, Failure> {
        if mode.starts_with("up-") {
            let mut file = tempfile::tempfile_in("/dev/shm").or_else(|_| tempfile::tempfile())?;
            for block in 0..size {
                file.write_all(&noise(1 << 20, block))?;
            }
            return Ok(Self::File(file));
        }
        if mode.starts_with("tree-") {
            let tree = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())?;
            for number in 0..size {
                let dir = tree.path().join(format!("d{}", number % 20));
                let length = 1024 + usize::try_from(number * 37 % 3072)?;
                #[expect(clippy::disallowed_methods, reason = "the measured content")]
                std::fs::create_dir_all(&dir)
                    .and_then(|()| std::fs::write(dir.join(format!("f{number}")), noise(length, number)))?;
            }
            return Ok(Self::Tree(tree));
        }
        Ok(Self::Nothing)
    }

    async fn run(
        self,
        session: &kiln_ssh::Session,
        mode: &str,
        size: u64,
        remote: &str,
    ) -> Result<(), Failure> {
        let method = match mode.rsplit('-').next().unwrap_or_default() {
            "sftp" => Method::Sftp,
            "scp" => Method::Scp,
            "cat" | "tar" => Method::Stream,
            _ => Method::Auto,
        };
        let options = TransferOptions { method, ..TransferOptions::default() };
        match self {
            Self::File(file) => {
                session.upload(FileSource::file(file)?, remote, &options).await?;
            }
            Self::Tree(tree) => {
                let dir = cap_std::fs::Dir::open_ambient_dir(tree.path(), cap_std::ambient_authority())?;
                session.upload_directory(dir, remote, &options).await?;
            }
            Self::Nothing if mode == "exec" => {
                for _ in 0..size {
                    session.exec("true", ExecOptions::default()).await?.wait().await?;
                }
            }
            Self::Nothing => {
                let sink = tempfile::tempfile_in("/dev/shm").or_else(|_| tempfile::tempfile())?;
                session.download(remote, sink, &options).await?;
            }
        }
        Ok(())
    }
}

/// Bytes that do not compress: a xorshift sequence.
fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
