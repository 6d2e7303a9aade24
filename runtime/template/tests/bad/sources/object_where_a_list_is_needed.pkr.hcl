source "qemu" "vm" {
  iso_url      = "x"
  boot_command = { first = "<enter>" }
}

build {
  sources = ["qemu.vm"]
}
