variable "tags" {
  type    = map(string)
  default = { owner = "me" }
}

locals {
  x = var.tags["ownr"]
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
