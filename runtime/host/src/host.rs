//! The sandbox as a library: what it is given, what it knows, and the runs that it starts.
//!
//! Main type: [`Host`]. Nothing is read from the environment; folders, variables and components are
//! given in [`HostOptions`]. A component costs nothing before it is used.

use crate::build::{BuildInner, undo};
use crate::component::{Described, Description, Entry, Source};
use crate::error::LoadError;
use crate::groups::communicator;
use crate::journal::Outside;
use crate::limits::Limits;
use crate::outgoing::Resolver;
use crate::run::{Run, RunOptions};
use crate::sealed_cache::SealedCache;
use crate::show::LineBudget;
use crate::state::{State, StepCtx};
use crate::wasm;
use kiln_plan::grant::Grants;
use kiln_plan::{ComponentRef, Kind, Schema, Step};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use wasmtime::component::{HasSelf, Linker};

/// A component that comes with the program. Its grants belong to exactly these bytes.
#[derive(Debug, Clone)]
pub struct Bundled {
    /// What it is.
    pub kind: Kind,
    /// The type that templates use.
    pub name: String,
    /// The component.
    pub bytes: Cow<'static, [u8]>,
    /// What it may do; `None` for what it asks for, since its bytes are the program's own.
    pub grants: Option<Grants>,
}

/// A component that the user installed.
#[derive(Debug, Clone)]
pub struct ThirdParty {
    /// What the template calls it.
    pub component: ComponentRef,
    /// Its bytes.
    pub source: Source,
    /// What the user approved.
    pub grants: Grants,
    /// The SHA-256 (hexadecimal) that was approved; other bytes are refused. `None` only while a
    /// component is being developed.
    pub digest: Option<String>,
}

/// All that a host knows of the world.
#[derive(Debug, Clone, Default)]
pub struct HostOptions {
    /// For native code, descriptions and downloads. Private to the user.
    pub cache_dir: PathBuf,
    /// Where downloads are kept, shared with other tools (`PACKER_CACHE_DIR`).
    pub download_dir: PathBuf,
    /// For the journal and the key of the cache. Private to the user.
    pub state_dir: PathBuf,
    /// Where scratch directories are made.
    pub temp_dir: PathBuf,
    /// What relative paths in templates start from.
    pub working_dir: PathBuf,
    /// What `~` means.
    pub home: Option<PathBuf>,
    /// The user's variables, for programs that were granted them.
    pub environment: BTreeMap<String, String>,
    /// How names become addresses; as the system does if none.
    pub resolver: Option<Resolver>,
    /// Components of the program.
    pub bundled: Vec<Bundled>,
    /// Components of the user; they come before bundled ones of the same name.
    pub third_party: Vec<ThirdParty>,
    /// The program and arguments that supervise children (kiln itself, which calls
    /// [`kiln_machine::supervise`] on its standard input); without it children are not ended when
    /// kiln is killed.
    pub supervisor: Option<(PathBuf, Vec<String>)>,
    /// Bounds of each step.
    pub limits: Limits,
}

/// The sandbox. Cheap to clone.
#[derive(Clone)]
pub struct Host {
    inner: Arc<HostInner>,
}

pub(crate) struct HostInner {
    pub(crate) options: HostOptions,
    pub(crate) wasm_engine: wasmtime::Engine,
    pub(crate) linker: Linker<State>,
    pub(crate) cache: SealedCache,
    pub(crate) compatibility: String,
    pub(crate) spawner: OnceLock<kiln_machine::Spawner>,
    components: BTreeMap<ComponentRef, Entry>,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("components", &self.inner.components.len()).finish_non_exhaustive()
    }
}

impl Host {
    /// Starts the engine and links what guests may call. Reads no component yet.
    ///
    /// # Errors
    /// The engine does not start on this machine.
    pub fn new(mut options: HostOptions) -> Result<Self, LoadError> {
        let wasm_engine = wasm::engine()?;
        let linker = linker(&wasm_engine).map_err(|e| LoadError::Engine(format!("{e:#}")))?;
        let cache = SealedCache::open(&options.cache_dir, &options.state_dir);
        let mut components = BTreeMap::new();
        for own in std::mem::take(&mut options.bundled) {
            let reference = ComponentRef::new(own.kind, own.name);
            components
                .insert(reference.clone(), Entry::new(reference, Source::Bytes(own.bytes), own.grants, None));
        }
        for foreign in std::mem::take(&mut options.third_party) {
            let entry =
                Entry::new(foreign.component.clone(), foreign.source, Some(foreign.grants), foreign.digest);
            components.insert(foreign.component, entry);
        }
        let compatibility = wasm::compatibility(&wasm_engine);
        Ok(Self {
            inner: Arc::new(HostInner {
                options,
                wasm_engine,
                linker,
                cache,
                compatibility,
                spawner: OnceLock::new(),
                components,
            }),
        })
    }

