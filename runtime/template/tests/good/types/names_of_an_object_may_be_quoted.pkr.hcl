# kiln-test: -inspect
variable "o" {
  type    = object({ "with-dash" = string })
  default = { with-dash = "x" }
}

locals {
  value = var.o.with-dash
}
