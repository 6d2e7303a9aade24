source "qemu" "vm" {
  iso_url = "x"
}

build {
  dynamic "source" {
    for_each = { small = 512, large = 4096 }
    labels   = ["qemu.vm"]
    content {
      name   = source.key
      memory = source.value
    }
  }
}
