locals {
  x = 1 / (2 - 2)
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
