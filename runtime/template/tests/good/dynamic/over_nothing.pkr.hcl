source "qemu" "x" {
  iso_url = "x"
  dynamic "disk" {
    for_each = []
    content {
      size = disk.value
    }
  }
}

build {
  sources = ["qemu.x"]
}
