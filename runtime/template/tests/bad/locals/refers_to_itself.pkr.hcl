locals {
  x = "${local.x} again"
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
