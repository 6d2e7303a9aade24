//! The machine's disks.
//!
//! | disk_image | use_backing_file | skip_compaction | the first disk is |
//! | --- | --- | --- | --- |
//! | no  | –   | –   | new and empty |
//! | yes | yes | –   | an overlay, and stays one |
//! | yes | no  | no  | an overlay, which writing it anew flattens: nothing is copied before the boot |
//! | yes | no  | yes | a copy |

use crate::options::{Options, size};
use kiln_sdk::files::{File, Output};
use kiln_sdk::hypervisor::{self, Image, ImageFormat, MachineSpec};
use kiln_sdk::{Config, Error};

/// All disks; the first is the one that the machine boots from.
pub(crate) struct Disks {
    first: Image,
    more: Vec<Image>,
}

impl Disks {
    /// Makes them in `directory`.
    pub(crate) fn make(
        config: &Config<Options>,
        directory: &Output,
        name: &str,
        source: &File,
    ) -> Result<Self, Error> {
        let first = first(config, &directory.child(name)?, source)?;
        if let Some(size) = config.resize() {
            first.resize(&size, &config.qemu_img_args.resize).map_err(|e| e.at("/disk_size"))?;
        }
        let more = config.disk_additional_size.iter().enumerate().map(|(index, wanted)| {
            let at = directory.child(&format!("{name}-{}", index + 1))?;
            create(config, &at, wanted).map_err(|e| e.at(format!("/disk_additional_size/{index}")))
        });
        Ok(Self { first, more: more.collect::<Result<_, _>>()? })
    }

    /// Puts them into a machine.
    pub(crate) fn attach(&self, spec: &MachineSpec) {
        spec.disk(&self.first);
        for image in &self.more {
            spec.disk(image);
        }
    }

    /// Writes the first disk anew in its final format.
    pub(crate) fn compact(&self, config: &Options) -> Result<(), Error> {
        self.first.compact(config.image_format(), config.compresses(), &config.qemu_img_args.convert)
    }

    /// Their file names.
    pub(crate) fn names(&self) -> impl Iterator<Item = String> {
        std::iter::once(&self.first).chain(&self.more).map(Image::name)
    }
}

fn first(config: &Options, at: &Output, source: &File) -> Result<Image, Error> {
    let extra = &config.qemu_img_args;
    if !config.disk_image {
        return create(config, at, &config.disk_size).map_err(|e| e.at("/disk_size"));
    }
    if config.use_backing_file || config.compacts() {
        return hypervisor::overlay_image(at, source, &extra.create);
    }
    hypervisor::import_image(at, source, config.image_format(), &extra.convert)
}

fn create(config: &Options, at: &Output, wanted: &str) -> Result<Image, Error> {
    let format: ImageFormat = config.image_format();
    hypervisor::create_image(at, format, &size(wanted), &config.qemu_img_args.create)
}
