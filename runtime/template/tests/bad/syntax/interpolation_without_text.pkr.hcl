locals {
  a = ${local.b}
  b = 1
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
