//! `cargo xtask demo`: the whole promise in one command. A guest is made from Debian packages, kiln
//! builds an image out of it, and the result is taken apart and booted to prove what it holds.
//!
//! Each provisioner carries a random nonce by its own way; all must be found in the booted result.
//! Manifest, checksums and archive are compared with the bytes of the image, by our own reading.

use crate::launch::{Ended, Launch};
use crate::machine::{Machine, Parts};
use crate::tree::Tree;
use crate::{build, guest, setup};
use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use serde_json::Value;
use sha2::{Digest, Sha256, Sha512};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

#[derive(Args)]
pub(crate) struct DemoArgs {
    /// Build with this program instead of kiln (`packer` shows that the demo itself is right)
    #[arg(long, value_name = "PROGRAM")]
    with: Option<PathBuf>,
}

/// How long the build may take before something must be wrong.
const BUILD_LIMIT: Duration = Duration::from_secs(300);

pub(crate) fn run(args: &DemoArgs) -> Result<()> {
    let tree = Tree::find();
    let clock = Clock { begun: Instant::now() };
    clock.say("what is needed: Rust target, Debian packages");
    setup::run()?;
    let tool = match &args.with {
        Some(program) => program.clone(),
        None => {
            clock.say("kiln, with its components inside");
            build::run()?;
            tree.kiln()
        }
    };
    clock.say("a guest made of Debian packages (kept for next time)");
    let guest = guest::make(&tree, &guest::TINY)?;

    let work = tree.target.join("demo");
    let _ = fs::remove_dir_all(&work);
    fs::create_dir_all(&work).with_context(|| format!("creating {}", work.display()))?;
    let nonce = nonce()?;
    fs::write(work.join("nonce-file"), format!("{nonce}-file\n"))?;
    clock.say(&format!("building examples/demo with {}, nonce {nonce}", tool.display()));
    build_image(&tree, &tool, &guest, &work, &nonce)?;

    let image = work.join("image/demo.qcow2");
    clock.say("the records against the bytes");
    let digest = check_records(&work, &image, &nonce)?;
    clock.say("booting the result on a throw-away overlay");
    check_booted(&work, &image, &guest, &nonce)?;
    ensure!(digest == hash::<Sha256>(File::open(&image)?)?, "booting has changed the image");
    clock.say(&format!("all of it is there: {}", image.display()));
    println!("demo passed in {:.1} s", clock.begun.elapsed().as_secs_f64());
    Ok(())
}

/// Says what happens and when.
struct Clock {
    begun: Instant,
}

impl Clock {
    fn say(&self, what: &str) {
        println!("[{:6.1} s] {what}", self.begun.elapsed().as_secs_f64());
    }
}

/// 16 random bytes in hexadecimal.
fn nonce() -> Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The variables of examples/demo.
pub(crate) fn arguments(guest: &guest::Guest, work: &Path, nonce: &str) -> Vec<String> {
    let pairs = [
        ("image", guest.disk.display().to_string()),
        ("key", guest.key.display().to_string()),
        ("work", work.display().to_string()),
        ("nonce", nonce.to_owned()),
    ];
    pairs.into_iter().flat_map(|(name, value)| ["-var".to_owned(), format!("{name}={value}")]).collect()
}

fn build_image(tree: &Tree, tool: &Path, guest: &guest::Guest, work: &Path, nonce: &str) -> Result<()> {
    let launch = Launch::new(tool)
        .args(["build", "-color=false"])
        .args(arguments(guest, work, nonce))
        .args(["examples/demo"])
        .env("CHECKPOINT_DISABLE", "1")
        .dir(&tree.root);
    match launch.limited(BUILD_LIMIT, &mut |_| ())? {
        Ended::Success => Ok(()),
        Ended::Failed(how) => bail!("the build failed: {how}"),
        Ended::OverBudget => bail!("the build took more than {} s", BUILD_LIMIT.as_secs()),
    }
}

