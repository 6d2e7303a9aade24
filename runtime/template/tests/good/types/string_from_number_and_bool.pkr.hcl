# kiln-test: -inspect
variable "a" {
  type    = string
  default = 1.50
}

variable "b" {
  type    = string
  default = false
}

locals {
  lengths = [length(var.a), length(var.b)]
}
