source "qemu" "x" {
  iso_url = "x"
  dynamic "boot_command" {
    for_each = ["<enter>"]
    content {}
  }
}

build {
  sources = ["qemu.x"]
}
