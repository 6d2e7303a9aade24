# kiln-test: -inspect
variable "names" {
  default   = ["a", "b"]
  sensitive = true
}

locals {
  upper = [for n in var.names : upper(n)]
}
