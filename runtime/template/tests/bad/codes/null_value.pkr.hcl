variable "disk" {
  type    = object({ size = number })
  default = null
}
locals {
  size  = var.disk.size
  first = null[0]
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
