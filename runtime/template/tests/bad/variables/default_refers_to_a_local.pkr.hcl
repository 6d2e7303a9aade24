locals {
  a = "x"
}

variable "b" {
  default = local.a
}
