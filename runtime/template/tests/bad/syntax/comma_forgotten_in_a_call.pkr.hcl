locals {
  x = join("," ["a"])
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
