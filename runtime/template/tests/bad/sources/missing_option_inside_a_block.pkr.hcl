source "qemu" "vm" {
  iso_url = "x"
  disk {
    cache = "none"
  }
}

build {
  sources = ["qemu.vm"]
}
