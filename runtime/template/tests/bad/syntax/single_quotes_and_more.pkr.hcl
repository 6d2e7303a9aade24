locals {
  a =
  b = 'x'
  c = [1 2]
  d = ['y' 'z']
  e = 1 +
}
source "null" "x" {}
build {
  sources = ['source.null.x']
}
}
