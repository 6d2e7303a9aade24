source "qemu" "x" {
  iso_url = "disk.qcow2"
  old     = "warned about"
  memory  = "much"
}
build {
  sources = ["qemu.x"]
}
