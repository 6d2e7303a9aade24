source "qemu" "x" {
  iso_url = "x"
  dynamic "disk" {
    for_each = convert(["2G", "1G", "2G"], set(string))
    content {
      size  = disk.value
      cache = disk.key
    }
  }
}

build {
  sources = ["qemu.x"]
}
