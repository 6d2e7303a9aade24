source "qemu" "vm" {
  iso_url = "x"
  format  = "vhd"
}

build {
  sources = ["qemu.vm"]
}
