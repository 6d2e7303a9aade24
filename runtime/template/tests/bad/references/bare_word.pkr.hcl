locals {
  x = quoted_is_meant
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
