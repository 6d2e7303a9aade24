locals {
  first = { for name in ["ant", "ape"] : substr(name, 0, 1) => name }
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
