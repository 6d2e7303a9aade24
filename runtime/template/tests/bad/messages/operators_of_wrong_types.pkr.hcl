locals {
  a = "a" + "b"
  b = 1 + "x"
  c = !"x"
  d = "a" < "b"
  e = -"x"
  f = true && 1
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
