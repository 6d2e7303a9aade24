source "qemu" "vm" {
  iso_url = "x"
  memory  = "4G"
}

build {
  sources = ["qemu.vm"]
}
