locals {
  a = upper()
  b = var.nothing
  c = "${local.a}-${local.b}"
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
