locals {
  a = 5 ? "x" : "y"
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
