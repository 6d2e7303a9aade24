locals {
  s = "text"
  x = local.s.length
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
