locals {
  disk = { size = 10 }
  gib  = local.disk.sise
  none = local.disk.cylinders
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
