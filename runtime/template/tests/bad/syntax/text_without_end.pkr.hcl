variable "x" {
  default = "no end
}
locals {
  a = nothing
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
