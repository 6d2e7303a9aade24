//! Go text/template, as Packer options use it.
