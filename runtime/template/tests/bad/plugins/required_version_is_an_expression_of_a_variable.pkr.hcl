variable "v" {
  default = ">= 1.0"
}

packer {
  required_version = var.v
}
