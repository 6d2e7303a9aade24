locals {
  a = null ? "x" : "y"
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
