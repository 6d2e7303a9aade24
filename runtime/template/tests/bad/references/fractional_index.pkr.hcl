locals {
  list = ["a", "b"]
  x    = local.list[0.5]
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
