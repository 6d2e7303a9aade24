locals {
  x = "a" + "b"
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
