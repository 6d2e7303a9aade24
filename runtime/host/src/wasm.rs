//! The Wasm engine: which features are on, how native code is cached, how time is cut in slices.
//!
//! Only the features that the five toolchains need are on; threads, GC, exceptions, SIMD, 64-bit
//! memories, stack switching and the async component model are off, because what is off cannot be
//! attacked. Epochs tick every 10 ms; a running guest then yields to other tasks, or ends when its
//! CPU time is spent.

use crate::error::LoadError;
use std::hash::{Hash, Hasher};
use std::time::Duration;
use wasmtime::{Config, Engine};

/// The length of a time slice.
const TICK: Duration = Duration::from_millis(10);
/// Native stack for one guest call; a guest that recurses deeper traps.
const STACK: usize = 1 << 20;

/// Starts the engine and its clock. The clock ends with the engine.
pub(crate) fn engine() -> Result<Engine, LoadError> {
    let engine = Engine::new(&config()).map_err(|e| LoadError::Engine(format!("{e:#}")))?;
    let weak = engine.weak();
    std::thread::Builder::new()
        .name("kiln-epochs".to_owned())
        .spawn(move || {
            while let Some(engine) = weak.upgrade() {
                engine.increment_epoch();
                drop(engine);
                std::thread::sleep(TICK);
            }
        })
        .map_err(|e| LoadError::Engine(e.to_string()))?;
    Ok(engine)
}

fn config() -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .max_wasm_stack(STACK)
        .async_stack_size(STACK + (512 << 10))
        .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(20))
        // On in what the toolchains produce: mutable globals, saturating conversions, sign
        // extension, bulk memory, reference types, extended constants, multi-value blocks.
        .wasm_simd(false)
        .wasm_relaxed_simd(false)
        .wasm_tail_call(false)
        .wasm_multi_memory(false)
        .wasm_memory64(false)
        .wasm_custom_page_sizes(false)
        .wasm_wide_arithmetic(false);
    config
}

/// What native code is compatible with: the engine's version, its settings, this machine.
pub(crate) fn compatibility(engine: &Engine) -> String {
    let mut hasher = std::collections::hash_map::DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
