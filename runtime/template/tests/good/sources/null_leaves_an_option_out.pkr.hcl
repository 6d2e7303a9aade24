source "qemu" "vm" {
  iso_url = "x"
  memory  = null
  format  = null
}

build {
  sources = ["qemu.vm"]
}
