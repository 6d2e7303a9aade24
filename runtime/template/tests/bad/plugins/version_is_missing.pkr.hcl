packer {
  required_plugins {
    qemu = { source = "github.com/hashicorp/qemu" }
  }
}
