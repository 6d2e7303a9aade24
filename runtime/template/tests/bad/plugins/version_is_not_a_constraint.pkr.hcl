packer {
  required_plugins {
    qemu = { version = "newest", source = "github.com/hashicorp/qemu" }
  }
}
