locals {
  a = [for s in ["x"] : s if "perhaps"]
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
