locals {
  list = [{ a = 1 }, { b = 2 }]
  x    = local.list[*].a
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
