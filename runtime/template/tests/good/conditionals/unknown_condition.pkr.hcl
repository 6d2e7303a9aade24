# kiln-test: -inspect
variable "flag" {
  type = bool
}

locals {
  a = var.flag ? "x" : "y"
}
