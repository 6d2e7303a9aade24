locals {
  list = ["a"]
  x    = local.list["first"]
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
