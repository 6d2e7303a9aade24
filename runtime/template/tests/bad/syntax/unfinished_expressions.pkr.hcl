locals {
  a = true ? 1
  b = [for x in [1] x]
  c = {for k, v in {} : k}
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
