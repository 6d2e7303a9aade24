//! Packer templates in, a Plan out; knows HCL, knows no Wasm.
