source "qemu" "vm" {
  iso_url = "x"
  disk    = "10G"
}

build {
  sources = ["qemu.vm"]
}
