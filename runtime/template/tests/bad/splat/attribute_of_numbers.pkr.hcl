locals {
  x = [1, 2][*].size
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
