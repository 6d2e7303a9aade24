locals {
  parts  = 0
  each   = 100 / local.parts
  rest   = 100 % local.parts
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
