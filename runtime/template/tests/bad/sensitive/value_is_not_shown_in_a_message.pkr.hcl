variable "password" {
  default   = "s3cret"
  sensitive = true
}

locals {
  number = var.password + 1
}

source "null" "a" {}

build {
  sources = ["null.a"]
}
