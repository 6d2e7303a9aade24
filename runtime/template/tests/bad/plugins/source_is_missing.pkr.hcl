packer {
  required_plugins {
    qemu = { version = ">= 1.0" }
  }
}
