locals {
  a = { for s in ["x"] : null => s }
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
