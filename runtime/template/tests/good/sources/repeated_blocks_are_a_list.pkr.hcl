source "qemu" "vm" {
  iso_url = "x"
  disk {
    size = "1G"
  }
  disk {
    size  = "2G"
    cache = "none"
  }
}

build {
  sources = ["qemu.vm"]
}
