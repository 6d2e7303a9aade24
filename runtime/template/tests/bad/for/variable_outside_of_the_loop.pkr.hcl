locals {
  a = [for item in ["x"] : item]
  b = item
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
