locals {
  a = "x ${["a"]}"
}

source "null" "a" {}

build {
  sources = ["null.a"]
}
