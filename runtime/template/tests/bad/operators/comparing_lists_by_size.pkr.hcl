locals {
  x = [1] > [0]
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
