locals {
  a = local.b
  b = local.c
  c = local.a
  fine = 1
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
