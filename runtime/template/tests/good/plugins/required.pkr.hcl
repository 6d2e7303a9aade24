packer {
  required_plugins {
    qemu = {
      version = ">= 1.0.8, < 2.0.0"
      source  = "github.com/hashicorp/qemu"
    }
  }
}

source "null" "a" {}

build {
  sources = ["null.a"]
}
