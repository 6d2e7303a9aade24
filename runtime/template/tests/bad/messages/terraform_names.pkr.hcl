locals {
  a = each.value
  b = count.index
  c = self.id
  d = module.x.y
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
