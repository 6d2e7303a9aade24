//! Every codec and container, judged by the tools that users have: `gzip -t`, `xz -t`, `unzip -t`, `tar -t`, ….
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test opens what it made and stops at what it did not expect"
)]

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kiln_content::archive::{Entry, Times};
use kiln_content::compress::{Codec, CompressError, Options, Packing, compress, decompress};
use kiln_content::no_progress;
use tokio_util::sync::CancellationToken;

/// Runs a tool and returns what it printed; says what to install when it is not there.
fn tool(name: &str, args: &[&str], package: &str) -> Vec<u8> {
    let output = Command::new(name)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|e| panic!("cannot run {name} ({e}): apt-get install {package}"));
    assert!(output.status.success(), "{name} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Text, zeros and noise, so that every kind of block occurs.
fn sample(size: usize) -> Vec<u8> {
    let mut data = Vec::with_capacity(size);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    while data.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        match state % 4 {
            0 => data.extend_from_slice(&[0; 3000]),
            1 => (0..400).for_each(|i| data.extend_from_slice(&(state.wrapping_mul(i | 1)).to_le_bytes())),
            _ => (0..60)
                .for_each(|i| data.extend_from_slice(format!("line {} of {}\n", i, state % 977).as_bytes())),
        }
    }
    data.truncate(size);
    data
}

fn file_of(dir: &Path, name: &str, data: &[u8]) -> File {
    std::fs::write(dir.join(name), data).unwrap();
    File::open(dir.join(name)).unwrap()
}

async fn pack(
    dir: &Path,
    out: &str,
    files: &[(&str, &[u8])],
    options: Options,
) -> Result<u64, CompressError> {
    let entries = files
        .iter()
        .map(|(name, data)| Entry::new(*name, file_of(dir, &format!("in-{name}").replace('/', "_"), data)))
        .collect();
    let output = File::create(dir.join(out)).unwrap();
    let packing = Packing::by_name(out).unwrap();
    compress(entries, output, packing, options, no_progress(), CancellationToken::new()).await
}

async fn unpack(path: &Path, limit: u64) -> Result<Vec<u8>, CompressError> {
    let out = path.with_extension("plain");
    decompress(
        File::open(path).unwrap(),
        None,
        File::create(&out).unwrap(),
        limit,
        no_progress(),
        CancellationToken::new(),
    )
    .await?;
    Ok(std::fs::read(out).unwrap())
}

const SINGLE: [(&str, &str, &[&str], &str); 6] = [
    ("gz", "gzip", &["-dc"], "gzip"),
    ("bgzf", "gzip", &["-dc", "-S", ".bgzf"], "gzip"),
    ("zst", "zstd", &["-dcq"], "zstd"),
    ("xz", "xz", &["-dc"], "xz-utils"),
    ("bz2", "bzip2", &["-dc"], "bzip2"),
    ("lz4", "lz4", &["-dcq"], "lz4"),
];

#[tokio::test]
async fn the_usual_tools_read_what_we_compress_and_so_do_we() {
    let dir = tempfile::tempdir().unwrap();
    // Nothing, one byte, one byte around each block size, several blocks.
    let sizes = [0, 1, 65_279, 65_281, 262_143, 262_144, 262_145, 599_980, 16 * 65_280, 1_300_000];
    for (extension, program, args, package) in SINGLE {
        for size in sizes {
            let data = sample(size);
            let name = format!("x-{size}.{extension}");
            pack(dir.path(), &name, &[("x", &data)], Options { threads: Some(3), ..Options::default() })
                .await
                .unwrap();
            let path = dir.path().join(&name);
            let mut all = args.to_vec();
            all.push(path.to_str().unwrap());
            assert!(tool(program, &all, package) == data, "{program} reads other bytes from {name}");
            assert!(unpack(&path, u64::MAX).await.unwrap() == data, "we read other bytes from {name}");
        }
    }
}

#[tokio::test]
async fn levels_change_the_size_and_stay_readable() {
    let dir = tempfile::tempdir().unwrap();
    let data = sample(600_000);
    for (extension, program, args, package) in SINGLE {
        let mut sizes = Vec::new();
        for level in [0, 1, 9, 99] {
            let name = format!("l{level}.{extension}");
            sizes.push(
                pack(
                    dir.path(),
                    &name,
                    &[("x", &data)],
                    Options { level: Some(level), ..Options::default() },
                )
                .await
                .unwrap(),
            );
            let path = dir.path().join(&name);
            let mut all = args.to_vec();
            all.push(path.to_str().unwrap());
            assert!(tool(program, &all, package) == data, "{name}");
        }
        assert!(
            sizes[2].min(sizes[3]) < sizes[1] || extension == "lz4" || extension == "bz2",
            "{extension}: {sizes:?}"
        );
    }
}

