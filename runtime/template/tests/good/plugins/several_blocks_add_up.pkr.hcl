packer {
  required_plugins {
    qemu = { version = "~> 1", source = "github.com/hashicorp/qemu" }
  }
}

packer {
  required_plugins {
    amazon = { version = "1.2.8", source = "github.com/hashicorp/amazon" }
  }
}

source "null" "a" {}

build {
  sources = ["null.a"]
}
