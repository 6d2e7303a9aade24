source "qemu" "vm" {
  iso_url = "x"
}

build {
  source "qemu.vm" {
    disk {
      size = "2G"
    }
  }
}
