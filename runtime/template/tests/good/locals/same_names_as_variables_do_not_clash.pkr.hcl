# kiln-test: -inspect
variable "name" {
  default = "variable"
}

locals {
  name = "local of ${var.name}"
}
