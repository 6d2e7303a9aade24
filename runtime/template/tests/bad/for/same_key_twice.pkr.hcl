locals {
  a = { for s in ["x", "y"] : "k" => s }
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
