//! What belongs to one store: one step attempt, or one look at a description.
//!
//! Main types: [`State`] (the `T` of `Store<T>`) and [`StepCtx`], the part of it that host work
//! outlives a call with. Every context denies everything until something is put into it.

use crate::build::BuildInner;
use crate::capability::http::Hooks;
use crate::capability::{Caller, Counter, Role};
use crate::configuration::StepConfiguration;
use crate::limits::{CpuMeter, Limits};
use crate::show::{LineBudget, clean};
use kiln_plan::grant::Grants;
use kiln_plan::{ComponentRef, EventBody, OutputStream, StepInfo};
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;
use wasmtime::component::ResourceTable;
use wasmtime::{StoreLimits, StoreLimitsBuilder};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// What a step knows of itself. Shared with work that goes on beside a call.
pub(crate) struct StepCtx {
    pub(crate) build: Arc<BuildInner>,
    pub(crate) component: ComponentRef,
    pub(crate) info: Option<Arc<StepInfo>>,
    pub(crate) grants: Arc<Grants>,
    pub(crate) configuration: Option<Arc<StepConfiguration>>,
    pub(crate) meter: Arc<CpuMeter>,
    pub(crate) budget: Mutex<LineBudget>,
    pub(crate) line: usize,
}

impl StepCtx {
    /// Number of the step attempt; 0 outside of steps.
    pub(crate) fn id(&self) -> u64 {
        self.info.as_ref().map_or(0, |info| info.id)
    }

    /// For messages: ``provisioner `shell` ``.
    pub(crate) fn component_words(&self) -> String {
        self.component.to_string()
    }

    /// Text of a guest or machine, fit to be shown.
    pub(crate) fn shown(&self, text: &str) -> String {
        let vault = &self.build.vault;
        // Sealed text in a message is a secret as much as its value.
        let text = if vault.has_sealed(text) { vault.unseal(text) } else { text.to_owned() };
        let redacted = vault.redactor().redact(&text).into_owned();
        let cleaned = clean(&redacted, self.line);
        // Controls may have torn a value apart that is whole now.
        vault.redactor().redact(&cleaned).into_owned()
    }

    /// Emits text of a guest or machine; `make` gets it fit to be shown.
    pub(crate) fn show(&self, text: &str, make: impl Fn(String) -> EventBody) {
        let shown = self.shown(text);
        let taken = self.budget.lock().unwrap_or_else(PoisonError::into_inner).take(&shown);
        match taken {
            Some(0) => self.emit(make(shown)),
            Some(dropped) => {
                self.emit(EventBody::Warning {
                    text: format!("{dropped} messages were left out, because they came too fast"),
                });
                self.emit(make(shown));
            }
            None => {}
        }
    }

    /// Emits lines of a command's output.
    pub(crate) fn show_output(&self, stream: OutputStream, text: &str) {
        self.show(text, |text| EventBody::Output { stream, text });
    }

    /// Emits an event whose text is clean already.
    pub(crate) fn emit(&self, body: EventBody) {
        self.build.emit(self.info.clone(), body);
    }
}

/// The `T` of `Store<T>`.
pub(crate) struct State {
    pub(crate) table: ResourceTable,
    pub(crate) wasi: WasiCtx,
    pub(crate) http: WasiHttpCtx,
    pub(crate) hooks: Hooks,
    pub(crate) limits: StoreLimits,
    pub(crate) step: Arc<StepCtx>,
    pub(crate) role: Role,
    pub(crate) cancel: CancellationToken,
    /// Whether trouble with the build ends what waits; a cleanup goes on.
    pub(crate) heeds_trouble: bool,
    calls: Counter,
    pub(crate) held: u64,
    pub(crate) max_held: u64,
    stdout: MemoryOutputPipe,
    stderr: MemoryOutputPipe,
    printed: (usize, usize),
}

impl State {
    /// A store's state that reaches nothing but what `step` and `role` give.
    pub(crate) fn new(limits: &Limits, step: Arc<StepCtx>, role: Role, cancel: CancellationToken) -> Self {
        let (stdout, stderr) = (MemoryOutputPipe::new(limits.stdio), MemoryOutputPipe::new(limits.stdio));
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles);
        let calls = Counter::new(limits.calls);
        Self {
            table,
            wasi: wasi(role, &stdout, &stderr),
            http: WasiHttpCtx::new(),
            hooks: Hooks::new(&step, role, &cancel, &calls),
            limits: StoreLimitsBuilder::new()
                .memory_size(limits.memory)
                .table_elements(limits.table_elements)
                .instances(limits.instances)
                .tables(limits.instances)
                .memories(limits.instances)
                .build(),
            step,
            role,
            cancel,
            heeds_trouble: true,
            calls,
            held: 0,
            max_held: limits.held_bytes,
            stdout,
            stderr,
            printed: (0, 0),
        }
    }

    /// What the gate judges by.
    pub(crate) fn caller(&self) -> Caller<'_> {
        Caller {
            step: &self.step,
            role: self.role,
            cancel: &self.cancel,
            calls: &self.calls,
            trouble: self.heeds_trouble.then_some(&self.step.build.trouble),
        }
    }

    /// What the guest printed since the last call goes to the log.
    pub(crate) fn log_printed(&mut self) {
        for (pipe, printed, name) in
            [(&self.stdout, &mut self.printed.0, "stdout"), (&self.stderr, &mut self.printed.1, "stderr")]
        {
            let contents = pipe.contents();
            let new = contents.get(*printed..).unwrap_or(&[]);
            if !new.is_empty() {
                let text = String::from_utf8_lossy(new);
                self.step.show(text.trim_end(), |text| EventBody::Log { level: name.into(), text });
                *printed = contents.len();
            }
        }
    }
}

/// No arguments, environment, directories, sockets or stdin. Pure stores have no clock and no
/// randomness either, so that what they say depends on nothing but the component.
fn wasi(role: Role, stdout: &MemoryOutputPipe, stderr: &MemoryOutputPipe) -> WasiCtx {
    let mut wasi = WasiCtx::builder();
    wasi.stdout(stdout.clone()).stderr(stderr.clone()).max_random_size(1 << 20);
    if role == Role::Pure {
        wasi.wall_clock(Stopped).monotonic_clock(Stopped).insecure_random_seed(0);
    }
    wasi.build()
}

/// A clock that stands at the beginning of 1970.
struct Stopped;

impl wasmtime_wasi::HostWallClock for Stopped {
    fn resolution(&self) -> std::time::Duration {
        std::time::Duration::from_secs(1)
    }
    fn now(&self) -> std::time::Duration {
        std::time::Duration::ZERO
    }
}

impl wasmtime_wasi::HostMonotonicClock for Stopped {
    fn resolution(&self) -> u64 {
        1
    }
    fn now(&self) -> u64 {
        0
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.hooks }
    }
}
