locals {
  a = true ? ["x"] : "x"
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
