//! virtual machines: QEMU, media, boot commands, processes that end with kiln.
