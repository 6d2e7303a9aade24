//! Hostile archives: names, links, devices, bombs; and honest ones made by the usual tools.
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
use std::process::Command;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use kiln_content::archive::{ArchiveError, Extracted, Limits, Links, extract};
use tokio_util::sync::CancellationToken;

/// A tar entry exactly as given: the tar crate's own writer refuses what these tests need.
fn entry(name: &[u8], kind: u8, mode: u32, link: &[u8], data: &[u8]) -> Vec<u8> {
    let mut header = vec![0u8; 512];
    header[..name.len()].copy_from_slice(name);
    header[100..108].copy_from_slice(format!("{mode:07o}\0").as_bytes());
    header[108..116].copy_from_slice(b"0000000\0");
    header[116..124].copy_from_slice(b"0000000\0");
    header[124..136].copy_from_slice(format!("{:011o}\0", data.len()).as_bytes());
    header[136..148].copy_from_slice(b"00000000000\0");
    header[148..156].fill(b' ');
    header[156] = kind;
    header[157..157 + link.len()].copy_from_slice(link);
    header[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = header.iter().map(|b| u32::from(*b)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut out = header;
    out.extend_from_slice(data);
    out.resize(out.len().next_multiple_of(512), 0);
    out
}

fn tar(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut out = entries.concat();
    out.extend_from_slice(&[0; 1024]);
    out
}

struct Place {
    _dir: tempfile::TempDir,
    root: std::path::PathBuf,
    inside: std::path::PathBuf,
}

fn place() -> Place {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().to_owned();
    let inside = root.join("inside");
    std::fs::create_dir(&inside).unwrap();
    std::fs::write(root.join("secret"), "untouched").unwrap();
    Place { _dir: dir, root, inside }
}

async fn unpack(
    place: &Place,
    archive: &[u8],
    limits: Limits,
    links: Links,
) -> Result<Extracted, ArchiveError> {
    let path = place.root.join("archive");
    std::fs::write(&path, archive).unwrap();
    let into = Dir::open_ambient_dir(&place.inside, ambient_authority()).unwrap();
    let result = extract(File::open(path).unwrap(), into, limits, links, CancellationToken::new()).await;
    assert_eq!(std::fs::read_to_string(place.root.join("secret")).unwrap(), "untouched");
    let mut beside: Vec<_> =
        std::fs::read_dir(&place.root).unwrap().map(|e| e.unwrap().file_name()).collect();
    beside.sort();
    assert_eq!(beside, ["archive", "inside", "secret"]);
    result
}

fn zip(names: &[(&str, &[u8])], mode: u32) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, data) in names {
        let options = zip::write::SimpleFileOptions::default().unix_permissions(mode);
        writer.start_file(*name, options).unwrap();
        writer.write_all(data).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[tokio::test]
async fn entries_that_reach_outside_are_refused() {
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("dotdot", tar(&[entry(b"../secret", b'0', 0o644, b"", b"evil")])),
        ("absolute", tar(&[entry(b"/tmp/evil", b'0', 0o644, b"", b"evil")])),
        ("middle", tar(&[entry(b"a/../../secret", b'0', 0o644, b"", b"evil")])),
        ("slash behind", tar(&[entry(b"../secret/", b'5', 0o755, b"", b"")])),
        ("backslash", tar(&[entry(b"..\\secret", b'0', 0o644, b"", b"evil")])),
        ("drive", tar(&[entry(b"C:/secret", b'0', 0o644, b"", b"evil")])),
        ("character device", tar(&[entry(b"null", b'3', 0o666, b"", b"")])),
        ("block device", tar(&[entry(b"sda", b'4', 0o666, b"", b"")])),
        ("fifo", tar(&[entry(b"pipe", b'6', 0o666, b"", b"")])),
        ("link out", tar(&[entry(b"l", b'2', 0o777, b"../secret", b"")])),
        ("absolute link", tar(&[entry(b"l", b'2', 0o777, b"/etc/passwd", b"")])),
        ("hard link out", tar(&[entry(b"l", b'1', 0o644, b"../secret", b"")])),
        ("hard link in", tar(&[entry(b"a", b'0', 0o644, b"", b"a"), entry(b"l", b'1', 0o644, b"a", b"")])),
        (
            "link then write",
            tar(&[entry(b"d", b'2', 0o777, b"..", b""), entry(b"d/secret", b'0', 0o644, b"", b"evil")]),
        ),
        ("twice", tar(&[entry(b"a", b'0', 0o644, b"", b"1"), entry(b"a", b'0', 0o644, b"", b"2")])),
        (
            "link replaced by file",
            tar(&[entry(b"a", b'2', 0o777, b"b", b""), entry(b"a", b'0', 0o644, b"", b"2")]),
        ),
        ("zip dotdot", zip(&[("../secret", b"evil")], 0o644)),
        ("zip absolute", zip(&[("/tmp/evil", b"evil")], 0o644)),
        ("no name", tar(&[entry(b"./", b'0', 0o644, b"", b"")])),
    ];
    for links in [Links::Refuse, Links::Inside] {
        for (what, archive) in &cases {
            let result = unpack(&place(), archive, Limits::default(), links).await;
            let allowed = *what == "no name";
            assert_eq!(result.is_ok(), allowed, "{what} {links:?}: {result:?}");
        }
    }
}

#[tokio::test]
async fn links_inside_are_made_and_writing_through_them_stays_inside() {
    let archive = tar(&[
        entry(b"real/", b'5', 0o755, b"", b""),
        entry(b"l", b'2', 0o777, b"real", b""),
        entry(b"l/file", b'0', 0o4755, b"", b"data"),
        entry(b"deep/x", b'2', 0o777, b"../real/file", b""),
    ]);
    let at = place();
    let made = unpack(&at, &archive, Limits::default(), Links::Inside).await.unwrap();
    assert_eq!((made.files, made.bytes), (1, 4));
    assert_eq!(std::fs::read_to_string(at.inside.join("deep/x")).unwrap(), "data");
    use std::os::unix::fs::MetadataExt as _;
    assert_eq!(std::fs::metadata(at.inside.join("real/file")).unwrap().mode() & 0o7000, 0);
    let skipped = unpack(&place(), &archive, Limits::default(), Links::Skip).await.unwrap();
    assert_eq!((skipped.files, skipped.skipped), (1, 2));
}

#[tokio::test]
async fn limits_hold_at_their_edges() {
    let data = vec![b'x'; 10_000];
    let files: Vec<(String, &[u8])> = (0..10).map(|i| (format!("f{i}"), &data[..])).collect();
    let entries: Vec<Vec<u8>> = files.iter().map(|(n, d)| entry(n.as_bytes(), b'0', 0o644, b"", d)).collect();
    let named: Vec<(&str, &[u8])> = files.iter().map(|(n, d)| (n.as_str(), *d)).collect();
    for archive in [tar(&entries), zip(&named, 0o644)] {
        for (entries, bytes, fits) in [
            (10, 100_000, true),
            (11, 100_001, true),
            (9, 100_000, false),
            (10, 99_999, false),
            (0, 0, false),
        ] {
            let result = unpack(&place(), &archive, Limits { entries, bytes }, Links::Refuse).await;
            assert_eq!(result.is_ok(), fits, "{entries} {bytes}: {result:?}");
        }
    }
}

#[tokio::test]
async fn bombs_and_lies_end_as_errors() {
    // A long name of 100 MB of zeros, compressed to almost nothing.
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let long = entry(b"././@LongLink", b'L', 0o644, b"", &vec![b'a'; 8_000_000]);
    bomb.write_all(&tar(&[long, entry(b"x", b'0', 0o644, b"", b"")])).unwrap();
    assert!(unpack(&place(), &bomb.finish().unwrap(), Limits::default(), Links::Refuse).await.is_err());
    // A file of 16 MiB of zeros in a fraction of that.
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    bomb.write_all(&tar(&[entry(b"x", b'0', 0o644, b"", &vec![0; 16 << 20])])).unwrap();
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 1 << 20);
    let result = unpack(&place(), &bomb, Limits { entries: 10, bytes: 1 << 20 }, Links::Refuse).await;
    assert!(matches!(result, Err(ArchiveError::TooLarge { .. })), "{result:?}");
    // Cut off, flipped, no archive at all.
    let good = tar(&[entry(b"x", b'0', 0o644, b"", &[7; 5000])]);
    let mut flipped = good.clone();
    flipped[3] ^= 0x40;
    for bytes in [&good[..2000], &flipped[..], &b"PK\x03\x04 not really a zip"[..], &vec![b'z'; 4096][..]] {
        let result = unpack(&place(), bytes, Limits::default(), Links::Refuse).await;
        assert!(matches!(result, Err(ArchiveError::Io { .. })), "{result:?}");
    }
}

