//! `files` (always for content that is held, designation for places): handles to content. Threat:
//! paths that lead out of a directory, bombs, memory; see [`crate::output`] and [`crate::file`].

mod pack;

use super::{Authority, Call};
use crate::bindings::kiln::host::files::{
    self, ArchiveEntry, Compression, Container, DigestAlgorithm, DirectoryItem, Transformation,
};
use crate::bindings::kiln::host::types::ErrorCode;
use crate::error::{CallError, CallResult, fail};
use crate::file::{File, MAX_HELD, MAX_READ};
use crate::output::{Lock, Output, Policy, Root, plain_path};
use crate::state::State;
use cap_std::fs::Dir;
use kiln_content::digest::{Algorithm, hash_reader};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use wasmtime::component::Resource;

/// The most items of a directory.
const MAX_ITEMS: usize = 100_000;
/// The most parts of a concatenation or entries of an archive.
const MAX_PARTS: usize = 100_000;
/// How often a lock is tried.
const LOCK_EVERY: Duration = Duration::from_millis(50);

/// An opened directory. Everything below it is reached through the handle.
#[derive(Debug, Clone)]
pub struct DirectoryHandle {
    pub(crate) dir: Arc<Dir>,
    pub(crate) path: PathBuf,
}

impl DirectoryHandle {
    pub(crate) fn new(dir: Dir, path: PathBuf) -> Self {
        Self { dir: Arc::new(dir), path }
    }

    /// The opened directory, for the host's own work below it.
    pub(crate) fn opened(&self) -> CallResult<Dir> {
        Ok(self.dir.try_clone()?)
    }

    /// The last part of its name.
    pub(crate) fn file_name(&self) -> String {
        self.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    fn items(&self) -> CallResult<Vec<DirectoryItem>> {
        let mut items = Vec::new();
        for item in self.dir.entries()? {
            let item = item?;
            if items.len() >= MAX_ITEMS {
                return Err(fail(ErrorCode::Limit, "the directory has more than 100,000 items"));
            }
            // A name that is not Unicode cannot be given back; a link is what it leads to inside.
            let Ok(name) = item.file_name().into_string() else { continue };
            let Ok(meta) = self.dir.metadata(&name) else { continue };
            if meta.is_dir() || meta.is_file() {
                let size = if meta.is_dir() { 0 } else { meta.len() };
                items.push(DirectoryItem { name, is_directory: meta.is_dir(), size });
            }
        }
        items.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(items)
    }

    /// A file below it; a FIFO does not make anybody wait.
    pub(crate) fn file(&self, path: &str) -> CallResult<File> {
        let below = plain_path(path)?;
        let mut options = cap_std::fs::OpenOptions::new();
        options.read(true);
        #[cfg(unix)]
        {
            use cap_std::fs::OpenOptionsExt;
            options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
        }
        let file = self.dir.open_with(&below, &options).map_err(|e| named(&below, &e))?;
        File::opened(file.into_std(), &self.path.join(&below)).map_err(|e| named(&below, &e))
    }

    fn subdirectory(&self, path: &str) -> CallResult<Self> {
        let below = plain_path(path)?;
        let dir = self.dir.open_dir(&below).map_err(|e| named(&below, &e))?;
        Ok(Self::new(dir, self.path.join(below)))
    }
}

fn named(path: &Path, error: &std::io::Error) -> CallError {
    CallError::from(std::io::Error::new(error.kind(), format!("cannot open `{}`: {error}", path.display())))
}

impl State {
    /// Takes content that a guest holds in memory, within the bound.
    pub(crate) fn hold(&mut self, file: File) -> CallResult<Resource<File>> {
        self.held = self.held.saturating_add(file.held());
        if self.held > self.max_held {
            return Err(fail(
                ErrorCode::Limit,
                format!("the step holds more than {} bytes in files", self.max_held),
            ));
        }
        Ok(self.table.push(file)?)
    }

