locals {
  n = null
  x = local.n.a
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
