# kiln-test: -inspect -var memory=2048
variable "memory" {
  type = number
}

locals {
  double = var.memory * 2
}