#[tokio::test]
async fn gzip_is_one_stream_and_as_small_as_gzips_own() {
    let dir = tempfile::tempdir().unwrap();
    let data = sample(2_000_000);
    let ours = pack(dir.path(), "x.gz", &[("x", &data)], Options::default()).await.unwrap();
    let theirs =
        tool("gzip", &["-6", "-nkc", dir.path().join("in-x").to_str().unwrap()], "gzip").len() as u64;
    assert!(ours < theirs + theirs / 20, "ours {ours}, gzip's {theirs}");
    // A decoder that knows one member only must see everything.
    let mut out = Vec::new();
    let packed = std::fs::read(dir.path().join("x.gz")).unwrap();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&packed[..]), &mut out).unwrap();
    assert!(out == data);
}

#[tokio::test]
async fn tar_and_zip_hold_several_files() {
    let dir = tempfile::tempdir().unwrap();
    let long = format!("{}/{}.bin", "d".repeat(120), "n".repeat(90));
    let (a, b) = (sample(700_000), sample(10));
    let files: [(&str, &[u8]); 4] =
        [("a.img", &a), ("sub/b.txt", &b), ("empty", b""), (&long[..], &a[..1000])];
    let named: Vec<(&str, &[u8])> = files.to_vec();
    for out in ["x.tar", "x.tar.gz", "x.tar.zst", "x.tar.xz", "x.tar.bz2", "x.tar.lz4", "x.tar.bgzf"] {
        let short: Vec<(&str, &[u8])> = named.iter().take(3).copied().collect();
        pack(dir.path(), out, &short, Options::default()).await.unwrap();
        let path = dir.path().join(out);
        let path = path.to_str().unwrap();
        let with = match out {
            "x.tar.lz4" => vec!["-I", "lz4", "-tf", path],
            "x.tar.bgzf" => vec!["-ztf", path],
            _ => vec!["-tf", path],
        };
        assert_eq!(
            String::from_utf8(tool("tar", &with, "tar lz4")).unwrap(),
            "a.img\nsub/b.txt\nempty\n",
            "{out}"
        );
    }
    // Names that need tar's long form, through an entry made by hand because the test's own file names are shorter.
    let entries = named
        .iter()
        .enumerate()
        .map(|(i, (name, data))| Entry::new(*name, file_of(dir.path(), &format!("f{i}"), data)))
        .collect();
    let out = File::create(dir.path().join("long.tar")).unwrap();
    compress(entries, out, Packing::tar(None), Options::default(), no_progress(), CancellationToken::new())
        .await
        .unwrap();
    let listed = tool("tar", &["-tf", dir.path().join("long.tar").to_str().unwrap()], "tar");
    assert!(String::from_utf8(listed).unwrap().contains(&long));
    assert!(tool("tar", &["-xOf", dir.path().join("long.tar").to_str().unwrap(), "a.img"], "tar") == a);

    pack(dir.path(), "x.zip", &named[..3], Options::default()).await.unwrap();
    let zip = dir.path().join("x.zip");
    tool("unzip", &["-tq", zip.to_str().unwrap()], "unzip");
    assert!(tool("unzip", &["-p", zip.to_str().unwrap(), "a.img"], "unzip") == a);
    assert!(tool("unzip", &["-p", zip.to_str().unwrap(), "sub/b.txt"], "unzip") == b);
}

#[tokio::test]
async fn fixed_times_give_equal_archives() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { times: Times::Fixed(1_000_000_000), ..Options::default() };
    for extension in ["tar.gz", "zip", "tar.zst", "tar.xz"] {
        let mut outputs = Vec::new();
        for turn in 0..2 {
            let name = format!("{turn}.{extension}");
            pack(dir.path(), &name, &[("a", &sample(600_000)), ("b", b"b")], options).await.unwrap();
            File::options()
                .write(true)
                .open(dir.path().join("in-a"))
                .unwrap()
                .set_modified(std::time::SystemTime::UNIX_EPOCH)
                .unwrap();
            outputs.push(std::fs::read(dir.path().join(name)).unwrap());
        }
        assert!(outputs[0] == outputs[1], "{extension}");
    }
}

#[tokio::test]
async fn a_single_file_format_refuses_several_files() {
    let dir = tempfile::tempdir().unwrap();
    let error = pack(dir.path(), "x.gz", &[("a", b"a"), ("b", b"b")], Options::default()).await.unwrap_err();
    assert_eq!(error.to_string(), "gz holds one file and there are 2, write to a .tar.gz instead");
    for name in ["../a", "/a", "a/../../b"] {
        let entry = vec![Entry::new(name, file_of(dir.path(), "f", b"x"))];
        let out = File::create(dir.path().join("o")).unwrap();
        let result = compress(
            entry,
            out,
            Packing::tar(None),
            Options::default(),
            no_progress(),
            CancellationToken::new(),
        )
        .await;
        assert!(result.is_err(), "{name}");
    }
}

