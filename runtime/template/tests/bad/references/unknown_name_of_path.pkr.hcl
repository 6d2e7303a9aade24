locals {
  x = path.module
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
