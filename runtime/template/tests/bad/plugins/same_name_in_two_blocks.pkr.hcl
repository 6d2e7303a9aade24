packer {
  required_plugins {
    qemu = { version = ">= 1.0", source = "github.com/hashicorp/qemu" }
  }
}

packer {
  required_plugins {
    qemu = { version = ">= 1.1", source = "github.com/hashicorp/qemu" }
  }
}