    fn plain(&self, file: &Resource<File>) -> CallResult<File> {
        Ok(self.table.get(file)?.plain(&self.step.build.vault))
    }
}

/// What a call does to an output, on a blocking thread.
async fn on_output<T: Send + 'static>(
    call: &Call,
    output: Output,
    work: impl FnOnce(Output) -> CallResult<T> + Send + 'static,
) -> CallResult<T> {
    call.blocking(move || work(output)).await
}

impl files::HostFile for State {
    async fn name(&mut self, this: Resource<File>) -> wasmtime::Result<String> {
        let _call = Call::always(self, "files.[method]file.name")?;
        Ok(self.table.get(&this)?.name().to_owned())
    }

    async fn size(&mut self, this: Resource<File>) -> CallResult<u64> {
        let call = Call::enter(self, "files.[method]file.size", Authority::Always)?;
        let result = self.table.get(&this)?.size().map_err(Into::into);
        call.done(result)
    }

    async fn mode(&mut self, this: Resource<File>) -> wasmtime::Result<u32> {
        let _call = Call::always(self, "files.[method]file.mode")?;
        Ok(self.table.get(&this)?.mode())
    }

    async fn read(&mut self, this: Resource<File>, offset: u64, length: u32) -> CallResult<Vec<u8>> {
        let mut call = Call::enter(self, "files.[method]file.read", Authority::Always)?;
        let file = self.table.get(&this)?.clone();
        call.target(file.name());
        let work = move || {
            let size = file.size()?.saturating_sub(offset).min(u64::from(length.min(MAX_READ)));
            let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
            let count = file.read_at(offset, &mut bytes)?;
            bytes.truncate(count);
            Ok(bytes)
        };
        let result = if self.table.get(&this)?.in_memory() { work() } else { call.blocking(work).await };
        call.bytes(result.as_ref().map_or(0, |bytes| bytes.len() as u64));
        call.done(result)
    }

    async fn text(&mut self, this: Resource<File>, limit: u32) -> CallResult<String> {
        let mut call = Call::enter(self, "files.[method]file.text", Authority::Always)?;
        let file = self.table.get(&this)?.clone();
        call.target(file.name());
        let name = file.name().to_owned();
        let result = call
            .blocking(move || {
                let bytes = file.whole(limit.min(MAX_READ) as usize).map_err(|e| match e.kind() {
                    std::io::ErrorKind::FileTooLarge => fail(ErrorCode::Limit, e.to_string()),
                    _ => e.into(),
                })?;
                String::from_utf8(bytes)
                    .map_err(|_| fail(ErrorCode::Invalid, format!("`{name}` is not UTF-8 text")))
            })
            .await;
        call.bytes(result.as_ref().map_or(0, |text| text.len() as u64));
        call.done(result)
    }

    async fn digest(&mut self, this: Resource<File>, algorithm: DigestAlgorithm) -> CallResult<String> {
        let mut call = Call::enter(self, "files.[method]file.digest", Authority::Always)?;
        let file = self.table.get(&this)?.clone();
        call.target(file.name());
        let (algorithm, cancel) = (algorithm_of(algorithm), call.cancel.clone());
        let result = call
            .blocking(move || {
                hash_reader(&mut file.reader(), &[algorithm], &|_| (), &cancel)
                    .map_err(|e| fail(ErrorCode::Failed, e.to_string()))?
                    .first()
                    .map(kiln_content::digest::Digest::hex)
                    .ok_or_else(|| fail(ErrorCode::Failed, "nothing was hashed"))
            })
            .await;
        if let Ok(digest) = &result {
            call.digest(digest);
        }
        call.done(result)
    }

    async fn slice(&mut self, this: Resource<File>, offset: u64, length: u64) -> CallResult<Resource<File>> {
        let call = Call::enter(self, "files.[method]file.slice", Authority::Always)?;
        let part = self.table.get(&this)?.slice(offset, length);
        let result = part.and_then(|part| self.hold(part));
        call.done(result)
    }

