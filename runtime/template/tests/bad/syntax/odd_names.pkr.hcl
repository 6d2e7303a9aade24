locals {
  1st = 1
  a.b = 2
  "c" = 3
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
