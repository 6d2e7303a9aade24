locals {
  id = build.ID
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
