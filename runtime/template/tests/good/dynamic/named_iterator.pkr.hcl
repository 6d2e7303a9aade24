source "qemu" "x" {
  iso_url = "x"
  dynamic "disk" {
    for_each = [{ size = "1G" }, { size = "5G" }]
    iterator = it
    content {
      size = it.value.size
    }
  }
}

build {
  sources = ["qemu.x"]
}
