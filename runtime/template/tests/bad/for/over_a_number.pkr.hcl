locals {
  a = [for x in 5 : x]
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
