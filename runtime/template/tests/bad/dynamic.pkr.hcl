source "qemu" "vm" {
  iso_url = "a"
  dynamic "disk" {
    for_each = 5
    content {}
  }
  dynamic "disk" {
    content {}
  }
}
build {
  sources = ["qemu.vm"]
}
