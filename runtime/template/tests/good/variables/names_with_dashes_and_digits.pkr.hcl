# kiln-test: -inspect
variable "disk-size_2" {
  default = "10G"
}

locals {
  same = var.disk-size_2
}
