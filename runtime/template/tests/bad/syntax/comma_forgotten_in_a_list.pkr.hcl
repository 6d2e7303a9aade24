locals {
  x = [
    "a"
    "b",
    "c" "d",
  ]
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
