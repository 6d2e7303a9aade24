source "qemu" "x" {
  iso_url = "x"
  dynamic "disk" {
    for_each = ["1G"]
    iterator = it
    content {
      size = disk.value
    }
  }
}

build {
  sources = ["qemu.x"]
}
