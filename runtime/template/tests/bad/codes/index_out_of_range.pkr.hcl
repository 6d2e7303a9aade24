locals {
  names = ["a", "b"]
  third = local.names[2]
  minus = local.names[-1]
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
