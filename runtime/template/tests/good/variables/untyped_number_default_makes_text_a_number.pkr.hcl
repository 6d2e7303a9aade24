# kiln-test: -inspect -var size=12
variable "size" {
  default = 10
}

locals {
  next = var.size + 1
}
