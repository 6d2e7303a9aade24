# kiln-test: -inspect
variable "unset" {
  type = list(string)
}

locals {
  upper = [for s in var.unset : upper(s)]
  splat = var.unset[*]
  first = var.unset[0]
}
