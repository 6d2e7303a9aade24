source "qemu" "x" {
  iso_url = "x"
  disk {
    size = "first"
  }
  dynamic "disk" {
    for_each = ["second"]
    content {
      size = disk.value
    }
  }
  disk {
    size = "third"
  }
}

build {
  sources = ["qemu.x"]
}
