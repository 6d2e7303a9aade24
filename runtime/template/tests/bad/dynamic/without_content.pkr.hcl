source "qemu" "x" {
  iso_url = "x"
  dynamic "disk" {
    for_each = [1]
  }
}

build {
  sources = ["qemu.x"]
}
