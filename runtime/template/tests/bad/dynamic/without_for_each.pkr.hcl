source "qemu" "x" {
  iso_url = "x"
  dynamic "disk" {
    content {
      size = "1G"
    }
  }
}

build {
  sources = ["qemu.x"]
}
