//! Disk images that the build made: resized, and written anew in their final form.
#![expect(
    clippy::disallowed_methods,
    reason = "an image is replaced by its finished form in the build's own output"
)]

use super::{Image, format_name, image_error};
use crate::bindings::kiln::host::hypervisor::{self, ImageFormat};
use crate::capability::Call;
use crate::error::CallResult;
use crate::file::File;
use crate::state::State;
use kiln_machine::{Compression, Convert, QemuImg};
use std::path::PathBuf;
use tokio_util::sync::CancellationToken;
use wasmtime::component::Resource;

impl hypervisor::HostImage for State {
    async fn name(&mut self, this: Resource<Image>) -> wasmtime::Result<String> {
        let _call = Call::always(self, "hypervisor.[method]image.name")?;
        let path = self.table.get(&this)?.at.host_path();
        Ok(path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned()))
    }

    async fn file(&mut self, this: Resource<Image>) -> CallResult<Resource<File>> {
        let call = self.enter_hypervisor("hypervisor.[method]image.file")?;
        let file = self.image(&this)?.at.written()?;
        let file = self.table.push(file)?;
        call.done(Ok(file))
    }

    async fn resize(&mut self, this: Resource<Image>, size: String, extra: Vec<String>) -> CallResult<()> {
        let mut call = self.enter_hypervisor("hypervisor.[method]image.resize")?;
        self.permit_raw(&extra)?;
        let (image, qemu_img) = (self.image(&this)?, self.qemu_img()?);
        call.target(image.at.display());
        let path = image.at.host_path();
        let done = qemu_img.resize(&path, &image.format(), &size, &extra, &call.cancel).await;
        call.done(done.map_err(|e| image_error(&e)))
    }

    async fn compact(
        &mut self,
        this: Resource<Image>,
        format: ImageFormat,
        compress: bool,
        extra: Vec<String>,
    ) -> CallResult<()> {
        let mut call = self.enter_hypervisor("hypervisor.[method]image.compact")?;
        self.permit_raw(&extra)?;
        let (image, qemu_img) = (self.image(&this)?, self.qemu_img()?);
        call.target(image.at.display());
        let done = rewrite(&qemu_img, &image, format_name(format), compress, &extra, &call.cancel).await;
        call.done(done)
    }

    async fn drop(&mut self, this: Resource<Image>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

/// Writes an image anew beside itself, then puts it in its place.
async fn rewrite(
    qemu_img: &QemuImg,
    image: &Image,
    format: &str,
    compress: bool,
    extra: &[String],
    cancel: &CancellationToken,
) -> CallResult<()> {
    let source = image.at.host_path();
    let mut name = source.as_os_str().to_owned();
    name.push(".convert");
    let target = PathBuf::from(name);
    let compression = if compress { Compression::Zlib } else { Compression::None };
    let source_format = image.format();
    let job = Convert {
        source: &source,
        source_format: &source_format,
        target: &target,
        format,
        compression,
        extra,
    };
    qemu_img.convert(job, cancel).await.map_err(|e| image_error(&e))?;
    std::fs::rename(&target, &source).inspect_err(|_| {
        let _ = std::fs::remove_file(&target);
    })?;
    image.is_now(format);
    Ok(())
}
