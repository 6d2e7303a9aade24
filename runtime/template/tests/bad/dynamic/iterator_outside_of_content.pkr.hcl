source "qemu" "x" {
  iso_url = disk.value
  dynamic "disk" {
    for_each = ["1G"]
    content {
      size = disk.value
    }
  }
}

build {
  sources = ["qemu.x"]
}
