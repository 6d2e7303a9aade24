locals {
  a = lenght([1])
  b = join(["a"], ",")
  c = upper()
  d = replace("a")
  e = regex("(", "a")
  f = jsondecode("{")
  g = file("not/there.txt")
  h = cidrhost("x", 1)
  i = formatdate("X", "now")
  j = element([], 0)
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
