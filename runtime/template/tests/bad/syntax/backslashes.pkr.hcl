locals {
  a = "C:\Users\x"
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