#[tokio::test]
async fn bombs_end_at_the_limit() {
    let dir = tempfile::tempdir().unwrap();
    let data = vec![0; 2_000_000];
    for (extension, ..) in SINGLE {
        let name = format!("bomb.{extension}");
        pack(dir.path(), &name, &[("x", &data)], Options::default()).await.unwrap();
        let path = dir.path().join(name);
        for (limit, fits) in [(1_999_999, false), (2_000_000, true), (2_000_001, true)] {
            let result = unpack(&path, limit).await;
            assert_eq!(result.is_ok(), fits, "{extension} {limit}");
            assert!(fits || matches!(result, Err(CompressError::TooLarge { .. })));
        }
        let size = std::fs::metadata(path.with_extension("plain")).unwrap().len();
        assert!(size <= 2_000_001);
    }
}

#[tokio::test]
async fn damaged_and_truncated_data_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let data = sample(900_000);
    for (extension, ..) in SINGLE {
        let name = format!("d.{extension}");
        pack(dir.path(), &name, &[("x", &data)], Options::default()).await.unwrap();
        let path = dir.path().join(&name);
        let whole = std::fs::read(&path).unwrap();
        let damages: [(&str, Vec<u8>); 3] = [
            ("half", whole[..whole.len() / 2].to_vec()),
            ("but 3 bytes", whole[..whole.len() - if extension == "bgzf" { 31 } else { 3 }].to_vec()),
            ("flipped", {
                let mut bytes = whole.clone();
                let at = bytes.len() / 2;
                bytes[at] ^= 0x55;
                bytes
            }),
        ];
        for (what, bytes) in damages {
            std::fs::write(&path, bytes).unwrap();
            assert!(
                matches!(unpack(&path, 1 << 30).await, Err(CompressError::Io { .. })),
                "{extension} {what}"
            );
        }
    }
    std::fs::write(dir.path().join("no"), b"plain text").unwrap();
    assert!(matches!(unpack(&dir.path().join("no"), 100).await, Err(CompressError::UnknownFormat)));
}

#[tokio::test]
async fn concatenated_members_are_one_stream() {
    let dir = tempfile::tempdir().unwrap();
    for (extension, ..) in SINGLE {
        let name = format!("c.{extension}");
        pack(dir.path(), &name, &[("x", b"first,")], Options::default()).await.unwrap();
        let once = std::fs::read(dir.path().join(&name)).unwrap();
        let path = dir.path().join(&name);
        File::create(&path).unwrap().write_all(&[once.clone(), once].concat()).unwrap();
        assert_eq!(unpack(&path, 100).await.unwrap(), b"first,first,", "{extension}");
    }
}

#[tokio::test]
async fn progress_counts_the_input_and_cancel_stops_it() {
    let dir = tempfile::tempdir().unwrap();
    let data = sample(12_000_000);
    for out in ["p.gz", "p.tar.zst", "p.zip", "p.xz"] {
        let seen = Arc::new(AtomicU64::new(0));
        let cancel = CancellationToken::new();
        let (listener, stop) = (seen.clone(), cancel.clone());
        let progress: kiln_content::Progress = Arc::new(move |done, total| {
            assert_eq!(total, Some(12_000_000));
            listener.store(done, Ordering::Relaxed);
            if done > 2_000_000 {
                stop.cancel()
            }
        });
        let entries = vec![Entry::new("x", file_of(dir.path(), "x", &data))];
        let output = File::create(dir.path().join(out)).unwrap();
        let result =
            compress(entries, output, Packing::by_name(out).unwrap(), Options::default(), progress, cancel)
                .await;
        assert!(matches!(result, Err(CompressError::Cancelled)), "{out}");
        assert!(seen.load(Ordering::Relaxed) < 6_000_000, "{out}");
    }
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_full_disk_is_an_error_of_its_kind() {
    let dir = tempfile::tempdir().unwrap();
    let data = sample(3_000_000);
    for packing in [
        Packing::single(Codec::Gzip),
        Packing::single(Codec::Zstd),
        Packing::single(Codec::Xz),
        Packing::single(Codec::Bzip2),
        Packing::tar(None),
    ] {
        let entries = vec![Entry::new("x", file_of(dir.path(), "x", &data))];
        let full = File::options().write(true).open("/dev/full").unwrap();
        let result =
            compress(entries, full, packing, Options::default(), no_progress(), CancellationToken::new())
                .await;
        let Err(CompressError::Io { source, .. }) = result else { panic!("{packing:?}: {result:?}") };
        assert_eq!(source.kind(), std::io::ErrorKind::StorageFull, "{packing:?}");
    }
}