    async fn transform(&mut self, this: Resource<File>, by: Transformation) -> CallResult<Resource<File>> {
        let mut call = Call::enter(self, "files.[method]file.transform", Authority::Always)?;
        let file = self.table.get(&this)?.clone();
        call.target(file.name());
        let changed = match by {
            Transformation::UnixLineEndings => pack::unix_line_endings(&call, &self.step, file).await,
            Transformation::Decompress => pack::decompress(&call, &self.step, file).await,
        };
        let result = changed.and_then(|file| self.hold(file));
        call.done(result)
    }

    async fn drop(&mut self, this: Resource<File>) -> wasmtime::Result<()> {
        let file = self.table.delete(this)?;
        self.held = self.held.saturating_sub(file.held());
        Ok(())
    }
}

impl files::HostDirectory for State {
    async fn name(&mut self, this: Resource<DirectoryHandle>) -> wasmtime::Result<String> {
        let _call = Call::always(self, "files.[method]directory.name")?;
        let path = &self.table.get(&this)?.path;
        Ok(path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned()))
    }

    async fn items(&mut self, this: Resource<DirectoryHandle>) -> CallResult<Vec<DirectoryItem>> {
        let call = Call::enter(self, "files.[method]directory.items", Authority::Always)?;
        let directory = self.table.get(&this)?.clone();
        let result = call.blocking(move || directory.items()).await;
        call.done(result)
    }

    async fn file(&mut self, this: Resource<DirectoryHandle>, path: String) -> CallResult<Resource<File>> {
        let mut call = Call::enter(self, "files.[method]directory.file", Authority::Always)?;
        call.target(path.clone());
        let directory = self.table.get(&this)?.clone();
        let file = call.blocking(move || directory.file(&path)).await;
        let result = file.and_then(|file| Ok(self.table.push(file)?));
        call.done(result)
    }

    async fn subdirectory(
        &mut self,
        this: Resource<DirectoryHandle>,
        path: String,
    ) -> CallResult<Resource<DirectoryHandle>> {
        let mut call = Call::enter(self, "files.[method]directory.subdirectory", Authority::Always)?;
        call.target(path.clone());
        let directory = self.table.get(&this)?.clone();
        let below = call.blocking(move || directory.subdirectory(&path)).await;
        let result = below.and_then(|below| Ok(self.table.push(below)?));
        call.done(result)
    }

    async fn drop(&mut self, this: Resource<DirectoryHandle>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl files::HostOutput for State {
    async fn display(&mut self, this: Resource<Output>) -> wasmtime::Result<String> {
        let _call = Call::always(self, "files.[method]output.display")?;
        Ok(self.table.get(&this)?.display())
    }

    async fn child(&mut self, this: Resource<Output>, path: String) -> CallResult<Resource<Output>> {
        let mut call = Call::enter(self, "files.[method]output.child", Authority::Designation)?;
        call.target(path.clone());
        let vault = &self.step.build.vault;
        let child = if vault.has_sealed(&path) || vault.redactor().finds(&path) {
            Err(fail(ErrorCode::Invalid, "the name of a file must not have a secret in it"))
        } else {
            self.table.get(&this)?.child(&path)
        };
        let result = child.and_then(|child| Ok(self.table.push(child)?));
        call.done(result)
    }

    async fn existing(&mut self, this: Resource<Output>) -> CallResult<Option<Resource<File>>> {
        let mut call = Call::enter(self, "files.[method]output.existing", Authority::Designation)?;
        let output = self.table.get(&this)?.clone();
        call.target(output.display());
        let found = on_output(&call, output, |output| output.existing()).await;
        let result = found.and_then(|found| found.map(|file| Ok(self.table.push(file)?)).transpose());
        call.done(result)
    }

    async fn make_directory(&mut self, this: Resource<Output>) -> CallResult<()> {
        let mut call = Call::enter(self, "files.[method]output.make-directory", Authority::Designation)?;
        let output = self.table.get(&this)?.clone();
        call.target(output.display());
        let result = on_output(&call, output, |output| output.make_directory()).await;
        call.done(result)
    }

    async fn write(
        &mut self,
        this: Resource<Output>,
        content: Resource<File>,
        mode: u32,
    ) -> CallResult<Resource<File>> {
        let mut call = Call::enter(self, "files.[method]output.write", Authority::Designation)?;
        let output = self.table.get(&this)?.clone();
        call.target(output.display());
        // A scratch file is not a sink: what is written there can be read again.
        let content =
            if output.is_scratch() { self.table.get(&content)?.clone() } else { self.plain(&content)? };
        call.bytes(content.size().unwrap_or(0));
        let written = on_output(&call, output, move |output| output.write(&content, mode)).await;
        let result = written.and_then(|file| Ok(self.table.push(file)?));
        call.done(result)
    }

    async fn append(
        &mut self,
        this: Resource<Output>,
        content: Resource<File>,
    ) -> CallResult<Resource<File>> {
        let mut call = Call::enter(self, "files.[method]output.append", Authority::Designation)?;
        let output = self.table.get(&this)?.clone();
        call.target(output.display());
        let content =
            if output.is_scratch() { self.table.get(&content)?.clone() } else { self.plain(&content)? };
        call.bytes(content.size().unwrap_or(0));
        let written = on_output(&call, output, move |output| output.append(&content)).await;
        let result = written.and_then(|file| Ok(self.table.push(file)?));
        call.done(result)
    }

    async fn directory(&mut self, this: Resource<Output>) -> CallResult<Resource<DirectoryHandle>> {
        let mut call = Call::enter(self, "files.[method]output.directory", Authority::Designation)?;
        let output = self.table.get(&this)?.clone();
        call.target(output.display());
        let path = output.host_path();
        let dir = on_output(&call, output, |output| output.open_directory()).await;
        let result = dir.and_then(|dir| Ok(self.table.push(DirectoryHandle::new(dir, path))?));
        call.done(result)
    }

    async fn remove(&mut self, this: Resource<Output>) -> CallResult<()> {
        let mut call = Call::enter(self, "files.[method]output.remove", Authority::Designation)?;
        let output = self.table.get(&this)?.clone();
        call.target(output.display());
        let result = on_output(&call, output, |output| output.remove()).await;
        call.done(result)
    }

    async fn lock(&mut self, this: Resource<Output>, timeout_ms: u64) -> CallResult<Resource<Lock>> {
        let mut call = Call::enter(self, "files.[method]output.lock", Authority::Designation)?;
        let output = self.table.get(&this)?.clone();
        call.target(output.display());
        let deadline = Instant::now().checked_add(Duration::from_millis(timeout_ms));
        let lock = loop {
            let output = output.clone();
            let display = output.display();
            match on_output(&call, output, |output| Ok(output.try_lock()?)).await {
                Ok(Some(lock)) => break Ok(lock),
                Err(error) => break Err(error),
                Ok(None) if deadline.is_some_and(|deadline| Instant::now() >= deadline) => {
                    break Err(fail(
                        ErrorCode::TimedOut,
                        format!("`{display}` stayed locked by another process"),
                    ));
                }
                Ok(None) => {}
            }
            let waited = call.wait(async {
                tokio::time::sleep(LOCK_EVERY).await;
                Ok(())
            });
            if let Err(error) = waited.await {
                break Err(error);
            }
        };
        let result = lock.and_then(|lock| Ok(self.table.push(lock)?));
        call.done(result)
    }

    async fn drop(&mut self, this: Resource<Output>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl files::HostLock for State {
    async fn drop(&mut self, this: Resource<Lock>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl files::Host for State {
    async fn from_text(&mut self, name: String, text: String) -> CallResult<Resource<File>> {
        let call = Call::enter(self, "files.from-text", Authority::Always)?;
        if text.len() > MAX_HELD {
            return call.done(Err(fail(ErrorCode::Limit, "a text file has 16 MiB at most")));
        }
        let result = self.hold(File::text(&name, &text));
        call.done(result)
    }

    async fn from_bytes(&mut self, name: String, bytes: Vec<u8>) -> CallResult<Resource<File>> {
        let call = Call::enter(self, "files.from-bytes", Authority::Always)?;
        if bytes.len() > MAX_HELD {
            return call.done(Err(fail(ErrorCode::Limit, "a file of bytes has 16 MiB at most")));
        }
        let result = self.hold(File::bytes(&name, &bytes));
        call.done(result)
    }

    async fn concat(&mut self, name: String, parts: Vec<Resource<File>>) -> CallResult<Resource<File>> {
        let call = Call::enter(self, "files.concat", Authority::Always)?;
        if parts.len() > MAX_PARTS {
            return call.done(Err(fail(ErrorCode::Limit, "a file has 100,000 parts at most")));
        }
        let parts: Result<Vec<File>, _> = parts.iter().map(|part| self.table.get(part).cloned()).collect();
        let file = File::concat(&name, parts?);
        // Parts of parts of parts are read by recursion.
        if file.depth() > 32 {
            return call.done(Err(fail(ErrorCode::Limit, "the parts of a file are nested too deeply")));
        }
        let result = self.hold(file);
        call.done(result)
    }

    async fn archive(
        &mut self,
        entries: Vec<ArchiveEntry>,
        container: Container,
        compression: Compression,
        level: u32,
        destination: Resource<Output>,
    ) -> CallResult<Resource<File>> {
        let mut call = Call::enter(self, "files.archive", Authority::Designation)?;
        let output = self.table.get(&destination)?.clone();
        call.target(output.display());
        if entries.len() > MAX_PARTS {
            return call.done(Err(fail(ErrorCode::Limit, "an archive has 100,000 entries at most")));
        }
        let scratch = output.is_scratch();
        let mut members = Vec::with_capacity(entries.len());
        for entry in &entries {
            let content =
                if scratch { self.table.get(&entry.content)?.clone() } else { self.plain(&entry.content)? };
            members.push((entry.name.clone(), content));
        }
        let packed = pack::archive(&call, &self.step, members, container, compression, level, output).await;
        let result = packed.and_then(|file| Ok(self.table.push(file)?));
        call.done(result)
    }

    async fn scratch(&mut self, name: String) -> CallResult<Resource<Output>> {
        let call = Call::enter(self, "files.scratch", Authority::Role(super::Role::ACTIVE))?;
        let (step, maker) = (self.step.clone(), self.maker());
        let output = call
            .blocking(move || {
                let below = plain_path(&name)?;
                let build = &step.build;
                // Each step has its own part of the build's folder.
                let path = build.scratch()?.join(format!("step-{}", step.id())).join(&below);
                Ok(Output::new(Root {
                    path,
                    display: below.to_string_lossy().into_owned(),
                    policy: Policy::Scratch,
                    force: true,
                    maker,
                    made: Arc::default(),
                    run_id: build.run_id(),
                    journal: build.journal.clone(),
                }))
            })
            .await;
        let result = output.and_then(|output| Ok(self.table.push(output)?));
        call.done(result)
    }
}

fn algorithm_of(algorithm: DigestAlgorithm) -> Algorithm {
    match algorithm {
        DigestAlgorithm::Md5 => Algorithm::Md5,
        DigestAlgorithm::Sha1 => Algorithm::Sha1,
        DigestAlgorithm::Sha224 => Algorithm::Sha224,
        DigestAlgorithm::Sha256 => Algorithm::Sha256,
        DigestAlgorithm::Sha384 => Algorithm::Sha384,
        DigestAlgorithm::Sha512 => Algorithm::Sha512,
    }
}
