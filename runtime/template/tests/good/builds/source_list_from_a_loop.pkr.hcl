locals {
  wanted = ["a", "b"]
}

source "null" "a" {}
source "null" "b" {}

build {
  sources = [for name in ["a", "b"] : "null.${name}"]
}
