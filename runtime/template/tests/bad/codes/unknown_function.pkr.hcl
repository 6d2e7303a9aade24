locals {
  a = uper("x")
  b = tostring(1)
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
