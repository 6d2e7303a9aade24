source "qemu" "x" {
  iso_url = "x"
  dynamic "disk" {
    for_each = ["1G", "2G"]
    content {
      size = disk.value
    }
  }
}

build {
  sources = ["qemu.x"]
}
