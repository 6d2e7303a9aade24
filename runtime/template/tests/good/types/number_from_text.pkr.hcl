# kiln-test: -inspect
variable "n" {
  type    = number
  default = "1e3"
}

locals {
  sum = var.n + 1
}
