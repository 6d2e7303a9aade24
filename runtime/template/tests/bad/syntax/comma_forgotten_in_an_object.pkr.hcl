locals {
  x = { a = 1 b = 2 }
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
