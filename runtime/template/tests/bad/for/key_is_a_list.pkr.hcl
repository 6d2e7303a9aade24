locals {
  a = { for s in ["x"] : [s] => s }
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
