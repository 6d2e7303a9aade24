variable "unset" {
  type = list(string)
}

locals {
  sum = var.unset + 1
}

source "null" "a" {}

build {
  sources = ["null.a"]
}
