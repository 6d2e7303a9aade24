source "qemu" "vm" {
  iso_url      = "x"
  boot_command = "<enter>"
}

build {
  sources = ["qemu.vm"]
}
