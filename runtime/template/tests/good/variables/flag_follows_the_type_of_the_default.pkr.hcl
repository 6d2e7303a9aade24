# kiln-test: -inspect -var on=false
variable "on" {
  default = true
}

locals {
  off = !var.on
}
