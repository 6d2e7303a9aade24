variable "first" { default = 1 }
locals {
  a = var.frist
  b = local.aa
  c = vars.first
  d = var
  e = var["first"]
  f = path.rot
  g = packer.verson
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
