//! The screen: pictures of it, and waiting until it is still.
//!
//! Still means: for a while no picture that was never seen before (a blinking cursor alternates between
//! two or three, so neighbours differ for ever) and nothing read from a disk. Reads say that the machine
//! has left the firmware: before any boot medium was read, a firmware's text may stand still and no
//! boot command should be typed yet. A machine whose processors sleep as well waits for somebody, so a
//! shorter while will do; one that polls its keyboard in a loop needs the longer.

#![expect(clippy::disallowed_methods, reason = "QEMU writes pictures into the machine's run directory")]

use super::{Vm, VmError};
use crate::process::processor_time;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;

/// Between two pictures while waiting.
const PERIOD: Duration = Duration::from_millis(100);
/// An 8K screen has 100 MB as PPM.
const LARGEST: u64 = 128 * 1024 * 1024;

/// How waiting for a still screen ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StillScreen {
    /// It did, for this long.
    Still(Duration),
    /// It did not until the longest wait was over.
    Moving,
}

impl Vm {
    /// The screen as PNG.
    ///
    /// # Errors
    /// [`VmError::Screen`] or [`VmError::Qmp`].
    pub async fn screenshot(&self) -> Result<Vec<u8>, VmError> {
        if self.qmp.schema().await?.has_argument("screendump", "format") {
            return self.dump(Some("png")).await;
        }
        let picture = self.dump(None).await?;
        tokio::task::spawn_blocking(move || to_png(&picture))
            .await
            .unwrap_or_else(|error| Err(error.to_string()))
            .map_err(VmError::Screen)
    }

    /// Waits until the screen stands still after the machine has read from a disk, but no longer than
    /// `longest`: for `quiet` (1.5 s is a good value), or for `asleep` while its processors sleep.
    ///
    /// # Errors
    /// [`VmError::Screen`] or [`VmError::Qmp`].
    pub async fn wait_for_still_screen(
        &self,
        quiet: Duration,
        asleep: Duration,
        longest: Duration,
    ) -> Result<StillScreen, VmError> {
        let start = Instant::now();
        let mut seen = HashSet::new();
        let mut reads = 0;
        let (mut changed, mut awake) = (start, start);
        let mut processors = Processors::new(self).await?;
        let mut ticks = tokio::time::interval(PERIOD);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while start.elapsed() < longest {
            ticks.tick().await;
            let mut hasher = DefaultHasher::new();
            self.dump(None).await?.hash(&mut hasher);
            let now = self.disk_reads().await?;
            if seen.insert(hasher.finish()) || now != reads {
                reads = now;
                changed = Instant::now();
            }
            if processors.were_awake() {
                awake = Instant::now();
            }
            let still = changed.elapsed();
            if reads > 0 && (still >= quiet || still >= asleep && awake.elapsed() >= asleep) {
                return Ok(StillScreen::Still(still));
            }
        }
        Ok(StillScreen::Moving)
    }

    /// Read operations of all disks and CDs; the firmware's own flash does not count.
    async fn disk_reads(&self) -> Result<u64, VmError> {
        let drives = self.qmp.execute("query-blockstats", Value::Null).await?;
        let text =
            |drive: &Value, key: &str| drive.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(drives
            .as_array()
            .into_iter()
            .flatten()
            .filter(|drive| !format!("{}{}", text(drive, "device"), text(drive, "qdev")).contains("flash"))
            .filter_map(|drive| drive.pointer("/stats/rd_operations").and_then(Value::as_u64))
            .fold(0, u64::saturating_add))
    }

