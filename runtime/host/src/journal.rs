//! The durable record of what a run made on this machine, written before it is made, so that
//! `kiln cleanup` can undo it after kiln was killed.
//!
//! One folder for each run, one JSON-lines file for each build, each line on disk before the call
//! returns. A run that is alive holds a lock on `lock` in its folder; its entries are left alone.
//!
//! ```text
//! open_runs ─▶ OpenRun (not locked) ─▶ undo_all: newest entry first, each idempotent ─▶ folder removed
//! ```
#![expect(
    clippy::disallowed_methods,
    reason = "this file is the journal: it opens only its own folder and removes only what it recorded"
)]

use crate::host::Host;
use crate::output;
use crate::sealed_cache::private_folder;
use kiln_plan::ComponentRef;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most bytes of one line.
const MAX_LINE: usize = 1 << 20;

/// Something that must be undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Entry {
    /// A process and when it began, in the system's own clock ticks.
    Process { pid: u32, start: u64, summary: String },
    /// A directory that is the build's own.
    Directory { path: PathBuf },
    /// A file that a builder writes: first `temporary`, then renamed to `path`. Removed only while it
    /// is that file, by its time of birth in nanoseconds since 1970.
    File { path: PathBuf, temporary: PathBuf, born: Option<u64> },
    /// An output directory; removed only while its marker carries this run's id.
    Output { path: PathBuf },
    /// A port of loopback, for the record.
    Port { port: u16 },
    /// Something outside this machine that a component made.
    Outside(Outside),
}

/// Something outside this machine, with all that a fresh instance of its component needs to undo it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Outside {
    /// Who made it.
    pub component: ComponentRef,
    /// SHA-256 of the component's bytes, hexadecimal: no other can be trusted to know its words.
    pub digest: String,
    /// The options of the step, as JSON, without secrets.
    pub options: String,
    /// The component's own word for what it is.
    pub kind: String,
    /// Its identity.
    pub key: String,
    /// What else its component needs, as JSON.
    pub data: String,
    /// One line for the user.
    pub summary: String,
}

impl Entry {
    /// What stays if nobody undoes it, in words; an entry is written before its thing is made.
    fn left(self) -> Option<String> {
        let there = |path: PathBuf| path.symlink_metadata().is_ok().then(|| path.display().to_string());
        match self {
            Self::Directory { path } | Self::Output { path } => there(path),
            Self::File { path, temporary, .. } => there(path).or_else(|| there(temporary)),
            Self::Outside(outside) => Some(outside.summary),
            Self::Process { .. } | Self::Port { .. } => None,
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Line {
    Made { number: u64, entry: Entry },
    Amended { number: u64, data: String },
    Done { number: u64 },
    Kept { number: u64 },
}

/// The journal of one build. Nothing is written before there is an entry.
#[derive(Debug)]
pub struct Journal {
    run: Option<Arc<RunJournal>>,
    name: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    file: Option<fs::File>,
    next: u64,
    /// Numbers of the builder's files, until they are an artifact.
    files: Vec<u64>,
    /// What components made outside and neither undid nor kept.
    outside: BTreeMap<u64, Outside>,
}

/// The folder of a live run.
#[derive(Debug)]
pub(crate) struct RunJournal {
    folder: PathBuf,
    lock: Mutex<Option<fs::File>>,
}

impl RunJournal {
    pub(crate) fn new(state_dir: &Path, run_id: &str) -> Self {
        Self { folder: state_dir.join("runs").join(run_id), lock: Mutex::new(None) }
    }

    /// Makes the folder and takes its lock, once.
    fn open(&self) -> io::Result<()> {
        let mut lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if lock.is_none() {
            private_folder(&self.folder)?;
            let file = fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(false)
                .open(self.folder.join("lock"))?;
            file.lock()?;
            *lock = Some(file);
        }
        Ok(())
    }

    /// Removes the folder if none of its builds left anything.
    pub(crate) fn close(&self) {
        let mut lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if lock.is_some() {
            let left = fs::read_dir(&self.folder).map_or(0, |items| {
                items
                    .filter_map(Result::ok)
                    .filter(|item| item.path().extension().is_some_and(|e| e == "jsonl"))
                    .count()
            });
            if left == 0 {
                let _ = fs::remove_dir_all(&self.folder);
            }
        }
        *lock = None;
    }
}

impl Journal {
    pub(crate) fn new(run: Arc<RunJournal>, build: &str) -> Self {
        let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' };
        let name: String = build.chars().map(plain).take(100).collect();
        // Two builds may have names that look alike here.
        let name = format!("{name}-{}.jsonl", crate::secrets::random_hex(3));
        Self { run: Some(run), name, state: Mutex::default() }
    }

    /// A journal that keeps nothing, for work outside of builds.
    pub(crate) fn nowhere() -> Self {
        Self { run: None, name: String::new(), state: Mutex::default() }
    }

    /// Writes an entry; gives its number. It is on disk when this returns.
    pub fn record(&self, entry: Entry) -> io::Result<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let number = state.next;
        let outside = match &entry {
            Entry::Outside(outside) => Some(outside.clone()),
            _ => None,
        };
        self.write(&mut state, &Line::Made { number, entry })?;
        state.next += 1;
        state.outside.extend(outside.map(|outside| (number, outside)));
        Ok(number)
    }

    pub(crate) fn record_output(&self, path: &Path) -> io::Result<u64> {
        self.record(Entry::Output { path: path.to_path_buf() })
    }

    /// A file of a builder, before it has its name.
    pub(crate) fn record_file(&self, path: PathBuf, temporary: PathBuf, born: Option<u64>) -> io::Result<()> {
        let number = self.record(Entry::File { path, temporary, born })?;
        self.state.lock().unwrap_or_else(PoisonError::into_inner).files.push(number);
        Ok(())
    }

    /// The builder's files are an artifact: they stay.
    pub(crate) fn keep_files(&self) -> io::Result<()> {
        let files = std::mem::take(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner).files);
        files.into_iter().try_for_each(|number| self.keep(number))
    }

    /// Replaces the data of an entry.
    pub(crate) fn amend(&self, number: u64, data: String) -> io::Result<()> {
        let mut state = self.change(number, &Line::Amended { number, data: data.clone() })?;
        if let Some(outside) = state.outside.get_mut(&number) {
            outside.data = data;
        }
        Ok(())
    }

    /// What components made outside and neither undid nor kept, oldest first.
    pub(crate) fn outside(&self) -> Vec<(u64, Outside)> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.outside.iter().map(|(number, outside)| (*number, outside.clone())).collect()
    }

