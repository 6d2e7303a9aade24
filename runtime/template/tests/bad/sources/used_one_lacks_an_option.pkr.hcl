source "qemu" "vm" {
  memory = 1024
}

build {
  sources = ["qemu.vm"]
}
