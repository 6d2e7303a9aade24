# Being required does not make a plugin known.
packer {
  required_plugins {
    forge = {
      source  = "example.com/acme/forge"
      version = ">= 1.0.0"
    }
  }
}
data "forge-images" "base" {}
source "forge" "a" {}
source "foundry" "b" {}
source "null" "c" {
  communicatr = "none"
}
build {
  sources = ["forge.a", "foundry.b", "null.c"]
  provisioner "shell" {
    inline = [data.forge-images.base.id]
  }
  post-processor "forge-pack" {}
}
