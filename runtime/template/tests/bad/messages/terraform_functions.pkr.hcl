locals {
  a = tostring(1)
  b = tonumber("1")
  c = tolist([1])
  d = toset(["a"])
  e = tomap({})
  f = tobool("true")
  g = nonsensitive("x")
  h = templatestring("x", {})
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
