# kiln-test: -inspect
variable "unset" {}

locals {
  list   = ["a", var.unset]
  first  = local.list[0]
  length = length(local.list)
}
