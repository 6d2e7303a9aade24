source "qemu" "vm" {
  iso_url = "x"
  old     = "yes"
}

build {
  sources = ["qemu.vm"]
}
