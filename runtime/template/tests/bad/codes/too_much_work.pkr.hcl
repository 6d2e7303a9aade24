locals {
  ten    = "0123456789"
  text   = join("", [for a in range(1000) : join("", [for b in range(1000) : local.ten])])
  longer = "${local.text}${local.text}"
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
