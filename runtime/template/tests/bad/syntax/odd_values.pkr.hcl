locals {
  a = @x
  b = 0x10
  c = 1_000
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