#[tokio::test]
async fn archives_of_the_usual_tools_come_out_as_they_went_in() {
    let source = tempfile::tempdir().unwrap();
    let long = format!("{}/{}", "d".repeat(150), "n".repeat(150));
    for (name, data) in [("a", &b"alpha"[..]), ("sub/b", b"beta"), (&long, b"long"), ("empty", b"")] {
        let path = source.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, data).unwrap();
    }
    for args in [
        &["-cf"][..],
        &["-czf"],
        &["-cJf"],
        &["--zstd", "-cf"],
        &["-cjf"],
        &["--format=pax", "-cf"],
        &["--format=gnu", "-cf"],
    ] {
        let at = place();
        let out = at.root.join("archive");
        let run = |command: &mut Command| {
            assert!(command.status().expect("apt-get install tar xz-utils zstd bzip2").success())
        };
        run(Command::new("tar").args(args).arg(&out).arg("-C").arg(source.path()).arg("."));
        let archive = std::fs::read(&out).unwrap();
        let made = unpack(&at, &archive, Limits::default(), Links::Refuse).await.unwrap();
        assert_eq!((made.files, made.bytes), (4, 13), "{args:?}");
        check(&at.inside, &long);
    }
}

fn check(inside: &Path, long: &str) {
    for (name, data) in [("a", "alpha"), ("sub/b", "beta"), (long, "long"), ("empty", "")] {
        assert_eq!(std::fs::read_to_string(inside.join(name)).unwrap(), data);
    }
}
