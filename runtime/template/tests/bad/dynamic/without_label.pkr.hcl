source "qemu" "x" {
  iso_url = "x"
  dynamic {
    for_each = [1]
    content {
      size = "1G"
    }
  }
}

build {
  sources = ["qemu.x"]
}
