# kiln-test: -inspect
variable "tags" {
  default = { "with space" = 1, plain = 2 }
}

locals {
  odd   = var.tags["with space"]
  plain = var.tags["plain"]
}