    /// It was undone.
    pub fn done(&self, number: u64) -> io::Result<()> {
        self.change(number, &Line::Done { number })?.outside.remove(&number);
        Ok(())
    }

    /// It stays.
    pub(crate) fn keep(&self, number: u64) -> io::Result<()> {
        self.change(number, &Line::Kept { number })?.outside.remove(&number);
        Ok(())
    }

    /// The build left nothing: the file goes.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(run), true) = (&self.run, state.file.take().is_some()) {
            let _ = fs::remove_file(run.folder.join(&self.name));
        }
    }

    fn change(&self, number: u64, line: &Line) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if number >= state.next {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                format!("the journal has no entry {number}"),
            ));
        }
        self.write(&mut state, line)?;
        Ok(state)
    }

    fn write(&self, state: &mut State, line: &Line) -> io::Result<()> {
        let Some(run) = &self.run else { return Ok(()) };
        let mut text = serde_json::to_string(line)?;
        if text.len() > MAX_LINE {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                "an entry of the journal has more than 1 MiB",
            ));
        }
        text.push('\n');
        if state.file.is_none() {
            run.open()?;
            state.file =
                Some(fs::OpenOptions::new().append(true).create_new(true).open(run.folder.join(&self.name))?);
        }
        let Some(file) = &mut state.file else { return Ok(()) };
        file.write_all(text.as_bytes())?;
        file.sync_data()
    }

    /// What a run would leave if it ended now, in words, oldest first. Its machines and programs end
    /// with it and are not listed. For the run itself: others wait until it has ended.
    pub fn left_by(state_dir: &Path, run_id: &str) -> Vec<String> {
        let Ok(items) = fs::read_dir(state_dir.join("runs").join(run_id)) else { return Vec::new() };
        let journals = items.filter_map(Result::ok).map(|item| item.path());
        journals
            .filter(|path| path.extension().is_some_and(|e| e == "jsonl"))
            .filter_map(|path| fs::read_to_string(path).ok())
            .flat_map(|text| left_in(&text))
            .filter_map(|entry| entry.left())
            .collect()
    }

    /// The runs that ended without cleaning up. Live ones are not among them.
    pub fn open_runs(state_dir: &Path) -> io::Result<Vec<OpenRun>> {
        let runs = match fs::read_dir(state_dir.join("runs")) {
            Ok(runs) => runs,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut open: Vec<OpenRun> = runs
            .filter_map(Result::ok)
            .filter_map(|item| OpenRun::read(&item.path()).transpose())
            .collect::<io::Result<_>>()?;
        open.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(open)
    }
}

