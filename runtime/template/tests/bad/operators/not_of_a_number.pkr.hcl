locals {
  x = !5
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
