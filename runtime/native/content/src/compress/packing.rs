//! What a file name, or a user's word, asks for: a container and a codec.

/// A compression format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// RFC 1952.
    Gzip,
    /// Blocked gzip of at most 64 KiB per member, seekable (SAM specification, section 4.1).
    Bgzf,
    /// RFC 8878.
    Zstd,
    /// The .xz file format 1.2.
    Xz,
    /// bzip2.
    Bzip2,
    /// LZ4 frame format 1.6.
    Lz4,
}

impl Codec {
    const NAMES: [(&'static str, Self); 6] = [
        ("gz", Self::Gzip),
        ("bgzf", Self::Bgzf),
        ("zst", Self::Zstd),
        ("xz", Self::Xz),
        ("bz2", Self::Bzip2),
        ("lz4", Self::Lz4),
    ];

    /// Without a dot.
    #[must_use]
    pub fn extension(self) -> &'static str {
        Self::NAMES.iter().find(|(_, codec)| *codec == self).map_or("", |(name, _)| name)
    }

    /// By extension without a dot, in any case.
    #[must_use]
    pub fn by_extension(extension: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(extension)).map(|(_, codec)| *codec)
    }

    /// By the first bytes of a file; blocked gzip is gzip.
    #[must_use]
    pub fn detect(start: &[u8]) -> Option<Self> {
        let magics: [(&[u8], Self); 5] = [
            (&[0x1f, 0x8b], Self::Gzip),
            (&[0x28, 0xb5, 0x2f, 0xfd], Self::Zstd),
            (&[0xfd, b'7', b'z', b'X', b'Z', 0], Self::Xz),
            (b"BZh", Self::Bzip2),
            (&[0x04, 0x22, 0x4d, 0x18], Self::Lz4),
        ];
        magics.iter().find(|(magic, _)| start.starts_with(magic)).map(|(_, codec)| *codec)
    }
}

/// What holds the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Container {
    /// Nothing: one file, compressed.
    Single,
    /// POSIX tar.
    Tar,
    /// Zip, with its own deflate.
    Zip,
}

/// A container and the compression around it; only sensible pairs exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Packing {
    container: Container,
    codec: Option<Codec>,
}

impl Packing {
    /// One file, compressed.
    #[must_use]
    pub fn single(codec: Codec) -> Self {
        Self { container: Container::Single, codec: Some(codec) }
    }

    /// A tar archive, compressed or not.
    #[must_use]
    pub fn tar(codec: Option<Codec>) -> Self {
        Self { container: Container::Tar, codec }
    }

    /// A zip archive.
    #[must_use]
    pub fn zip() -> Self {
        Self { container: Container::Zip, codec: None }
    }

    /// What holds the files.
    #[must_use]
    pub fn container(self) -> Container {
        self.container
    }

    /// What compresses, besides zip's own.
    #[must_use]
    pub fn codec(self) -> Option<Codec> {
        self.codec
    }

    /// What the extensions of a file name ask for: `.zip`, `.tar`, `.tar.X`, or `.X` for a single file. `None` when the
    /// last one is not known; Packer then makes a `.tar.gz`, so append that and use [`Packing::tar`].
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
        let mut parts = name.rsplit('.');
        let last = parts.next()?;
        let before = parts.next()?;
        if last.eq_ignore_ascii_case("zip") {
            return Some(Self::zip());
        }
        if last.eq_ignore_ascii_case("tar") {
            return Some(Self::tar(None));
        }
        let codec = Codec::by_extension(last)?;
        let in_tar = before.eq_ignore_ascii_case("tar") && parts.next().is_some();
        Some(if in_tar { Self::tar(Some(codec)) } else { Self::single(codec) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_ask_for_packings() {
        for (name, packing) in [
            ("a.tar", Some(Packing::tar(None))),
            ("a.zip", Some(Packing::zip())),
            ("a.gz", Some(Packing::single(Codec::Gzip))),
            ("a.lz4", Some(Packing::single(Codec::Lz4))),
            ("a.bgzf", Some(Packing::single(Codec::Bgzf))),
            ("a.xz", Some(Packing::single(Codec::Xz))),
            ("a.bz2", Some(Packing::single(Codec::Bzip2))),
            ("a.img.zst", Some(Packing::single(Codec::Zstd))),
            ("a.tar.gz", Some(Packing::tar(Some(Codec::Gzip)))),
            ("dir.x/a.TAR.XZ", Some(Packing::tar(Some(Codec::Xz)))),
            ("a.tar.lz4", Some(Packing::tar(Some(Codec::Lz4)))),
            ("tar.gz", Some(Packing::single(Codec::Gzip))),
            ("packer_x_y", None),
            ("a.box", None),
            ("dir.gz/a", None),
            ("", None),
        ] {
            assert_eq!(Packing::by_name(name), packing, "{name}");
        }
    }
}
