# kiln-test: -inspect
variable "list" {
  default = []
}

locals {
  first = length(var.list) > 0 ? var.list[0] : "none"
}