    /// The names of all components of a kind, sorted.
    pub fn names(&self, kind: Kind) -> Vec<String> {
        self.inner.components.keys().filter(|c| c.kind == kind).map(|c| c.name.clone()).collect()
    }

    /// What a component says of itself; out of the cache if it was asked before.
    ///
    /// # Errors
    /// It is not known, cannot be loaded, or does not say.
    pub fn describe(&self, component: &ComponentRef) -> Result<Arc<Description>, LoadError> {
        Ok(self.inner.described(component)?.description)
    }

    /// The options of a component.
    ///
    /// # Errors
    /// As [`Host::describe`].
    pub fn schema(&self, component: &ComponentRef) -> Result<Arc<Schema>, LoadError> {
        Ok(self.inner.described(component)?.schema)
    }

    /// The communicator that a step asks for and this host does not have, so that nobody has to start
    /// the step to learn it. `None` also while it is not known.
    pub fn missing_communicator(&self, step: &Step) -> Option<String> {
        communicator::missing(&*self.schema(&step.component).ok()?, &step.first.value)
    }

    /// What a component was granted.
    pub fn grants(&self, component: &ComponentRef) -> Option<Arc<Grants>> {
        self.inner.components.get(component)?.grants(&self.inner).ok()
    }

    /// Makes a component ready to run, so that the first step does not wait for the compiler.
    ///
    /// # Errors
    /// It is not known, or cannot be loaded.
    pub fn load(&self, component: &ComponentRef) -> Result<(), LoadError> {
        self.inner.entry(component)?.load(&self.inner).map(drop)
    }

    /// Describes a component that is not installed (yet): what `kiln init` shows.
    ///
    /// # Errors
    /// As [`Host::describe`].
    pub fn inspect(&self, component: &ComponentRef, source: Source) -> Result<Arc<Description>, LoadError> {
        Ok(Entry::new(component.clone(), source, Some(Grants::none()), None)
            .describe(&self.inner)?
            .description)
    }

    /// Undoes what a component made outside this machine in an earlier run, on a fresh instance of
    /// the same component.
    ///
    /// # Errors
    /// Why it is still there.
    pub async fn undo(&self, outside: &Outside) -> Result<(), String> {
        let run = self.run(RunOptions::silent());
        undo::undo_recorded(run.inner(), outside).await
    }

    /// Begins a run.
    pub fn run(&self, options: RunOptions) -> Run {
        Run::new(self.inner.clone(), options)
    }
}

impl HostInner {
    pub(crate) fn entry(&self, component: &ComponentRef) -> Result<&Entry, LoadError> {
        self.components.get(component).ok_or_else(|| LoadError::Unknown(component.clone()))
    }

    pub(crate) fn described(self: &Arc<Self>, component: &ComponentRef) -> Result<Described, LoadError> {
        self.entry(component)?.describe(self)
    }

    /// A step outside of any run, for `describe`.
    pub(crate) fn bare_step(self: &Arc<Self>, component: &ComponentRef) -> (Arc<Self>, Arc<StepCtx>) {
        let run = Run::new(self.clone(), RunOptions::silent());
        let limits = &self.options.limits;
        let step = StepCtx {
            build: Arc::new(BuildInner::nowhere(run.inner().clone())),
            component: component.clone(),
            info: None,
            grants: Arc::default(),
            configuration: None,
            meter: Arc::default(),
            budget: Mutex::new(LineBudget::new(limits.lines_per_second, limits.shown_bytes)),
            line: limits.line,
        };
        (self.clone(), Arc::new(step))
    }
}

/// Everything a guest can import: the standard interfaces, HTTP through the filter, the contract.
fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    crate::bindings::Host_::add_to_linker::<_, HasSelf<_>>(&mut linker, |state: &mut State| state)?;
    Ok(linker)
}

/// Runs a future that is waited for by code that is not async. On a thread of its own, because
/// the caller may be inside a runtime.
pub(crate) fn block_on<T: Send>(work: impl Future<Output = T> + Send) -> Result<T, String> {
    std::thread::scope(|scope| {
        scope
            .spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
                runtime.map_err(|e| e.to_string()).map(|runtime| runtime.block_on(work))
            })
            .join()
            .unwrap_or_else(|_| Err("it ended the thread".to_owned()))
    })
}
