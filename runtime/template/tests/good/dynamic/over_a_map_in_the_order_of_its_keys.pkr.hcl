source "qemu" "x" {
  iso_url = "x"
  dynamic "disk" {
    for_each = { zeta = "1G", alpha = "2G" }
    content {
      size  = disk.value
      cache = disk.key
    }
  }
}

build {
  sources = ["qemu.x"]
}
