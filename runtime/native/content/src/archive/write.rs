//! Writes tar and zip. Names are checked, owners are root, and an input that changes its size while it is read is an
//! error instead of a broken archive.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::safe_name::SafeName;
use super::{Entry, Times};
use crate::compress::Watch;

/// From here on a zip entry needs the 64-bit form; deflate may grow what it cannot shrink.
const ZIP64_FROM: u64 = 4_000_000_000;
const SECONDS_A_DAY: u64 = 86_400;

/// Writes a tar archive and gives its output back.
pub(crate) fn write_tar_to<W: Write>(
    output: W,
    entries: Vec<Entry>,
    times: Times,
    watch: &Watch,
) -> io::Result<W> {
    // Headers and padding are small writes.
    let mut tar = tar::Builder::new(BufWriter::with_capacity(512 * 1024, output));
    for entry in entries {
        let name = checked(&entry.name)?;
        let meta = entry.file.metadata()?;
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_size(meta.len());
        header.set_mode(entry.mode & 0o7777);
        header.set_mtime(seconds(times, meta.modified().ok()));
        header.set_uid(0);
        header.set_gid(0);
        let mut data = Exactly { inner: watch.reader(entry.file), left: meta.len() };
        tar.append_data(&mut header, name.path(), &mut data)?;
    }
    tar.into_inner()?.into_inner().map_err(io::IntoInnerError::into_error)
}

/// Writes a zip archive and gives its output back.
pub(crate) fn write_zip_to(
    output: File,
    entries: Vec<Entry>,
    times: Times,
    level: Option<u32>,
    watch: &Watch,
) -> io::Result<File> {
    let mut zip = ZipWriter::new(BufWriter::with_capacity(512 * 1024, output));
    for entry in entries {
        let name = checked(&entry.name)?;
        let meta = entry.file.metadata()?;
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(i64::from(level.unwrap_or(6).clamp(1, 9))))
            .large_file(meta.len() >= ZIP64_FROM)
            .unix_permissions(entry.mode & 0o7777)
            .last_modified_time(dos_time(seconds(times, meta.modified().ok())));
        zip.start_file(name.path(), options)?;
        let mut data = Exactly { inner: watch.reader(entry.file), left: meta.len() };
        io::copy(&mut data, &mut zip)?;
    }
    zip.finish()?.into_inner().map_err(io::IntoInnerError::into_error)
}

fn checked(name: &str) -> io::Result<SafeName> {
    let invalid = |why: String| io::Error::new(io::ErrorKind::InvalidInput, why);
    SafeName::parse(name.as_bytes())
        .map_err(|e| invalid(e.to_string()))?
        .ok_or_else(|| invalid(format!("{name} names no file")))
}

/// Gives as many bytes as were promised, or fails.
struct Exactly<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Exactly<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.inner.read(buffer.get_mut(..room).unwrap_or_default())?;
        if count == 0 && room > 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "a file became shorter while it was archived",
            ));
        }
        self.left -= count as u64;
        Ok(count)
    }
}

fn seconds(times: Times, modified: Option<SystemTime>) -> u64 {
    match times {
        Times::Fixed(seconds) => seconds,
        Times::Preserve => {
            modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map_or(0, |d| d.as_secs())
        }
    }
}

/// Zip's calendar time, in UTC, clamped to the years it knows.
fn dos_time(seconds: u64) -> DateTime {
    let (year, month, day) = civil(seconds / SECONDS_A_DAY);
    let clock = seconds % SECONDS_A_DAY;
    let part = |value: u64| u8::try_from(value).unwrap_or(0);
    let time = u16::try_from(year).ok().and_then(|year| {
        DateTime::from_date_and_time(
            year,
            part(month),
            part(day),
            part(clock / 3600),
            part(clock / 60 % 60),
            part(clock % 60),
        )
        .ok()
    });
    time.unwrap_or_default()
}

/// Year, month and day of a day counted from 1970, by walking whole years: archives are not older than their users.
fn civil(mut days: u64) -> (u64, u64, u64) {
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let mut year = 1970;
    while year < 2200 && days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 1;
    for length in lengths {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates() {
        // By `date -u -d @SECONDS`.
        for (seconds, date) in [
            (0, (1970, 1, 1)),
            (951_782_400, (2000, 2, 29)),
            (951_868_800, (2000, 3, 1)),
            (1_735_603_200, (2024, 12, 31)),
            (4_107_542_400, (2100, 3, 1)),
        ] {
            assert_eq!(civil(seconds / SECONDS_A_DAY), date, "{seconds}");
        }
        assert_eq!(dos_time(0), DateTime::default());
    }
}
