locals {
  hen = local.egg
  egg = local.hen
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
