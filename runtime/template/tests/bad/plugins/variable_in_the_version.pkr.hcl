variable "v" {
  default = ">= 1.0"
}

packer {
  required_plugins {
    qemu = { version = var.v, source = "github.com/hashicorp/qemu" }
  }
}
