packer {
  required_version = "at least 1.7"
  required_plugins {
    qemu = { source = "github.com/hashicorp/qemu", version = "one" }
  }
}
