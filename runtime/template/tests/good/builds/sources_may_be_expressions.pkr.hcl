variable "kind" {
  default = "null"
}

variable "all" {
  type    = list(string)
  default = ["null.a", "source.null.b"]
}

locals {
  first = "b"
}

source "null" "a" {}
source "null" "b" {}

build {
  name    = "one"
  sources = ["source.${var.kind}.${local.first}"]
}

build {
  name    = "every"
  sources = var.all
}
