data "null" "a" {
  input = local.b
}

locals {
  b = data.null.a.output
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
