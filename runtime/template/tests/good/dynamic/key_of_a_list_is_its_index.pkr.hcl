source "qemu" "x" {
  iso_url = "x"
  dynamic "disk" {
    for_each = ["a", "b"]
    content {
      size  = "${disk.key}G"
      cache = disk.value
    }
  }
}

build {
  sources = ["qemu.x"]
}
