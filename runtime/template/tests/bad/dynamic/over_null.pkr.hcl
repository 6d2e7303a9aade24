source "qemu" "x" {
  iso_url = "x"
  dynamic "disk" {
    for_each = null
    content {
      size = "1G"
    }
  }
}

build {
  sources = ["qemu.x"]
}
