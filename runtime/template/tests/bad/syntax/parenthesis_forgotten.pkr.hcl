locals {
  x = upper("a"
  y = 1
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
