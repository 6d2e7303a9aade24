packer {
  required_plugins {
    qemu = ">= 1.0"
  }
}
