locals {
  list = ["a"]
  x    = local.list[-1]
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
