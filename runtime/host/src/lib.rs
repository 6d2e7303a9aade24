//! the sandbox: runs WebAssembly components with what a template designated and no more.
