//! Which versions of Packer's plugins the bundled components stand for.

use kiln_template::Compatible;

/// Plugins by their source. The lowest version is the first whose templates a component here takes,
/// the highest the newest that it was compared with.
pub(crate) const PLUGINS: &[Compatible] =
    &[Compatible { source: "github.com/hashicorp/qemu", lowest: "1.0.0", highest: "1.1.5" }];