/// A run that left something behind. Holds the run's lock, so that nobody else cleans up as well.
#[derive(Debug)]
pub struct OpenRun {
    /// The run's id.
    pub id: String,
    /// What is left, oldest first.
    pub entries: Vec<Entry>,
    folder: PathBuf,
    _lock: fs::File,
}

impl OpenRun {
    /// `None` if the run is alive.
    fn read(folder: &Path) -> io::Result<Option<Self>> {
        let Some(id) = folder.file_name().map(|name| name.to_string_lossy().into_owned()) else {
            return Ok(None);
        };
        if !folder.symlink_metadata()?.is_dir() {
            return Ok(None);
        }
        let lock =
            fs::OpenOptions::new().write(true).create(true).truncate(false).open(folder.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Ok(None),
            Err(fs::TryLockError::Error(error)) => return Err(error),
        }
        let mut entries = Vec::new();
        for item in fs::read_dir(folder)?.filter_map(Result::ok) {
            if item.path().extension().is_some_and(|e| e == "jsonl") {
                entries.extend(left_in(&fs::read_to_string(item.path())?));
            }
        }
        Ok(Some(Self { id, entries, folder: folder.to_path_buf(), _lock: lock }))
    }

    /// Whether components made something outside this machine, which only they can undo.
    pub fn has_outside(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry, Entry::Outside(_)))
    }

    /// Undoes everything, newest first, and forgets the run if nothing is left. What components made
    /// is undone by fresh instances of the same components, out of `host`.
    /// Gives one line for each thing that was removed, and one for each that is still there.
    pub async fn undo_all(self, host: Option<&Host>) -> (Vec<String>, Vec<String>) {
        let (mut removed, mut left) = (Vec::new(), Vec::new());
        for entry in self.entries.iter().rev() {
            match self.undo(entry, host).await {
                Ok(Some(line)) => removed.push(line),
                Ok(None) => {}
                Err(line) => left.push(line),
            }
        }
        if left.is_empty() {
            let _ = fs::remove_dir_all(&self.folder);
        }
        (removed, left)
    }

    async fn undo(&self, entry: &Entry, host: Option<&Host>) -> Result<Option<String>, String> {
        match entry {
            Entry::Process { pid, start, summary } => {
                // A number that another process bears by now is left alone.
                let ended = kiln_machine::kill_recorded(*pid, *start).await;
                Ok(ended.then(|| format!("ended {summary} (process {pid})")))
            }
            Entry::Directory { path } => remove(path),
            Entry::File { path, temporary, born } => {
                let own =
                    |place: &Path| fs::symlink_metadata(place).is_ok_and(|m| born_at(m.created()) == *born);
                match [path, temporary].into_iter().find(|place| own(place)) {
                    Some(place) => remove(place),
                    None => Ok(None),
                }
            }
            Entry::Output { path } => {
                if output::marker_of(path).as_deref() == Some(self.id.as_str()) {
                    remove(path)
                } else {
                    Ok(None)
                }
            }
            Entry::Port { .. } => Ok(None),
            Entry::Outside(outside) => {
                let undone = match host {
                    Some(host) => host.undo(outside).await,
                    None => Err(format!("the {} has to remove it", outside.component)),
                };
                let summary = &outside.summary;
                undone.map(|()| Some(format!("removed {summary}"))).map_err(|why| format!("{summary}: {why}"))
            }
        }
    }
}

/// Entries that were neither undone nor kept. A line that was cut off by the end of kiln is the
/// last one and counts as not written: what it announces was not made.
fn left_in(text: &str) -> Vec<Entry> {
    let mut entries: Vec<(u64, Entry)> = Vec::new();
    for line in text.lines() {
        match serde_json::from_str(line) {
            Ok(Line::Made { number, entry }) => entries.push((number, entry)),
            Ok(Line::Amended { number, data: new }) => {
                if let Some((_, Entry::Outside(outside))) = entries.iter_mut().find(|(n, _)| *n == number) {
                    outside.data = new;
                }
            }
            Ok(Line::Done { number } | Line::Kept { number }) => entries.retain(|(n, _)| *n != number),
            Err(_) => {}
        }
    }
    entries.into_iter().map(|(_, entry)| entry).collect()
}

/// A time of birth as it is recorded; none where the file system keeps none.
pub(crate) fn born_at(time: io::Result<std::time::SystemTime>) -> Option<u64> {
    let since = time.ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    u64::try_from(since.as_nanos()).ok()
}

fn remove(path: &Path) -> Result<Option<String>, String> {
    match output::remove_any(path) {
        Ok(()) => Ok(Some(format!("removed {}", path.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("cannot remove {}: {error}", path.display())),
    }
}
