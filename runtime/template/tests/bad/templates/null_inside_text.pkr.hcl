locals {
  nothing = null
  a       = "x ${local.nothing}"
}

source "null" "a" {}

build {
  sources = ["null.a"]
}
