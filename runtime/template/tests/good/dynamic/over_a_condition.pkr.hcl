variable "data_disk" {
  default = true
}

source "qemu" "x" {
  iso_url = "x"
  dynamic "disk" {
    for_each = var.data_disk ? ["data"] : []
    content {
      size = "10G"
    }
  }
}

build {
  sources = ["qemu.x"]
}