    async fn dump(&self, format: Option<&str>) -> Result<Vec<u8>, VmError> {
        let number = self.pictures.fetch_add(1, Ordering::Relaxed);
        let path = self.run_directory.join(format!("screen-{number}"));
        let name = path.to_str().ok_or_else(|| VmError::Screen("the run directory is not UTF-8".into()))?;
        let arguments = match format {
            Some(format) => json!({ "filename": name, "format": format }),
            None => json!({ "filename": name }),
        };
        let dumped = self.qmp.execute("screendump", arguments).await;
        let length = std::fs::metadata(&path).map(|it| it.len()).unwrap_or_default();
        let bytes = if length > LARGEST {
            Err(std::io::ErrorKind::FileTooLarge.into())
        } else {
            std::fs::read(&path)
        };
        let _ = std::fs::remove_file(&path);
        dumped?;
        bytes.map_err(|error| VmError::Screen(error.to_string()))
    }
}

/// The threads that are a machine's processors, each with what it had run and waited at the last look.
struct Processors {
    pid: u32,
    threads: Vec<(u32, Option<(Duration, Duration)>)>,
    looked: Instant,
}

impl Processors {
    async fn new(vm: &Vm) -> Result<Self, VmError> {
        let found = vm.qmp.execute("query-cpus-fast", Value::Null).await?;
        let thread = |cpu: &Value| u32::try_from(cpu.get("thread-id")?.as_u64()?).ok();
        let threads = found.as_array().into_iter().flatten().filter_map(thread).map(|id| (id, None));
        Ok(Self { pid: vm.process.pid(), threads: threads.collect(), looked: Instant::now() })
    }

    /// Whether one of them worked since the last look; what is not known is yes. To sleep is to run a
    /// tenth of the time at most and to want no more: a thread that other programs starve may be busy.
    fn were_awake(&mut self) -> bool {
        let since = self.looked.elapsed();
        self.looked = Instant::now();
        let mut awake = self.threads.is_empty();
        for (thread, last) in &mut self.threads {
            let now = processor_time(self.pid, *thread);
            let spent = now.zip(*last).map(|(now, last)| {
                let (ran, waited) = (now.0.saturating_sub(last.0), now.1.saturating_sub(last.1));
                (ran, ran.saturating_add(waited))
            });
            awake |= spent.is_none_or(|(ran, wanted)| ran > since / 10 || wanted > since / 2);
            *last = now;
        }
        awake
    }
}

/// Binary PPM (`P6 WIDTH HEIGHT 255`, then RGB) → PNG.
fn to_png(picture: &[u8]) -> Result<Vec<u8>, String> {
    let mut fields = picture.splitn(4, |byte| byte.is_ascii_whitespace());
    let mut number = || -> Option<u32> { std::str::from_utf8(fields.next()?).ok()?.parse().ok() };
    let magic = picture.starts_with(b"P6");
    number();
    let (Some(width), Some(height), true) = (number(), number(), magic) else {
        return Err("qemu's picture is not PPM".into());
    };
    let size = usize::try_from((u64::from(width) * u64::from(height)).saturating_mul(3))
        .map_err(|_| "too large".to_owned())?;
    let start = picture.len().checked_sub(size).ok_or("qemu's picture is cut off")?;
    let pixels = picture.get(start..).unwrap_or_default();
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().map_err(|error| error.to_string())?;
    writer.write_image_data(pixels).map_err(|error| error.to_string())?;
    writer.finish().map_err(|error| error.to_string())?;
    Ok(png)
}

#[cfg(test)]
mod tests {
    use super::to_png;

    #[test]
    fn a_picture_survives_the_way_from_ppm_to_png() {
        let pixels = [255, 0, 0, 0, 255, 0, 10, 32, 9, 1, 2, 3];
        let picture = [b"P6\n2 2\n255\n".as_slice(), &pixels].concat();
        let png = to_png(&picture).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut back = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut back).unwrap();
        assert_eq!(back, pixels);
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        for bad in [
            b"".as_slice(),
            b"P6",
            b"P6\n9 9\n255\nshort",
            b"P5\n1 1\n255\nabc",
            b"P6\n4294967295 4294967295\n255\n",
        ] {
            assert!(to_png(bad).is_err(), "{bad:?}");
        }
    }
}
