variable "sizes" {
  type    = map(number)
  default = { small = 1 }
}
locals {
  large = var.sizes["large"]
  smal  = var.sizes.smal
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
