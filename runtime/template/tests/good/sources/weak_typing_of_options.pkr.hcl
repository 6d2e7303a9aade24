source "qemu" "vm" {
  iso_url  = 5
  memory   = "4096"
  headless = "true"
}

build {
  sources = ["qemu.vm"]
}