/// Manifest, checksum files and archive say what is true. Returns the image's SHA-256.
fn check_records(work: &Path, image: &Path, nonce: &str) -> Result<String> {
    let size = fs::metadata(image).context("the build left no image")?.len();
    let name = "demo.qcow2";
    Launch::new("qemu-img").args(["check", "-q"]).args([image]).run()?;

    let manifest: Value =
        serde_json::from_slice(&fs::read(work.join("manifest.json")).context("manifest.json")?)?;
    let entry = &manifest["builds"][0];
    let listed = entry["files"].as_array().is_some_and(|files| {
        files.iter().any(|file| file["name"] == name && file["size"].as_u64() == Some(size))
    });
    ensure!(listed, "the manifest does not name {name} with its {size} bytes: {manifest}");
    ensure!(entry["custom_data"]["nonce"] == *nonce, "the manifest has another nonce: {manifest}");
    println!("           manifest.json: {name}, {size} bytes, custom data");

    let digest = hash::<Sha256>(File::open(image)?)?;
    for (kind, found) in [("sha256", &digest), ("sha512", &hash::<Sha512>(File::open(image)?)?)] {
        let file = work.join("demo").with_extension(kind);
        let text = fs::read_to_string(&file).with_context(|| format!("{}", file.display()))?;
        let mut words = text.split_whitespace();
        ensure!(words.next() == Some(found), "{} is not the {kind} of the image", file.display());
        ensure!(words.next().is_some_and(|w| w.ends_with(name)), "{} names another file", file.display());
        println!("           demo.{kind}: {}…", &found[..16]);
    }

    let mut tar = Launch::new("tar")
        .args(["-x", "-z", "-O", "-f"])
        .args([work.join("demo.tar.gz")])
        .args(["--wildcards", "*demo.qcow2"])
        .into_command()
        .stdout(Stdio::piped())
        .spawn()?;
    let packed = hash::<Sha256>(tar.stdout.take().context("tar has no stdout")?)?;
    ensure!(tar.wait()?.success(), "demo.tar.gz cannot be unpacked");
    ensure!(packed == digest, "demo.tar.gz holds other bytes than the image");
    println!("           demo.tar.gz: holds the same bytes");
    Ok(digest)
}

/// Boot the image, and read back what each provisioner left.
fn check_booted(work: &Path, image: &Path, guest: &guest::Guest, nonce: &str) -> Result<()> {
    let dir = work.join("booted");
    fs::create_dir_all(&dir)?;
    let disk = dir.join("overlay.qcow2");
    Launch::new("qemu-img")
        .args(["create", "-q", "-f", "qcow2", "-F", "qcow2", "-b"])
        .args([&image.canonicalize()?, &disk])
        .run()?;
    let start = Instant::now();
    let mut machine = Machine::start(&Parts { dir: &dir, disk: &disk, cdrom: None, key: &guest.key })?;
    machine.wait_for_ssh(1, Duration::from_secs(120))?;
    println!("           SSH answers after {:.1} s", start.elapsed().as_secs_f64());
    let files = [
        ("file", "/home/kiln/nonce-file"),
        ("shell", "/home/kiln/nonce-shell"),
        ("script", "/etc/nonce-script"),
        ("shell-local", "/home/kiln/nonce-shell-local"),
    ];
    let paths = files.map(|(_, path)| path).join(" ");
    let text = machine.ssh(&format!("cat {paths}")).output().context("a nonce is missing in the image")?;
    let found: Vec<_> = text.lines().collect();
    for ((way, path), line) in files.iter().zip(found.iter().chain(std::iter::repeat(&""))) {
        ensure!(*line == format!("{nonce}-{way}"), "{path} says {line:?}, not the nonce of {way}");
        println!("           {path}: {line}");
    }
    // Its exit code is whatever the end of the connection makes of it; what counts is that it stops.
    let _ = machine.ssh("sudo poweroff").output();
    machine.wait_stopped(Duration::from_secs(60))
}

/// The digest of a stream in hexadecimal.
pub(crate) fn hash<D: Digest>(mut from: impl Read) -> Result<String> {
    let mut digest = D::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let n = from.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        digest.update(&buffer[..n]);
    }
    Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
