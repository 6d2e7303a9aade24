//! Images made by the real qemu-img.
#![expect(clippy::disallowed_methods, reason = "tests make and look at files")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use kiln_machine::*;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tokio_util::sync::CancellationToken;

fn tool(binary: &Path) -> QemuImg {
    let env = vec![("PATH".into(), std::env::var_os("PATH").unwrap())];
    QemuImg::new(Spawner::start(None).unwrap(), binary, env)
}

/// 4 MiB that do not compress, and a hole.
fn raw_disk(directory: &Path) -> PathBuf {
    let path = directory.join("disk.raw");
    let mut state = 1_u64;
    let mut bytes: Vec<u8> = Vec::new();
    while bytes.len() < 4 << 20 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        bytes.extend(&state.to_le_bytes()[4..]);
    }
    bytes.resize(16 << 20, 0);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn none() -> CancellationToken {
    CancellationToken::new()
}

#[tokio::test]
async fn create_resize_overlay_convert_compact() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let tool = tool(Path::new("qemu-img"));
    let extra = ["-o".to_owned(), "cluster_size=2M".to_owned()];
    tool.create(&at("a"), "qcow2", "64M", &extra, &none()).await.unwrap();
    tool.resize(&at("a"), "qcow2", "128M", &[], &none()).await.unwrap();
    let info = tool.info(&at("a"), Some("qcow2"), &none()).await.unwrap();
    assert_eq!((info.format.as_str(), info.virtual_size, info.backing_filename), ("qcow2", 128 << 20, None));
    assert_eq!(info.format_specific.unwrap()["type"], "qcow2");

    let raw = raw_disk(directory.path());
    tool.overlay(&at("o"), &raw, "raw", Some("32M"), &[], &none()).await.unwrap();
    let info = tool.info(&at("o"), None, &none()).await.unwrap();
    assert_eq!((info.virtual_size, info.backing_filename.as_deref()), (32 << 20, raw.to_str()));
    tool.compact(&at("o"), "qcow2", Compression::None, &[], &none()).await.unwrap();
    let info = tool.info(&at("o"), None, &none()).await.unwrap();
    assert_eq!((info.virtual_size, info.backing_filename), (32 << 20, None));
    assert!(!at("o.convert").exists());

    for (name, compression) in
        [("plain", Compression::None), ("zlib", Compression::Zlib), ("zstd", Compression::Zstd)]
    {
        let target = at(name);
        let job = Convert {
            source: &raw,
            source_format: "raw",
            target: &target,
            format: "qcow2",
            compression,
            extra: &[],
        };
        tool.convert(job, &none()).await.unwrap();
        let back = at("back");
        let job = Convert { source: &target, source_format: "qcow2", target: &back, format: "raw", ..job };
        tool.convert(job, &none()).await.unwrap();
        assert_eq!(std::fs::read(&back).unwrap(), std::fs::read(&raw).unwrap(), "{name}");
        let info = tool.info(&target, None, &none()).await.unwrap().format_specific.unwrap();
        let expected = if compression == Compression::Zstd { "zstd" } else { "zlib" };
        assert_eq!(info["data"]["compression-type"], expected, "{name}");
    }
}

#[tokio::test]
async fn a_full_disk_is_said_and_partial_images_are_removed() {
    let directory = tempfile::tempdir().unwrap();
    let raw = raw_disk(directory.path());
    let tool_ = tool(Path::new("qemu-img"));
    let full = Path::new("/dev/full");
    let job = |target| Convert {
        source: &raw,
        source_format: "raw",
        target,
        format: "qcow2",
        compression: Compression::None,
        extra: &[],
    };
    let error = tool_.convert(job(full), &none()).await.unwrap_err();
    assert!(matches!(&error, ImageError::DiskFull(path) if path == full), "{error}");
    assert!(full.exists());

    // The real qemu-img, allowed to write 1 MiB: it leaves a partial image when it dies.
    let limited = directory.path().join("limited");
    std::fs::write(&limited, "#!/bin/sh\nulimit -f 2048\nexec qemu-img \"$@\"\n").unwrap();
    std::fs::set_permissions(&limited, std::fs::Permissions::from_mode(0o755)).unwrap();
    let target = directory.path().join("target");
    let error = tool(&limited).convert(job(&target), &none()).await.unwrap_err();
    assert!(matches!(error, ImageError::Failed { verb: "convert", .. }), "{error}");
    assert!(!target.exists(), "a partial image was left");
    // Compacting that fails keeps the image.
    let error = tool(&limited).compact(&raw, "raw", Compression::None, &[], &none()).await;
    assert!(error.is_err() && raw.exists() && !directory.path().join("disk.raw.convert").exists());
}

#[tokio::test]
async fn refusals_carry_qemu_imgs_words_and_cancel_ends() {
    let directory = tempfile::tempdir().unwrap();
    let tool = tool(Path::new("qemu-img"));
    let image = directory.path().join("x");
    let error = tool.create(&image, "nonsense", "1M", &[], &none()).await.unwrap_err();
    assert!(error.to_string().contains("Unknown file format 'nonsense'"), "{error}");
    let error = tool.info(&image, None, &none()).await.unwrap_err();
    assert!(error.to_string().contains("No such file"), "{error}");
    let cancel = CancellationToken::new();
    cancel.cancel();
    let error = tool.create(&image, "raw", "1M", &[], &cancel).await.unwrap_err();
    assert!(matches!(error, ImageError::Process(ProcessError::Cancelled)), "{error}");
    assert!(!image.exists());
}
