//! Which format a file name asks for, and what files are called inside.

use kiln_sdk::files::{Compression, Container};
use std::collections::BTreeMap;

/// A container and what it is compressed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Format {
    pub(crate) container: Container,
    pub(crate) compression: Compression,
}

impl Format {
    /// For names that say nothing.
    pub(crate) const USUAL: Self = Self { container: Container::Tar, compression: Compression::Gzip };

    /// The format of `name.tar.gz`, `.tar.gz` or `tar.gz`; none if its extension is not known.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let base = name.rsplit(['/', '\\']).next().unwrap_or(name).to_ascii_lowercase();
        let mut parts = base.rsplit('.');
        let last = parts.next()?;
        let in_tar = parts.next() == Some("tar");
        Some(match last {
            "tar" => Self { container: Container::Tar, compression: Compression::None },
            "zip" => Self { container: Container::Zip, compression: Compression::None },
            "tgz" => Self::USUAL,
            other => Self {
                container: if in_tar { Container::Tar } else { Container::None },
                compression: compression(other)?,
            },
        })
    }
}

fn compression(extension: &str) -> Option<Compression> {
    Some(match extension {
        "gz" => Compression::Gzip,
        "bgzf" => Compression::Bgzf,
        "xz" => Compression::Xz,
        "bz2" => Compression::Bzip2,
        "lz4" => Compression::Lz4,
        "zst" => Compression::Zstd,
        _ => return None,
    })
}

/// The host's level: 1 to 9. -1 and 0 are the usual one, as in Packer.
pub(crate) fn level(written: i64) -> u32 {
    match written {
        ..=0 => 6,
        level => u32::try_from(level.min(9)).unwrap_or(9),
    }
}

/// Names inside the archive: base names, or relative paths where base names meet.
pub(crate) fn names(paths: &[String]) -> Vec<String> {
    let base = |path: &str| path.rsplit(['/', '\\']).next().unwrap_or(path).to_owned();
    let mut count = BTreeMap::new();
    for path in paths {
        *count.entry(base(path)).or_insert(0) += 1;
    }
    let whole = |path: &str| {
        let parts = path.split(['/', '\\']);
        parts.filter(|part| !matches!(*part, "" | "." | "..")).collect::<Vec<_>>().join("/")
    };
    paths
        .iter()
        .map(|path| if count.get(&base(path)).is_some_and(|n| *n > 1) { whole(path) } else { base(path) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_says_the_format() {
        use Compression as C;
        use Container as K;
        for (name, container, compression) in [
            ("a.tar", K::Tar, C::None),
            ("out.d/a.tar.gz", K::Tar, C::Gzip),
            ("a.TAR.XZ", K::Tar, C::Xz),
            ("tar.lz4", K::Tar, C::Lz4),
            ("a.zip", K::Zip, C::None),
            ("a.raw.gz", K::None, C::Gzip),
            ("a.bgzf", K::None, C::Bgzf),
            ("xz", K::None, C::Xz),
        ] {
            assert_eq!(Format::of(name), Some(Format { container, compression }), "{name}");
        }
        assert_eq!((Format::of("packer_a_b"), Format::of("x.tar/a.img")), (None, None));
    }

    #[test]
    fn levels_and_names() {
        assert_eq!([-1, 0, 1, 9, 22].map(level), [6, 6, 1, 9, 9]);
        let paths = ["o/a", "o/b", "/p/../a"].map(str::to_owned);
        assert_eq!(names(&paths), ["o/a", "b", "p/a"]);
    }
}
