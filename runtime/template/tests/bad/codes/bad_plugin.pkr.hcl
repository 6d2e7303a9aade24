packer {
  required_plugins {
    a = "1.0.0"
    b = { version = "1.0.0" }
    c = { source = "github.com/hashicorp/qemu", version = "1.0.0", hash = "x" }
    d = { source = "not a source", version = "1.0.0" }
  }
}
