locals {
  a = true and false
  b = true or false
  c = true & false
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
