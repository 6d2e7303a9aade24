# kiln-test: -inspect
variable "size" {
  default = 50
}

locals {
  name = var.size < 10 ? "small" : var.size < 100 ? "medium" : "large"
}
