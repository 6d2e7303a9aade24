source "qemu" "x" {
  iso_url = "x"
  dynamic "disk" {
    for_each = [1, 2]
    content {
      cache = "none"
    }
  }
}

build {
  sources = ["qemu.x"]
}
