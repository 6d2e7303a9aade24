locals {
  a = [for x in null : x]
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
