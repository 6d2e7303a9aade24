packer {
  required_version = ">= 9.0"
}

source "null" "a" {}

build {
  sources = ["null.a"]
}
