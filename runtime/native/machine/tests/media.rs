//! CDs and floppies, read back by the tools that everybody uses: isoinfo, xorriso, mtools.
#![expect(clippy::disallowed_methods, reason = "tests run the tools that read media")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use kiln_machine::*;
use std::path::Path;
use std::process::Command;
use tokio_util::sync::CancellationToken;

fn tool(program: &str, args: &[&str], package: &str) -> String {
    let output = Command::new(program)
        .args(args)
        .env("MTOOLS_SKIP_CHECK", "0")
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}; apt-get install {package}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{program} {args:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

fn iso(label: &str, files: Vec<MediaFile>) -> Result<Vec<u8>, MediaError> {
    let mut bytes = Vec::new();
    let options = IsoOptions { label: label.into() };
    let length = write_iso(&options, files, &mut bytes, &CancellationToken::new())?;
    assert_eq!(length, bytes.len() as u64);
    Ok(bytes)
}

fn samples() -> Vec<(String, Vec<u8>)> {
    let mut files = vec![
        ("user-data".to_owned(), b"#cloud-config\n".to_vec()),
        ("meta-data".to_owned(), Vec::new()),
        ("a b/Ünïcode \u{1f525}.txt".to_owned(), b"hot".to_vec()),
        ("deep/1/2/3/4/5/6/7/8/9/leaf".to_owned(), vec![7; 5000]),
        (format!("long/{}.x", "n".repeat(250)), b"long".to_vec()),
        (format!("long/{}.y", "n".repeat(250)), b"long too".to_vec()),
        (".hidden".to_owned(), b"h".to_vec()),
        ("Case".to_owned(), b"1".to_vec()),
        ("case".to_owned(), b"2".to_vec()),
    ];
    files.extend((0..300).map(|n| (format!("many/file number {n}.conf"), format!("{n}").into_bytes())));
    files
}

fn media_files() -> Vec<MediaFile> {
    let mut files: Vec<MediaFile> =
        samples().into_iter().map(|(path, bytes)| MediaFile::bytes(path, bytes)).collect();
    files.push(MediaFile::bytes("empty/", ""));
    files
}

#[test]
fn a_cd_is_read_by_xorriso_with_all_names_and_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let image = directory.path().join("cd.iso");
    std::fs::write(&image, iso("cidata", media_files()).unwrap()).unwrap();
    let out = directory.path().join("out");
    let image = image.to_str().unwrap();
    let args = ["-osirrox", "on", "-indev", image, "-extract", "/", out.to_str().unwrap()];
    tool("xorriso", &args, "xorriso");
    for (path, bytes) in samples() {
        let found = std::fs::read(out.join(&path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(found, bytes, "{path}");
    }
    assert!(out.join("empty").is_dir());
    // Directories on a CD are read-only, which tempfile cannot remove.
    tool("chmod", &["-R", "u+w", out.to_str().unwrap()], "coreutils");
}

#[test]
fn a_cd_is_read_by_isoinfo_in_all_three_ways() {
    let directory = tempfile::tempdir().unwrap();
    let image = directory.path().join("cd.iso");
    std::fs::write(&image, iso("cidata", media_files()).unwrap()).unwrap();
    let image = image.to_str().unwrap();
    let volume = tool("isoinfo", &["-d", "-i", image], "genisoimage");
    assert!(volume.contains("Volume id: cidata"), "{volume}");
    assert!(volume.contains("Rock Ridge") && volume.contains("Joliet with UCS level 3"), "{volume}");
    let rock = tool("isoinfo", &["-R", "-f", "-i", image], "genisoimage");
    assert!(rock.contains("/user-data\n") && rock.contains("/deep/1/2/3/4/5/6/7/8/9/leaf\n"), "{rock}");
    assert!(rock.contains(&format!("/long/{}.x\n", "n".repeat(250))), "{rock}");
    let joliet = tool("isoinfo", &["-J", "-f", "-i", image], "genisoimage");
    assert!(
        joliet.contains("/user-data;1\n") && joliet.contains("/many/file number 299.conf;1\n"),
        "{joliet}"
    );
    let plain = tool("isoinfo", &["-f", "-i", image], "genisoimage");
    assert!(plain.contains("/USER_DAT.;1\n") && plain.contains("/MANY/FILE_NUM.CON;1\n"), "{plain}");
    let content = tool("isoinfo", &["-R", "-x", "/user-data", "-i", image], "genisoimage");
    assert_eq!(content, "#cloud-config\n");
    let content = tool("isoinfo", &["-J", "-x", "/many/file number 299.conf;1", "-i", image], "genisoimage");
    assert_eq!(content, "299");
}

/// What Linux does when it looks for cloud-init's data: find the file system and its label.
#[test]
fn a_cd_is_recognised_by_blkid() {
    let directory = tempfile::tempdir().unwrap();
    let image = directory.path().join("cd.iso");
    std::fs::write(&image, iso("cidata", media_files()).unwrap()).unwrap();
    let found = tool("/sbin/blkid", &["-p", "-o", "export", image.to_str().unwrap()], "util-linux");
    assert!(found.contains("\nLABEL=cidata\n") && found.contains("TYPE=iso9660\n"), "{found}");
}

#[test]
fn the_same_files_give_the_same_cd_and_bad_ones_are_refused() {
    assert_eq!(iso("x", media_files()).unwrap(), iso("x", media_files()).unwrap());
    assert!(iso("", Vec::new()).is_ok());
    for path in ["", "/", "..", "a/../b", "a/./b", "a\nb", &"x".repeat(256), &"d/".repeat(40)] {
        let error = iso("x", vec![MediaFile::bytes(path, "")]).unwrap_err();
        assert!(matches!(error, MediaError::Name { .. }), "{path:?}: {error}");
    }
    let twice = vec![MediaFile::bytes("a", "1"), MediaFile::bytes("/a", "2")];
    assert!(matches!(iso("x", twice), Err(MediaError::Name { .. })));
    let through = vec![MediaFile::bytes("a", "1"), MediaFile::bytes("a/b", "2")];
    assert!(matches!(iso("x", through), Err(MediaError::Name { .. })));
    assert!(matches!(iso("a\u{e9}", Vec::new()), Err(MediaError::Label { .. })));
    assert!(matches!(iso(&"x".repeat(33), Vec::new()), Err(MediaError::Label { .. })));
    for length in [2, 4] {
        let liar = MediaFile::reader("liar", length, || Ok(Box::new(std::io::Cursor::new(b"abc"))));
        assert!(matches!(iso("x", vec![liar]), Err(MediaError::Changed(_))));
    }
    let huge = MediaFile::reader("huge", 1 << 32, || panic!("opened"));
    assert!(matches!(iso("x", vec![huge]), Err(MediaError::TooBig { .. })));
}

#[test]
fn a_cancelled_cd_ends() {
    let cancel = CancellationToken::new();
    cancel.cancel();
    let endless = MediaFile::reader("endless", 1 << 31, || Ok(Box::new(std::io::repeat(0))));
    let error = write_iso(&IsoOptions::default(), vec![endless], &mut std::io::sink(), &cancel).unwrap_err();
    assert!(error.to_string().contains("cancelled"), "{error}");
}

fn mtools(image: &Path, program: &str, args: &[&str]) -> String {
    let image = image.to_str().unwrap();
    tool(program, &[&["-i", image], args].concat(), "mtools")
}

#[test]
fn a_floppy_is_read_by_mtools() {
    let directory = tempfile::tempdir().unwrap();
    let image = directory.path().join("floppy.img");
    let files = vec![
        MediaFile::bytes("Autounattend.xml", "<unattend/>"),
        MediaFile::bytes("scripts/a long name.ps1", vec![b'x'; 100_000]),
        MediaFile::bytes("scripts/deeper/file", "f"),
        MediaFile::bytes("empty/", ""),
    ];
    let bytes = floppy_image("packer", files).unwrap();
    assert_eq!(bytes.len(), 1_474_560);
    std::fs::write(&image, bytes).unwrap();
    let listing = mtools(&image, "mdir", &["-/", "-b", "::"]);
    for path in ["::/Autounattend.xml", "::/scripts/a long name.ps1", "::/scripts/deeper/file", "::/empty/"] {
        assert!(listing.contains(path), "{path} is not in\n{listing}");
    }
    assert_eq!(mtools(&image, "mtype", &["::/autounattend.XML"]), "<unattend/>");
    assert_eq!(mtools(&image, "mtype", &["::/scripts/a long name.ps1"]).len(), 100_000);
    assert!(mtools(&image, "mdir", &["::"]).contains("Volume in drive : is PACKER"));
    let info = mtools(&image, "minfo", &["::"]);
    assert!(info.contains("media descriptor byte: 0xf0") && info.contains("FAT12"), "{info}");
    tool("/sbin/fsck.fat", &["-n", image.to_str().unwrap()], "dosfstools");
}

#[test]
fn what_does_not_fit_on_a_floppy_is_an_error() {
    let big = vec![MediaFile::bytes("a", vec![0; 1_474_561])];
    assert!(matches!(floppy_image("", big), Err(MediaError::TooBig { .. })));
    // Smaller than the disk, but not than what the tables leave.
    let tight = vec![MediaFile::bytes("a", vec![0; 1_474_000])];
    assert!(matches!(floppy_image("", tight), Err(MediaError::TooBig { .. })));
    let many = (0..400).map(|n| MediaFile::bytes(format!("a long name number {n}"), "")).collect();
    assert!(matches!(floppy_image("", many), Err(MediaError::TooBig { .. })));
    let twice = vec![MediaFile::bytes("a", ""), MediaFile::bytes("A", "")];
    assert!(matches!(floppy_image("", twice), Err(MediaError::Name { .. })));
    let file_as_directory = vec![MediaFile::bytes("a", ""), MediaFile::bytes("a/b", "")];
    assert!(floppy_image("", file_as_directory).is_err());
    for path in ["a:b", "..", "end.", "what?"] {
        assert!(
            matches!(floppy_image("", vec![MediaFile::bytes(path, "")]), Err(MediaError::Name { .. })),
            "{path}"
        );
    }
    assert!(matches!(floppy_image("twelve bytes", Vec::new()), Err(MediaError::Label { .. })));
}
