locals {
  x = ["a"]]
  y = 2 )
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
