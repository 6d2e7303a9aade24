locals {
  names = true ? ["a"] : "none"
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
